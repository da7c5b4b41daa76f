// Command each puts nth --each beside xargs -P, the parallel of moreutils, xjobs and GNU
// parallel in one run: how many items of /bin/true each of them gets through in a
// second, what processor time an item costs, and what memory they take for themselves.
//
//	go run ./testdata/bench/each [-n 1000000] [-round 5000] [-rounds 5] [-jobs 2,8] [-program /bin/true]
//
// The programs take turns, so that a machine whose speed drifts is fair to all; ratios
// are of a round. Each hands the item's number on to the command. GNU parallel gets
// half of the items of a round, and takes four times as long for them. At the end nth alone
// works through -n items and a tenth of them, which shows that its memory doesn't grow.
//
// Debian: apt-get install moreutils parallel xjobs; where both have /usr/bin/parallel,
// that of moreutils is parallel.moreutils.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"nth/testdata/harness"
)

func main() {
	n := flag.Int("n", 1_000_000, "items of the last run, 0: none")
	round := flag.Int("round", 5000, "items of each in a round")
	rounds := flag.Int("rounds", 5, "rounds")
	program := flag.String("program", "/bin/true", "what is run for each item")
	jobs := flag.String("jobs", "2,8", "how many at the same time")
	flag.Parse()
	nth, err := harness.Binary()
	check(err)
	defer os.RemoveAll(filepath.Dir(nth))
	for word := range strings.SplitSeq(*jobs, ",") {
		j, err := strconv.Atoi(word)
		check(err)
		compare(peers(nth, *program, j), j, *round, *rounds)
	}
	if *n > 0 {
		j, _, _ := strings.Cut(*jobs, ",")
		grow(nth, *program, j, *n)
	}
}

// peer is a program that runs a command for each of many items.
type peer struct {
	name      string
	argv      []string
	fewer     int  // it gets this fraction of the items
	arguments bool // it gets them as arguments, not on stdin
	samples   []sample
}

func peers(nth, program string, jobs int) []*peer {
	j := strconv.Itoa(jobs)
	each := []string{nth, "run", "--log-level=warn", "--index=0", "--completions=1", "--each", "--jobs=" + j}
	return []*peer{
		{name: "nth", argv: slices.Concat(each, []string{"--items=N", "--", program, "<<.Item>>"}), fewer: 1},
		{name: "nth, markers", argv: slices.Concat(each, []string{"--items=N", "--markers=NEW", "--", program, "<<.Item>>"}), fewer: 1},
		{name: "xargs -P", argv: []string{"xargs", "-P", j, "-n", "1", program}, fewer: 1},
		{name: "moreutils parallel", argv: []string{first("parallel.moreutils", "parallel"), "-j", j, program, "--"}, fewer: 1, arguments: true},
		{name: "xjobs", argv: []string{"xjobs", "-v0", "-j", j, "--", program}, fewer: 1},
		{name: "GNU parallel", argv: []string{first("parallel.gnu", "parallel"), "--will-cite", "-j", j, program, "{}"}, fewer: 2},
	}
}

// first gives the first of these programs that is there.
func first(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	log.Panicf("there is no %v: apt-get install moreutils parallel xjobs", names)
	return ""
}

func compare(list []*peer, jobs, items, rounds int) {
	for range rounds {
		for _, p := range list {
			p.samples = append(p.samples, p.run(items/p.fewer))
		}
	}
	fmt.Printf("%d at a time, %d rounds\n%-20s %6s %20s %12s %18s %8s\n", jobs, rounds, "", "items", "items/s", "nth is", "µs of CPU an item", "peak MB")
	for _, p := range list {
		var rates, ratios, cpu, peak []float64
		for r, s := range p.samples {
			rates, cpu, peak = append(rates, s.rate), append(cpu, s.cpu), append(peak, s.peak)
			ratios = append(ratios, list[0].samples[r].rate/s.rate)
		}
		fmt.Printf("%-20s %6d %20s %10.2f x %18s %8.1f\n", p.name, items/p.fewer, spread(rates), middle(ratios), spread(cpu), slices.Max(peak))
	}
	fmt.Println("minimum/median/maximum; how many times as fast nth is: the median of the rounds")
}

// grow shows nth's memory at n items and a tenth of them.
func grow(nth, program, jobs string, n int) {
	j, err := strconv.Atoi(jobs)
	check(err)
	for _, items := range []int{n / 10, n} {
		p := peers(nth, program, j)[1]
		s := p.run(items)
		fmt.Printf("nth with markers, %d at a time, %d items: %.0f items/s, peak %.1f MB\n", j, items, s.rate, s.peak)
	}
}

func middle[T cmp.Ordered](v []T) T { return slices.Sorted(slices.Values(v))[len(v)/2] }

func spread(v []float64) string {
	return fmt.Sprintf("%.0f/%.0f/%.0f", slices.Min(v), middle(v), slices.Max(v))
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}
