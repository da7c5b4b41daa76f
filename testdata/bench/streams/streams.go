// Package streams measures what nth adds to much that a command writes: the tail of its
// stderr that is kept for the records, and --logs, beside the same without nth.
package streams

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"

	"nth/testdata/bench/rounds"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "streams", About: "much that a command writes: the tail of stderr beside cat alone, --logs beside tee", Measure: measure,
}

// size is what a command writes, in bytes.
const size = 1 << 30

// rate is what is read at the other end.
var rate = rounds.Column{Name: "MB/s", Rate: true}

func measure(b *rounds.Bench) {
	n := b.Items(size)
	file := b.Fresh()
	fill(file, n)
	cat, err := exec.LookPath("cat")
	rounds.Check(err)
	stderr := fmt.Sprintf("exec %s %s >&2", cat, file)
	b.Measure(rounds.Table{
		Title: fmt.Sprintf("%s MiB to stderr", rounds.Count(n>>20)), Columns: []rounds.Column{rate, rounds.CPU, rounds.Peak}, Chart: true,
		Ways: []rounds.Way{
			{Name: "cat alone", Do: moved(n, "sh", "-c", stderr)},
			{Name: "nth run, the end is kept", Nth: true, Do: nth(n, "--stderr-tail=4096", "--", "sh", "-c", stderr)},
		},
		Aims: []rounds.Aim{{Of: "nth run, the end is kept", Over: "cat alone", Times: 1.05}},
	})
	out := b.Fresh()
	b.Measure(rounds.Table{
		Title: fmt.Sprintf("%s MiB to stdout, and kept", rounds.Count(n>>20)), Columns: []rounds.Column{rate, rounds.CPU, rounds.Peak}, Chart: true,
		Ways: []rounds.Way{
			{Name: "cat | tee FILE", Do: moved(n, "sh", "-c", fmt.Sprintf("%s %s | tee %s", cat, file, out))},
			{Name: "nth run --logs file://", Nth: true, Do: nth(n, "--logs=file://"+out+".logs", "--", cat, file)},
		},
		Aims: []rounds.Aim{{Of: "nth run --logs file://", Over: "cat | tee FILE", Times: 1 / 0.7}},
	})
	os.RemoveAll(file)
	os.RemoveAll(out)
	os.RemoveAll(out + ".logs")
}

func nth(n int, flags ...string) func(string) rounds.Sample {
	return func(nth string) rounds.Sample {
		return moved(n, append([]string{nth, "run", "--index=0", "--log-level=warn"}, flags...)...)("")
	}
}

func moved(n int, argv ...string) func(string) rounds.Sample {
	return func(string) rounds.Sample {
		took := rounds.Command{Argv: argv, Sink: true}.Run()
		s := took.Sample()
		s[rate.Name] = float64(n) / 1e6 / took.Seconds
		return s
	}
}

// fill writes lines.
func fill(path string, n int) {
	f, err := os.Create(path)
	rounds.Check(err)
	w := bufio.NewWriterSize(f, 1<<20)
	for i, written := 0, 0; written < n; i++ {
		k, err := fmt.Fprintf(w, "2026-01-01T00:00:00Z INFO step %09d of the work: loss=0.125 accuracy=0.875 learning_rate=0.001\n", i)
		rounds.Check(err)
		written += k
	}
	rounds.Check(w.Flush())
	rounds.Check(f.Close())
}
