// Package local measures a whole Job on one machine: nth local, with and without markers,
// beside the tools for many commands on one machine, and what an index of it costs as
// there are more of them.
package local

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"nth/testdata/bench/rounds"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "local", About: "nth local beside --each, xargs -P and GNU parallel --joblog; what an index costs as there are more",
	Needs: []string{"xargs (apt-get install findutils)", "parallel (apt-get install parallel)"}, Measure: measure,
}

// items are those of a round, places how many commands run at the same time.
const (
	items  = 500
	places = "2"
)

// isolated is the flag that starts an nth for each index. A build without it does that
// always.
const isolated = "--isolated"

func inProcess(nth string) bool { return rounds.Knows(nth, "local", isolated) }

func measure(b *rounds.Bench) {
	n := b.Items(items)
	count := strconv.Itoa(n)
	local := func(flags ...string) func(string) rounds.Sample {
		return func(nth string) rounds.Sample { return job(nth, n, flags...) }
	}
	withMarkers := func(flags ...string) func(string) rounds.Sample {
		return func(nth string) rounds.Sample { return job(nth, n, append(flags, "--markers=file://"+b.Fresh())...) }
	}
	b.Measure(rounds.Table{
		Title:   fmt.Sprintf("%s × true on one machine, %s at a time", rounds.Count(n), places),
		Columns: []rounds.Column{rounds.Rate, rounds.CPUItem, rounds.Peak}, Chart: true,
		Ways: []rounds.Way{
			{Name: "nth local", Nth: true, Do: local()},
			{Name: "nth local, markers", Nth: true, Do: withMarkers()},
			{Name: "nth local --isolated", Nth: true, Known: inProcess, Do: local(isolated)},
			{Name: "nth run --each, markers", Nth: true, Do: func(nth string) rounds.Sample {
				return rounds.Command{Argv: []string{nth, "run", "--log-level=warn", "--index=0", "--completions=1", "--each", "--items=" + count,
					"--jobs=" + places, "--markers=file://" + b.Fresh(), "--", "true", "<<.Item>>"}}.Run().Items(n)
			}},
			{Name: "xargs -P", Do: func(string) rounds.Sample {
				return rounds.Command{Argv: []string{"xargs", "-P", places, "-n", "1", "true"}, Stdin: numbers(n)}.Run().Items(n)
			}},
			{Name: "GNU parallel --joblog", Do: func(string) rounds.Sample {
				return rounds.Command{Argv: []string{rounds.GNUParallel(), "--will-cite", "-j", places, "--joblog", b.Fresh(), "true", "{}"}, Stdin: numbers(n)}.Run().Items(n)
			}},
		},
		Aims: []rounds.Aim{
			{Of: "nth local", Times: 1.0 / 8},
			{Of: "nth local", Over: "GNU parallel --joblog", Times: 1.0 / 4},
			{Of: "nth local", Over: "xargs -P", Times: 1 / 0.9},
			{Of: "nth local, markers", Over: "nth run --each, markers", Times: 1.3},
		},
	})
	grow(b)
}

// grow shows that memory and what an index costs don't grow with the number of indexes. A
// build that starts an nth for each takes too long for it.
func grow(b *rounds.Bench) {
	if !inProcess(b.Nth) {
		return
	}
	t := rounds.Table{Title: "more indexes, markers", Turns: 1, Columns: []rounds.Column{{Name: "µs an index"}, rounds.CPUItem, rounds.Peak}}
	for _, size := range []int{1000, 10_000, 100_000} {
		n := b.Items(size)
		t.Ways = append(t.Ways, rounds.Way{Name: fmt.Sprintf("%s indexes", rounds.Count(n)), Do: func(string) rounds.Sample {
			s := job(b.Nth, n, "--markers=file://"+b.Fresh())
			s["µs an index"] = 1e6 / s[rounds.Rate.Name]
			return s
		}})
	}
	b.Measure(t)
}

func job(nth string, n int, flags ...string) rounds.Sample {
	argv := append([]string{nth, "local", "--log-level=warn", "--progress=never", "--completions=" + strconv.Itoa(n), "--parallelism=" + places}, flags...)
	return rounds.Command{Argv: append(argv, "--", "true", "<<.Index>>")}.Run().Items(n)
}

func numbers(n int) func(io.Writer) {
	return func(w io.Writer) {
		lines := bufio.NewWriter(w)
		for i := range n {
			fmt.Fprintln(lines, i)
		}
		_ = lines.Flush()
	}
}
