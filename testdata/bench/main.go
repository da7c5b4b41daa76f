// Command bench puts nth beside tini, dumb-init and catatonit in one run: size,
// time until the command runs, page faults until then, memory while it sleeps.
//
//	go run ./testdata/bench [-n 200]
//
// The programs take turns, so that a machine whose speed drifts is fair to all.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"nth/testdata/harness"
)

type peer struct {
	name   string
	argv   []string // before the command
	micros []float64
	faults []float64
	rss    float64
	anon   float64
}

func main() {
	n := flag.Int("n", 200, "counted starts of each")
	flag.Parse()
	nth, err := harness.Binary()
	check(err)
	dir := filepath.Dir(nth)
	defer os.RemoveAll(dir)
	probe := filepath.Join(dir, "probe")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", probe, "./testdata/bench/probe")
	build.Dir, build.Env = harness.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		log.Fatalf("%v\n%s", err, out)
	}
	markers := "file://" + filepath.Join(dir, "markers")
	peers := []*peer{
		{name: "no init"},
		{name: "tini", argv: []string{"tini", "-s", "--"}},
		{name: "dumb-init", argv: []string{"dumb-init", "--"}},
		{name: "catatonit", argv: []string{"catatonit", "--"}},
		{name: "nth", argv: []string{nth, "run", "--log-level=warn", "--"}},
		{name: "nth, file:// marker", argv: []string{nth, "run", "--log-level=warn", "--markers=" + markers, "--"}},
	}
	for i := range *n + 5 { // the first five warm the page cache
		for _, p := range peers {
			micros, faults := p.start(i, probe)
			if i >= 5 {
				p.micros, p.faults = append(p.micros, micros), append(p.faults, faults)
			}
		}
	}
	for _, p := range peers[1:] {
		p.look(probe, *n+5)
	}
	report(peers)
}

func (p *peer) command(i int, args ...string) *exec.Cmd {
	argv := slices.Concat(p.argv, args)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "JOB_COMPLETION_INDEX="+strconv.Itoa(i))
	cmd.Stderr = os.Stderr
	return cmd
}

// start gives the microseconds from before fork until the command ran, and the
// init's page faults until then.
func (p *peer) start(i int, probe string) (micros, faults float64) {
	cmd := p.command(i, probe)
	var before unix.Timespec
	check(unix.ClockGettime(unix.CLOCK_MONOTONIC, &before))
	out, err := cmd.Output()
	check(err)
	first, stat, _ := strings.Cut(string(out), " ")
	at, err := strconv.ParseInt(first, 10, 64)
	check(err)
	// proc(5): after the name in parentheses, minflt is the 8th field, majflt the 10th.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	return float64(at-before.Nano()) / 1000, number(fields[7]) + number(fields[9])
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
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	check(err)
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		switch f[0] {
		case "VmRSS:":
			p.rss = number(f[1]) / 1000
		case "RssAnon:":
			p.anon = number(f[1]) / 1000
		}
	}
	check(cmd.Wait())
}

func report(peers []*peer) {
	bare := median(peers[0].micros)
	fmt.Printf("%-22s %12s %16s %12s %8s %9s\n", "", "bytes", "µs over no init", "page faults", "RSS MB", "anon MB")
	for _, p := range peers[1:] {
		path, err := exec.LookPath(p.argv[0])
		check(err)
		info, err := os.Stat(path)
		check(err)
		fmt.Printf("%-22s %12d %16.0f %12.0f %8.2f %9.2f\n", p.name, info.Size(), median(p.micros)-bare, median(p.faults), p.rss, p.anon)
	}
	fmt.Printf("no init: %.0f µs; medians of %d starts each, in turn\n", bare, len(peers[0].micros))
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
