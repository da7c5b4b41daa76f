package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// peer is a program that runs a command, and what was measured of it.
type peer struct {
	name                  string
	argv, env             []string // before the command
	slow                  bool
	micros, whole, faults []float64
	rss, anon, peak       float64 // 10⁶ bytes
}

// sample is one start.
type sample struct{ micros, whole, faults float64 }

func (p *peer) add(s sample) {
	p.micros, p.whole, p.faults = append(p.micros, s.micros), append(p.whole, s.whole), append(p.faults, s.faults)
}

func (p *peer) command(i int, args ...string) *exec.Cmd {
	argv := slices.Concat(p.argv, args)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = slices.Concat(os.Environ(), p.env, []string{"JOB_COMPLETION_INDEX=" + strconv.Itoa(i)})
	cmd.Stderr = os.Stderr
	return cmd
}

// start gives the microseconds from before fork until the command ran, and until
// the end of it all, and the page faults until the command ran.
func (p *peer) start(i int, probe string) sample {
	cmd := p.command(i, probe)
	before := monotonic()
	out, err := cmd.Output()
	after := monotonic()
	check(err)
	first, stat, ok := strings.Cut(string(out), " ")
	if !ok {
		check(fmt.Errorf("%s didn't run the command", p.name))
	}
	s := sample{micros: number(first)/1000 - before, whole: after - before}
	// proc(5): after the name in parentheses, minflt is the 8th field, then cminflt
	// (of children that were waited for), majflt, cmajflt.
	for _, f := range strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])[7:11] {
		s.faults += number(f)
	}
	return s
}

func monotonic() (micros float64) {
	var now unix.Timespec
	check(unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return float64(now.Nano()) / 1000
}

// look reads the init's memory while its command sleeps.
func (p *peer) look(probe string, i int) {
	cmd := p.command(i, probe, "4s")
	out, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	check(err)
	time.Sleep(3 * time.Second) // nth trims itself after two
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", cmd.Process.Pid))
	check(err)
	for line := range strings.Lines(string(rollup)) {
		switch f := strings.Fields(line); f[0] {
		case "Rss:":
			p.rss = number(f[1]) * 1024 / 1e6
		case "Anonymous:":
			p.anon = number(f[1]) * 1024 / 1e6
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	check(err)
	_, hwm, _ := strings.Cut(string(status), "VmHWM:")
	p.peak = number(strings.Fields(hwm)[0]) * 1024 / 1e6
	check(cmd.Wait())
	// What it started may have been larger. Until exec a process is a copy of this
	// one, so a figure not above our own says nothing.
	var self syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &self))
	if theirs := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; theirs > self.Maxrss {
		p.peak = float64(theirs) * 1024 / 1e6
	}
}

func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	check(err)
	return v
}
