// Command mutate proves that the tests can fail: it makes one small fault at a time in a
// copy of the tree, and runs the test that must notice it.
//
//	go run ./testdata/mutate [-run REGEXP] [-jobs N] [-list]
//
// The faults are in the lists beside this file. Whoever mends a fault adds it there, as
// the old code had it. It is run by hand: a test of the lists alone, that each fault still
// has its place and its test, is in the test command.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"regexp"
	"sync"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	only := flag.String("run", "", "only mutations whose name matches this `regexp`")
	jobs := flag.Int("jobs", 1, "how many at a time, each in a `copy` of its own")
	list := flag.Bool("list", false, "list the mutations, and run nothing")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("%q: no arguments are taken", flag.Args())
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	var chosen []mutation
	for _, m := range mutations() {
		if wanted.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if *list {
		for _, m := range chosen {
			fmt.Printf("%-50s %-32s %s -run %s\n", m.name, m.file, m.pkg, m.run)
		}
		return
	}
	if err := check(root(), chosen); err != nil {
		log.Fatalf("the list is stale:\n%v", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := tryAll(ctx, chosen, max(*jobs, 1))
	stop()
	os.Exit(code)
}

// tryAll tries every mutation, and gives the exit code: 1 unless each of them was noticed.
func tryAll(ctx context.Context, chosen []mutation, jobs int) int {
	began := time.Now()
	counts := map[verdict]int{}
	var mu sync.Mutex // of what is told
	tell := func(m mutation, v verdict, why string, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		counts[v]++
		fmt.Printf("%-9s %s (%s -run %s, %.0fs)\n", v, m.name, m.pkg, m.run, took.Seconds())
		if v != killed {
			fmt.Printf("  %s\n%s", m.file, indent(why))
		}
	}
	groups := byTest(chosen)
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			c, err := copyTree(ctx, root())
			if err != nil {
				log.Print(err)
				return
			}
			defer c.remove()
			for group := range groups {
				for _, m := range group {
					at := time.Now()
					v, why := c.try(m)
					if ctx.Err() != nil {
						return
					}
					tell(m, v, why, time.Since(at))
				}
			}
		})
	}
	workers.Wait()
	fmt.Printf("%d of %d mutations in %s: %d killed, %d survived, %d don't compile, %d with a test that fails without them\n",
		counts[killed]+counts[survived]+counts[broken]+counts[failing], len(chosen), time.Since(began).Round(time.Second), counts[killed], counts[survived], counts[broken], counts[failing])
	if counts[killed] != len(chosen) {
		return 1
	}
	return 0
}

// byTest gives the mutations of one test after those of another, so that the test is tried
// once without any of them.
func byTest(chosen []mutation) <-chan []mutation {
	var tests []string
	of := map[string][]mutation{}
	for _, m := range chosen {
		if of[m.test()] == nil {
			tests = append(tests, m.test())
		}
		of[m.test()] = append(of[m.test()], m)
	}
	groups := make(chan []mutation, len(tests))
	for _, t := range tests {
		groups <- of[t]
	}
	close(groups)
	return groups
}
