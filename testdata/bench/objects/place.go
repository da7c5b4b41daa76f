package objects

import (
	"fmt"
	"strings"

	"nth/testdata/bench/rounds"
	"nth/testdata/servers"
)

// place is where objects are, and the markers.
type place struct {
	name, tasks, markers string
	asked                func() map[string]int // by what for; nil: there are no requests
}

// measure lets a first reader and another one take turns, each round with other markers.
func (p place) measure(b *rounds.Bench, size int) {
	t := rounds.Table{Title: fmt.Sprintf("%s objects, %s", rounds.Count(size), p.name),
		Columns: []rounds.Column{rounds.Seconds, rounds.CPU, rounds.Peak, {Name: "of the list"}, {Name: "requests"}}}
	markers := map[string]string{} // of each build, those of this round
	t.Ways = []rounds.Way{
		{Name: "the first", Nth: true, Do: func(nth string) rounds.Sample {
			markers[nth] = b.Fresh()
			return p.run(nth, markers[nth], 0)
		}},
		{Name: "the others", Nth: true, Do: func(nth string) rounds.Sample { return p.run(nth, markers[nth], size-1) }},
	}
	b.Measure(t)
}

func (p place) run(nth, round string, index int) rounds.Sample {
	address, query, _ := strings.Cut(p.markers, "?")
	if p.asked != nil {
		p.asked()
	}
	s := rounds.Command{Argv: []string{nth, "run", "--log-level=warn", "--store-wait=10m", "--store-timeout=10m", fmt.Sprint("--index=", index),
		"--tasks=" + p.tasks, fmt.Sprintf("--markers=%s%s?%s", address, round, query), "--", "true", "<<.Task>>"}}.Run().Sample()
	if p.asked == nil {
		return s
	}
	for what, n := range p.asked() {
		s["requests"] += float64(n)
		if what == servers.Listing || what == servers.Pinned {
			s["of the list"] += float64(n)
		}
	}
	return s
}
