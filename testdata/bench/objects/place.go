package main

import (
	"bytes"
	"cmp"
	"fmt"
	"log"
	"os/exec"
	"slices"
	"strings"
	"time"

	"nth/testdata/harness"
	"nth/testdata/servers"
)

// place is where objects are, and the markers.
type place struct {
	name, tasks, markers string
	asked                func() map[string]int // by what for; nil: there are no requests
}

// sample is one run.
type sample struct {
	ofList, requests int
	wall, cpu, peak  float64
}

// measure lets a first reader and another one take turns, each round with other markers.
func (p place) measure(nth string, size, n int) {
	var first, others []sample
	for round := range n {
		first = append(first, p.run(nth, round, 0))
		others = append(others, p.run(nth, round, size-1))
	}
	p.report(size, "first", first)
	p.report(size, "others", others)
}

func (p place) report(size int, who string, of []sample) {
	requests := fmt.Sprintf("%9s %9s", "-", "-")
	if p.asked != nil {
		requests = fmt.Sprintf("%9d %9d", median(of, func(s sample) int { return s.ofList }), median(of, func(s sample) int { return s.requests }))
	}
	fmt.Printf("%-9d %-24s %-7s %s %8.2f %8.2f %9.1f\n", size, p.name, who, requests, median(of, func(s sample) float64 { return s.wall }),
		median(of, func(s sample) float64 { return s.cpu }), median(of, func(s sample) float64 { return s.peak }))
}

func (p place) run(nth string, round, index int) (s sample) {
	address, query, _ := strings.Cut(p.markers, "?")
	cmd := exec.Command(nth, "run", "--log-level=warn", "--store-wait=10m", "--store-timeout=10m", fmt.Sprint("--index=", index),
		"--tasks="+p.tasks, fmt.Sprintf("--markers=%s/%d?%s", address, round, query), "--", "true", "<<.Task>>")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if p.asked != nil {
		p.asked()
	}
	began := time.Now()
	check(cmd.Start())
	ended, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- harness.Peak(cmd.Process.Pid, ended) }()
	err := cmd.Wait()
	s.wall = time.Since(began).Seconds()
	close(ended)
	s.peak = float64(<-peak) / 1e6
	if err != nil {
		log.Panicf("%s: %v: %s", cmd, err, errs.String())
	}
	s.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if p.asked != nil {
		for what, n := range p.asked() {
			s.requests += n
			if what == servers.Listing || what == servers.Pinned {
				s.ofList += n
			}
		}
	}
	return s
}

func median[T cmp.Ordered](of []sample, get func(sample) T) T {
	var all []T
	for _, s := range of {
		all = append(all, get(s))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
