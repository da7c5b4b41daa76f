// Package each puts nth --each beside xargs -P, the parallel of moreutils, xjobs and GNU
// parallel: how many items of true each of them gets through in a second, what processor
// time an item costs, and what memory they take for themselves. Each hands the item's
// number on to the command. At the end nth alone works through a hundred thousand items
// and a tenth of them, which shows that its memory doesn't grow.
package each

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"os/exec"
	"strconv"

	"nth/testdata/bench/rounds"
)

// Subject is this one. Where moreutils and GNU parallel both have /usr/bin/parallel, that
// of moreutils is parallel.moreutils.
var Subject = rounds.Subject{
	Name: "each", About: "items of nth run --each beside xargs -P, moreutils' parallel, xjobs and GNU parallel",
	Needs: []string{"xargs (apt-get install findutils)", "parallel (apt-get install parallel)", "xjobs (apt-get install xjobs)"}, Measure: measure,
}

// items are those of a round. GNU parallel, which takes several times as long for one, gets
// half of them. many are those of nth alone.
const (
	items = 5000
	many  = 100_000
)

func measure(b *rounds.Bench) {
	n := b.Items(items)
	columns := []rounds.Column{rounds.Rate, rounds.CPUItem, rounds.Peak}
	for _, jobs := range []string{"2", "8"} {
		nth := func(n int, flags ...string) func(string) rounds.Sample {
			return func(nth string) rounds.Sample { return run(nth, n, jobs, flags...) }
		}
		b.Measure(rounds.Table{
			Title: fmt.Sprintf("%s × true as items, %s at a time", rounds.Count(n), jobs), Columns: columns, Chart: jobs == "2",
			Ways: []rounds.Way{
				{Name: "nth run --each", Nth: true, Do: nth(n)},
				{Name: "nth run --each, markers", Nth: true, Do: func(nth string) rounds.Sample { return run(nth, n, jobs, "--markers=file://"+b.Fresh()) }},
				{Name: "xargs -P", Do: peer(n, "xargs", "-P", jobs, "-n", "1", "true")},
				{Name: "moreutils' parallel", Do: func(string) rounds.Sample {
					argv := []string{moreutils(), "-j", jobs, "true", "--"}
					for i := range n {
						argv = append(argv, strconv.Itoa(i))
					}
					return rounds.Command{Argv: argv}.Run().Items(n)
				}},
				{Name: "xjobs", Do: peer(n, "xjobs", "-v0", "-j", jobs, "--", "true")},
				{Name: "GNU parallel", Do: peer(n/2, rounds.GNUParallel(), "--will-cite", "-j", jobs, "true", "{}")},
			},
		})
	}
	grow := rounds.Table{Title: "more items, markers", Columns: columns, Turns: 1}
	for _, size := range []int{many / 10, many} {
		n := b.Items(size)
		grow.Ways = append(grow.Ways, rounds.Way{Name: fmt.Sprintf("%s items", rounds.Count(n)), Do: func(string) rounds.Sample { return run(b.Nth, n, "2", "--markers=file://"+b.Fresh()) }})
	}
	b.Measure(grow)
}

func run(nth string, n int, jobs string, flags ...string) rounds.Sample {
	argv := []string{nth, "run", "--log-level=warn", "--index=0", "--completions=1", "--each", "--jobs=" + jobs, "--items=" + strconv.Itoa(n)}
	return rounds.Command{Argv: append(append(argv, flags...), "--", "true", "<<.Item>>")}.Run().Items(n)
}

// peer gets the items on stdin.
func peer(n int, argv ...string) func(string) rounds.Sample {
	numbers := func(w io.Writer) {
		lines := bufio.NewWriter(w)
		for i := range n {
			fmt.Fprintln(lines, i)
		}
		_ = lines.Flush()
	}
	return func(string) rounds.Sample { return rounds.Command{Argv: argv, Stdin: numbers}.Run().Items(n) }
}

func moreutils() string {
	for _, name := range []string{"parallel.moreutils", "parallel"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	log.Panic("there is no parallel: apt-get install moreutils parallel")
	return ""
}
