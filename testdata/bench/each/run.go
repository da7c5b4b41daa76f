package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"nth/testdata/harness"
)

// sample is one run.
type sample struct {
	rate float64 // items a second
	cpu  float64 // microseconds of an item, the command's own included
	peak float64 // 10⁶ bytes, of the program without its commands
}

func (p *peer) run(items int) sample {
	argv := slices.Clone(p.argv)
	for i, word := range argv {
		switch word {
		case "--items=N":
			argv[i] = "--items=" + strconv.Itoa(items)
		case "--markers=NEW":
			dir, err := os.MkdirTemp(filepath.Dir(argv[0]), "markers-")
			check(err)
			argv[i] = "--markers=file://" + dir
		}
	}
	if p.arguments {
		for i := range items {
			argv = append(argv, strconv.Itoa(i))
		}
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	var in io.WriteCloser
	if !p.arguments {
		var err error
		in, err = cmd.StdinPipe()
		check(err)
	}
	began := time.Now()
	check(cmd.Start())
	if in != nil {
		go func() {
			w := bufio.NewWriter(in)
			for i := range items {
				fmt.Fprintln(w, i)
			}
			_ = w.Flush() // nth doesn't read it
			in.Close()
		}()
	}
	peak := make(chan float64)
	ended := make(chan struct{})
	go func() { peak <- float64(harness.Peak(cmd.Process.Pid, ended)) / 1e6 }()
	err := cmd.Wait()
	took := time.Since(began)
	close(ended)
	if err != nil {
		log.Panicf("%s: %v", p.name, err)
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	return sample{rate: float64(items) / took.Seconds(), cpu: float64(cpu.Microseconds()) / float64(items), peak: <-peak}
}
