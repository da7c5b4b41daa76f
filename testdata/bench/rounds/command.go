package rounds

import (
	"bytes"
	"io"
	"log"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"nth/testdata/harness"
)

// Command is a program that is measured.
type Command struct {
	Argv  []string
	Env   []string // beside the own
	Stdin func(w io.Writer)
	Sink  bool  // somebody reads its stdout and stderr, as a container's runtime does
	Codes []int // with which it may end, beside 0
}

// Took is what a program took.
type Took struct {
	Seconds, CPU float64 // the CPU's also in seconds, its commands' included
	Peak         float64 // 10⁶ bytes that it alone had resident at most
}

// Run runs it, and ends the bench if it fails.
func (c Command) Run() (t Took) {
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	var said bytes.Buffer
	if !c.Sink {
		cmd.Stdout, cmd.Stderr = nil, &said
	}
	var in io.WriteCloser
	var sink *os.File
	var err error
	if c.Stdin != nil {
		in, err = cmd.StdinPipe()
		Check(err)
	}
	if c.Sink {
		var w *os.File
		sink, w, err = os.Pipe()
		Check(err)
		defer sink.Close()
		defer w.Close()
		cmd.Stdout, cmd.Stderr = w, w
	}
	began := time.Now()
	Check(cmd.Start())
	if in != nil {
		go func() {
			c.Stdin(in)
			in.Close()
		}()
	}
	if sink != nil {
		go drain(sink)
	}
	ended, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- harness.Peak(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	t.Seconds = time.Since(began).Seconds()
	close(ended)
	t.Peak = float64(<-peak) / 1e6
	if err != nil && !slices.Contains(c.Codes, cmd.ProcessState.ExitCode()) {
		log.Panicf("%q: %v: %s", c.Argv, err, said.String())
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	t.CPU = float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
	return t
}

// drain throws away what it reads, in pieces as large as a pipe is.
func drain(from io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		if _, err := from.Read(buffer); err != nil {
			return
		}
	}
}

// What most tables show.
var (
	Rate    = Column{Name: "items/s", Rate: true}
	CPUItem = Column{Name: "µs of CPU an item"}
	Seconds = Column{Name: "s", Digits: 2}
	CPU     = Column{Name: "CPU s", Digits: 2, Show: Median}
	Peak    = Column{Name: "peak MB", Digits: 1, Show: Most}
)

// Items gives the rate, CPU and Peak of so many items.
func (t Took) Items(n int) Sample {
	return Sample{Rate.Name: float64(n) / t.Seconds, CPUItem.Name: t.CPU * 1e6 / float64(n), Peak.Name: t.Peak}
}

// Sample gives Seconds, CPU and Peak.
func (t Took) Sample() Sample {
	return Sample{Seconds.Name: t.Seconds, CPU.Name: t.CPU, Peak.Name: t.Peak}
}

// Shell is a command of sh.
func Shell(script string) []string { return []string{"sh", "-ec", script} }
