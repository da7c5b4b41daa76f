// Package rounds lets programs take turns at the same work and tells what each of them
// took: nth, its peers, and another build of nth where there is one. What is measured in
// one round is measured under one load of the machine, so that a ratio is always one of a
// round, and the median of the rounds is shown. Tables are printed, written as JSON, and
// drawn for the docs.
package rounds

import (
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nth/testdata/harness"
	"nth/testdata/servers"
)

// Subject is what may be measured alone.
type Subject struct {
	Name    string
	About   string   // in a line
	Needs   []string // programs; with a space, what is asked for is before it: "aws (pip install awscli)"
	Measure func(b *Bench)
}

// Bench is one run of the benchmark. Its servers and folders end with it.
type Bench struct {
	harness.Machine
	Nth, Against string // builds of nth; Against may be empty
	Rounds       int
	Scale        float64
	Results      []*Result

	out     io.Writer
	subject string
	dir     string
	fresh   atomic.Int64
}

// Start makes a bench of the tree's build, and another one to hold it against, if any.
func Start(out io.Writer, rounds int, scale float64, against string) *Bench {
	b := &Bench{Rounds: rounds, Scale: scale, out: out}
	var err error
	b.Nth, err = harness.Binary()
	Check(err)
	b.dir = b.Machine.TempDir()
	if against != "" {
		b.Against, err = filepath.Abs(against)
		Check(err)
		Check(exec.Command(b.Against, "version").Run())
	}
	for _, e := range append(servers.S3Env(), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=") {
		name, value, _ := strings.Cut(e, "=")
		Check(os.Setenv(name, value))
	}
	Check(os.Unsetenv("AWS_CA_BUNDLE")) // with one that is set rclone 1.60 doesn't start, though no server here speaks TLS
	return b
}

// Items is a number of items at the scale of this run.
func (b *Bench) Items(n int) int { return max(10, int(float64(n)*b.Scale)) }

// Fresh gives the path of a folder that isn't there yet.
func (b *Bench) Fresh() string {
	return filepath.Join(b.dir, strconv.FormatInt(b.fresh.Add(1), 10))
}

// TempDir gives a folder of its own.
func (b *Bench) TempDir() string {
	dir := b.Fresh()
	Check(os.Mkdir(dir, 0o700))
	return dir
}

// Do measures a subject.
func (b *Bench) Do(s Subject) {
	b.subject = s.Name
	s.Measure(b)
}

// Measure lets the ways of a table take their turns, prints what came out, and keeps it.
func (b *Bench) Measure(t Table) {
	rows := b.rows(t)
	turns := b.Rounds
	if t.Turns > 0 {
		turns = t.Turns
	}
	for turn := range t.Warm + turns {
		var together sync.WaitGroup
		for _, r := range rows {
			if r.way.Turns > 0 && turn >= t.Warm+r.way.Turns {
				continue
			}
			do := func() {
				if s := r.way.Do(r.nth); turn >= t.Warm {
					r.samples = append(r.samples, s)
				}
			}
			if t.Together {
				together.Go(do)
			} else {
				do()
			}
		}
		together.Wait()
	}
	for _, r := range rows {
		if r.way.Once != nil {
			for name, v := range r.way.Once(r.nth) {
				r.samples[0][name] = v
			}
		}
	}
	result := t.result(rows)
	result.Subject = b.subject
	result.Date, result.CPUs, result.System = time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), system()
	b.Results = append(b.Results, result)
	fmt.Fprintln(b.out, result.Text())
}

// row is a way as one build takes it.
type row struct {
	name    string
	nth     string
	way     Way
	against bool
	samples []Sample
}

// rows gives each way, and those of nth once more for the other build. A way that a build
// doesn't know is left out.
func (b *Bench) rows(t Table) (rows []*row) {
	for _, w := range t.Ways {
		if !w.Nth {
			rows = append(rows, &row{name: w.Name, way: w})
			continue
		}
		for i, nth := range []string{b.Nth, b.Against} {
			name := w.Name + map[bool]string{true: against}[i == 1]
			switch {
			case nth == "":
			case w.Known != nil && !w.Known(nth):
				fmt.Fprintf(b.out, "left out: %s, which this build doesn't know\n", name)
			default:
				rows = append(rows, &row{name: name, nth: nth, way: w, against: i == 1})
			}
		}
	}
	return rows
}

// Knows tells whether a build's subcommand has a flag.
func Knows(nth, subcommand, flag string) bool {
	out, err := exec.Command(nth, subcommand, "--help=all").Output()
	Check(err)
	return strings.Contains(string(out), flag+" ")
}

// Missing gives what the subjects need and isn't there.
func Missing(subjects []Subject) (missing []string) {
	seen := map[string]bool{}
	for _, s := range subjects {
		for _, need := range s.Needs {
			name, _, _ := strings.Cut(need, " ")
			if _, err := exec.LookPath(name); err != nil && !seen[need] {
				missing = append(missing, need)
			}
			seen[need] = true
		}
	}
	return missing
}

// GNUParallel is GNU's parallel, not the one of moreutils, by whatever name it has here.
func GNUParallel() string {
	if path, err := exec.LookPath("parallel.gnu"); err == nil {
		return path
	}
	path, err := exec.LookPath("parallel")
	Check(err)
	out, err := exec.Command(path, "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "GNU parallel") {
		log.Panicf("%s isn't GNU parallel: apt-get install parallel", path)
	}
	return path
}

func system() string {
	if runtime.GOOS == "linux" {
		return "Linux"
	}
	return runtime.GOOS
}

// Check ends the program at an error, after what was started is stopped.
func Check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
