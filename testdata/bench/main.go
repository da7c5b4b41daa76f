// Command bench measures what nth costs beside what one would use instead, in turns: each
// program has one turn in each round, so that a machine whose speed drifts is fair to all.
//
//	go run ./testdata/bench [-only local,queue] [-n 5] [-scale 1] [-against BINARY] [-json FILE] [-docs]
//
// It prints a table for each subject: least, median and most of the rounds, and how many
// times as long each way takes as the first one. With -against another build of nth takes
// its turns in the same rounds. -docs puts the figures, the tables and the drawing of what
// was measured into the docs. `go run ./testdata/bench -list` lists the subjects.
//
// It installs nothing, and says at once what is missing and how to get it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"nth/testdata/bench/bare"
	"nth/testdata/bench/data"
	"nth/testdata/bench/each"
	"nth/testdata/bench/local"
	"nth/testdata/bench/objects"
	"nth/testdata/bench/queue"
	"nth/testdata/bench/repair"
	"nth/testdata/bench/resume"
	"nth/testdata/bench/rounds"
	"nth/testdata/bench/share"
	"nth/testdata/bench/start"
	"nth/testdata/bench/status"
	"nth/testdata/bench/streams"
	"nth/testdata/harness"
)

// subjects are all there are; the first ones are those of the docs, and measured where
// none is named.
var subjects = []rounds.Subject{
	start.Subject, local.Subject, each.Subject, queue.Subject, streams.Subject, status.Subject,
	data.Subject, objects.Subject, resume.Subject, share.Subject, repair.Subject,
}

const usual = 6

func main() {
	if bare.Main(os.Args) {
		return // this is one of the peers
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) (code int) {
	words := flag.NewFlagSet("bench", flag.ContinueOnError)
	words.SetOutput(stderr)
	only := words.String("only", "", "subjects, with commas between them (default: "+names(subjects[:usual])+")")
	n := words.Int("n", 5, "rounds; 0: with -docs, draw again what was measured before")
	scale := words.Float64("scale", 1, "how much work there is: 0.1 is a tenth of the usual")
	against := words.String("against", "", "another build of nth, which takes turns with this one")
	file := words.String("json", "", "write the results to this file too")
	docs := words.Bool("docs", false, "put the results into the docs")
	list := words.Bool("list", false, "list the subjects")
	if err := words.Parse(args); err != nil {
		return 64
	}
	chosen, err := choose(*only)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 64
	}
	if *list {
		for _, s := range subjects {
			fmt.Fprintf(stdout, "%-8s %s\n", s.Name, s.About)
		}
		return 0
	}
	if *n == 0 {
		rounds.Check(rounds.Publish(harness.Root(), nil))
		return 0
	}
	if missing := rounds.Missing(chosen); len(missing) > 0 {
		fmt.Fprintf(stderr, "bench: missing: %s\n", strings.Join(missing, ", "))
		return 1
	}
	b := rounds.Start(stdout, *n, *scale, *against)
	defer b.End()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		<-signals // Ctrl-C: no server and no folder is left
		b.End()
		os.Exit(130)
	}()
	for _, s := range chosen {
		b.Do(s)
	}
	if *file != "" {
		rounds.Check(rounds.Write(*file, b.Results))
	}
	if *docs {
		rounds.Check(rounds.Publish(harness.Root(), b.Results))
	}
	return 0
}

func choose(only string) (chosen []rounds.Subject, err error) {
	if only == "" {
		return subjects[:usual], nil
	}
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(subjects, func(s rounds.Subject) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("bench: there is no subject %q, but %s", name, names(subjects))
		}
		chosen = append(chosen, subjects[i])
	}
	return chosen, nil
}

func names(of []rounds.Subject) string {
	var all []string
	for _, s := range of {
		all = append(all, s.Name)
	}
	return strings.Join(all, ",")
}
