package start

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

	"nth/testdata/bench/rounds"
)

// prober starts inits, with the probe as their command. Each start is of another index.
type prober struct {
	probe string
	env   []string
	index int
}

func (p *prober) command(argv []string, args ...string) *exec.Cmd {
	argv = slices.Concat(argv, []string{p.probe}, args)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = slices.Concat(os.Environ(), p.env, []string{"JOB_COMPLETION_INDEX=" + strconv.Itoa(p.index)})
	cmd.Stderr = os.Stderr
	p.index++
	return cmd
}

// start gives the microseconds from before fork until the command ran, and until
// the end of it all, and the page faults until the command ran.
func (p *prober) start(argv []string) rounds.Sample {
	cmd := p.command(argv)
	before := monotonic()
	out, err := cmd.Output()
	after := monotonic()
	rounds.Check(err)
	first, stat, ok := strings.Cut(string(out), " ")
	if !ok {
		rounds.Check(fmt.Errorf("%q didn't run the command", argv))
	}
	s := rounds.Sample{until: number(first)/1000 - before, whole: after - before}
	if len(argv) == 0 {
		return s // the probe's parent is the bench
	}
	// proc(5): after the name in parentheses, minflt is the 8th field, then cminflt
	// (of children that were waited for), majflt, cmajflt.
	for _, f := range strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])[7:11] {
		s[faults] += number(f)
	}
	return s
}

func monotonic() (micros float64) {
	var now unix.Timespec
	rounds.Check(unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return float64(now.Nano()) / 1000
}

// look gives the init's size, and its memory while its command sleeps.
func (p *prober) look(argv []string) rounds.Sample {
	s := rounds.Sample{}
	if path, err := exec.LookPath(argv[0]); !strings.HasSuffix(argv[0], ".sh") { // the script's would be all of Python's
		rounds.Check(err)
		info, err := os.Stat(path)
		rounds.Check(err)
		s[size] = float64(info.Size())
	}
	cmd := p.command(argv, "4s")
	out, err := cmd.StdoutPipe()
	rounds.Check(err)
	rounds.Check(cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	rounds.Check(err)
	time.Sleep(3 * time.Second) // nth trims itself after two
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", cmd.Process.Pid))
	rounds.Check(err)
	for line := range strings.Lines(string(rollup)) {
		switch f := strings.Fields(line); f[0] {
		case "Rss:":
			s[rss] = number(f[1]) * 1024 / 1e6
		case "Anonymous:":
			s[anon] = number(f[1]) * 1024 / 1e6
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	rounds.Check(err)
	_, hwm, _ := strings.Cut(string(status), "VmHWM:")
	peak := number(strings.Fields(hwm)[0]) * 1024 / 1e6
	rounds.Check(cmd.Wait())
	// What it started may have been larger. Until exec a process is a copy of this
	// one, so a figure not above our own says nothing.
	var self syscall.Rusage
	rounds.Check(syscall.Getrusage(syscall.RUSAGE_SELF, &self))
	if theirs := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; theirs > self.Maxrss {
		peak = float64(theirs) * 1024 / 1e6
	}
	s[rounds.Peak.Name] = peak
	return s
}

func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	rounds.Check(err)
	return v
}
