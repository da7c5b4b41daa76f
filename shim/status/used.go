package status

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"nth/shim/marker"
	"nth/shim/store"
)

// Used is what settled items took. Where there are many, an even part of them is read.
type Used struct {
	Read int64      `json:"read"` // how many markers this is from
	Of   int64      `json:"of"`   // how many there are
	Each []ItemUsed `json:"each"`
	// Of those that were done by a run; nil: none.
	Done *DoneUsed `json:"done,omitempty"`
}

// ItemUsed is what one item took.
type ItemUsed struct {
	Index     int64     `json:"index"`
	Finished  time.Time `json:"finished"`
	DurationS float64   `json:"duration_s"`
	CPUS      float64   `json:"cpu_s"` // user and system
	Memory    int64     `json:"max_rss_bytes"`
	Node      string    `json:"node,omitempty"`
	Skipped   bool      `json:"skipped,omitempty"`
}

// DoneUsed is what done items took together, and what a pod should request by that.
type DoneUsed struct {
	Items     int      `json:"items"` // how many they are
	DurationS Figures  `json:"duration_s"`
	CPUS      Figures  `json:"cpu_s"`
	CPUs      *Figures `json:"cpus"`          // at work at the same time, on average; nil: not known
	Memory    *Figures `json:"max_rss_bytes"` // nil: not known
	Requests  Requests `json:"requests"`
}

// Figures tell of many numbers. Of 99 in 100 none is more than P99.
type Figures struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// Requests are as nth manifest --requests takes them; "": not known.
type Requests struct {
	CPU    string `json:"cpu,omitempty"`
	Memory string `json:"memory,omitempty"`
}

// What is suggested: of memory a fifth more than the most, for the next item may need more,
// and what nth itself takes beside the command, rounded up to a MiB; of CPU, rounded up to
// hundredths, what 99 in 100 items kept busy.
const (
	spareMemory = 1.2
	ownMemory   = 32 << 20
	mebibyte    = 1 << 20
)

// readUsed reads what an even part of the settled items took, of n at most.
func readUsed(ctx context.Context, s *store.Store, p store.Policy, snap *Snapshot, n int64) (*Used, error) {
	some, all := spread(n, snap.States, func(_ int64, s State) bool { return s == Done || s == Skipped })
	found := make([]*ItemUsed, len(some))
	err := store.Each(ctx, len(some), func(ctx context.Context, i int) error {
		index := snap.Of.At(some[i])
		body, err := read(ctx, s, p, marker.Key("done", index))
		if err != nil {
			return err
		}
		if m, err := marker.Decode(body, index); err == nil && m.Source == marker.SourceRun {
			found[i] = &ItemUsed{Index: index, Finished: m.Finished, DurationS: m.DurationS, CPUS: m.UserS + m.SystemS, Memory: m.MaxRSSBytes,
				Node: m.Node, Skipped: m.Outcome == marker.Skipped}
		}
		return nil
	})
	u := &Used{Read: int64(len(some)), Of: all, Each: []ItemUsed{}}
	for _, item := range slices.DeleteFunc(found, func(u *ItemUsed) bool { return u == nil }) {
		u.Each = append(u.Each, *item)
	}
	u.Done = together(u.Each)
	return u, err
}

// unlikely bounds what is believed of a marker, in seconds and in processors: anybody may have
// written it.
const unlikely = 1e9

// together sums up what done items took; what wasn't measured of one doesn't count.
func together(all []ItemUsed) *DoneUsed {
	var time, cpu, cpus, memory []float64
	for _, e := range all {
		if e.Skipped || !(e.DurationS < unlikely && e.CPUS < unlikely && e.CPUS <= unlikely*e.DurationS) {
			continue
		}
		time, cpu = append(time, e.DurationS), append(cpu, e.CPUS)
		if e.DurationS > 0 {
			cpus = append(cpus, e.CPUS/e.DurationS)
		}
		if e.Memory > 0 && e.Memory < unlikely*mebibyte {
			memory = append(memory, float64(e.Memory))
		}
	}
	if len(time) == 0 {
		return nil
	}
	d := &DoneUsed{Items: len(time), DurationS: *figures(time), CPUS: *figures(cpu), CPUs: figures(cpus), Memory: figures(memory)}
	if d.CPUs != nil {
		d.Requests.CPU = fmt.Sprintf("%dm", 10*max(1, int64(math.Ceil(100*d.CPUs.P99))))
	}
	if d.Memory != nil {
		d.Requests.Memory = fmt.Sprintf("%dMi", int64(math.Ceil((spareMemory*d.Memory.Max+ownMemory)/mebibyte)))
	}
	return d
}

// figures sorts the numbers; nil: there are none.
func figures(of []float64) *Figures {
	if len(of) == 0 {
		return nil
	}
	sort.Slice(of, func(i, j int) bool { return of[i] < of[j] })
	return &Figures{Median: of[len(of)/2], P99: of[(99*len(of)+99)/100-1], Max: of[len(of)-1]}
}

// used are the figures, and what they suggest.
func (t *text) used(r *Report) {
	u := r.Used
	if u == nil || u.Done == nil {
		return
	}
	d := u.Done
	head := fmt.Sprintf("what %d done items took (%d of %d markers read)", d.Items, u.Read, u.Of)
	t.title("%s  %10s  %10s  %10s", head, "median", "p99", "most")
	row := func(name string, f *Figures, write func(float64) string) {
		if f != nil {
			t.line("  %-*s  %10s  %10s  %10s", len(head)-2, name, write(f.Median), write(f.P99), write(f.Max))
		}
	}
	seconds := func(s float64) string { return short(time.Duration(s * float64(time.Second))) }
	row("time", &d.DurationS, seconds)
	row("CPU time", &d.CPUS, seconds)
	row("CPUs at work", d.CPUs, func(n float64) string { return fmt.Sprintf("%.2f", n) })
	row("memory", d.Memory, func(n float64) string { return size(int64(n)) })
	t.suggest(r, d.Requests)
}

// suggest says what a pod should request, and by what that is so.
func (t *text) suggest(r *Report, q Requests) {
	switch {
	case q.Memory != "" && q.CPU != "":
		t.line("suggests --requests cpu=%s,memory=%s --limits memory=%s", q.CPU, q.Memory, q.Memory)
		t.line("  memory: the most of one process and a fifth more, and %d MiB for nth; CPU: what 99 of 100 items kept busy", ownMemory>>20)
	case q.CPU != "":
		t.line("suggests --requests cpu=%s: what 99 of 100 items kept busy", q.CPU)
	}
	killed := 0
	for _, f := range r.Failures {
		if f.OOMKilled && !f.Again {
			killed++
		}
	}
	if killed > 0 {
		t.line("  %d more failed for lack of memory, and need more than that: nth manifest --failed --reason oom --memory 2x", killed)
	}
}
