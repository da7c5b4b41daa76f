package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"nth/shim/identity"
	"nth/shim/status"
)

// began is when each Job was started, and looked is how much later it was looked at.
var began = time.Date(2026, 11, 25, 9, 12, 0, 0, time.UTC)

const (
	looked   = 4*time.Hour + 38*time.Minute
	mostRead = 1000 // records, as nth status reads
	alive    = 64   // pods
)

// job is how an example's Job went.
type job struct {
	of            string
	bad, progress float64 // the share of failed indexes, and of what was begun
	groups        []death // reasons, the most frequent first
	hostile       bool
	shards        bool
	tasks         bool
	kubernetes    bool
}

// look gives the same report each time.
func (j job) look() (*status.Report, *status.Snapshot) {
	rnd := rand.New(rand.NewPCG(7, 42))
	s := &status.Snapshot{At: began.Add(looked), Failures: map[int64]time.Time{}, Requests: 4}
	if j.of != "" {
		var err error
		s.Of, err = identity.ParseList(j.of)
		check(err)
	}
	s.Len = s.Of.Len()
	s.Requests += int(s.Len / 1000)
	s.States, s.Settled = make([]status.State, s.Len), make([]int64, s.Len)
	r := &status.Report{Version: 1, Nth: "1.4.0", Markers: "s3://genomes-eu/runs/align-2026-11?region=eu-central-1",
		Job: "align-genomes", At: s.At, Completions: s.Len, Groups: []status.Group{}, Failures: []status.Failure{}}
	if j.hostile {
		r.Job, r.Markers = hostileText, "s3://bucket/it's "+hostileText
	}
	for k := range s.States {
		j.settle(rnd, s, k)
	}
	j.fail(rnd, r, s)
	j.use(rnd, r, s)
	j.count(r, s)
	j.extras(rnd, r, s)
	return r, s
}

// settle decides how one index went: in order but for the scatter that pods have, and
// with an hour in which a node was bad.
func (j job) settle(rnd *rand.Rand, s *status.Snapshot, k int) {
	place := (float64(k) + rnd.Float64()*alive) / (float64(s.Len) + alive)
	at := began.Add(time.Duration(pace(place) / pace(max(j.progress, 0.01)) * float64(looked) * 0.999))
	bad := j.bad * 0.5
	if place > 0.3 && place < 0.36 {
		bad = j.bad * 9
	}
	switch {
	case place > j.progress && place < j.progress+float64(alive)/float64(s.Len+1) && j.progress < 1:
		s.States[k] = status.Running
	case place > j.progress:
		s.States[k] = status.Missing
	case rnd.Float64() < bad:
		s.States[k] = status.Failed
		s.Failures[s.Of.At(int64(k))] = at
	case rnd.Float64() < 0.004:
		s.States[k], s.Settled[k] = status.Skipped, at.Unix()
	case rnd.Float64() < 0.001:
		s.States[k] = status.Started
	default:
		s.States[k], s.Settled[k] = status.Done, at.Unix()
	}
}

// pace is when an index's turn is: the bad hour was slow.
func pace(place float64) float64 { return place + 0.3*min(max(place-0.3, 0), 0.06)/0.06 }

// fail writes the records of the failed ones, and groups them.
func (j job) fail(rnd *rand.Rand, r *status.Report, s *status.Snapshot) {
	groups := map[string]*status.Group{}
	indexes := map[string][]int64{}
	for k, state := range s.States {
		if state != status.Failed {
			continue
		}
		// Half of what is left has each next reason.
		which := min(int(-math.Log2(1-rnd.Float64()*0.999)/1.6), len(j.groups)-1)
		if j.hostile {
			which = len(r.Failures) % len(j.groups) // each in turn
		}
		d := j.groups[which]
		index := s.Of.At(int64(k))
		g := groups[d.reason]
		if g == nil {
			g = &status.Group{Reason: d.reason, Text: d.text, Example: index}
			groups[d.reason] = g
		}
		g.Count++
		if len(r.Failures) == mostRead {
			r.Unread++
			continue
		}
		indexes[d.reason] = append(indexes[d.reason], index)
		r.Failures = append(r.Failures, d.record(rnd, index, s.Failures[index]))
	}
	for reason, g := range groups {
		g.Indexes = identity.FormatList(indexes[reason])
		r.Groups = append(r.Groups, *g)
	}
	slices.SortFunc(r.Groups, func(a, b status.Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Reason, b.Reason))
	})
}

// use gives an even part of the settled ones durations whose logarithm is normal.
func (j job) use(rnd *rand.Rand, r *status.Report, s *status.Snapshot) {
	var settled []int
	for k, at := range s.Settled {
		if at != 0 {
			settled = append(settled, k)
		}
	}
	if len(settled) == 0 {
		return
	}
	u := &status.Used{Of: int64(len(settled))}
	for i := 0; i < len(settled); i += max(1, len(settled)/mostRead) {
		took := math.Exp(rnd.NormFloat64()*0.9 + 3.6)
		u.Each = append(u.Each, status.ItemUsed{Index: s.Of.At(int64(settled[i])), Finished: time.Unix(s.Settled[settled[i]], 0).UTC(),
			DurationS: took, CPUS: took * (0.7 + rnd.Float64()), Node: node(rnd),
			Memory: int64((180 + took*4 + rnd.Float64()*60) * (1 << 20))})
	}
	u.Read = int64(len(u.Each))
	r.Used = u
}

func (j job) count(r *status.Report, s *status.Snapshot) {
	c := &r.Counts
	for _, state := range s.States {
		*map[status.State]*int64{status.Done: &c.Done, status.Skipped: &c.Skipped, status.Failed: &c.Failed,
			status.Running: &c.Running, status.Started: &c.Started, status.Missing: &c.Missing}[state]++
	}
	if c.Missing > 0 && s.Len > 20 {
		r.Rate = float64(c.Done) / looked.Seconds()
		r.Left = float64(c.Missing+c.Running) / r.Rate
	}
}

// failTasks writes the records of the queue's failed tasks.
func (j job) failTasks(rnd *rand.Rand, r *status.Report, s *status.Snapshot) {
	deaths := j.groups
	if deaths == nil {
		deaths = few
	}
	for i := range int(r.Tasks.Failed) {
		id := fmt.Sprintf("%08x-9c1e-4d07-8f5a-%012x", rnd.Uint32(), rnd.Uint64()>>16)
		if j.hostile {
			id = fmt.Sprint(i, hostileText)
		}
		f := status.TaskFailure{Task: id, Queue: "orders", Attempt: 1 + i%3,
			Failure: deaths[i%len(deaths)].record(rnd, int64(i%8), s.At.Add(-time.Duration(i)*time.Minute))}
		if f.Attempt == 3 {
			f.Dead = true
			r.Tasks.Dead++
		}
		r.TaskFailures = append(r.TaskFailures, f)
	}
}

func (j job) extras(rnd *rand.Rand, r *status.Report, s *status.Snapshot) {
	if j.shards {
		for i := range int64(64) {
			r.Shards = append(r.Shards, status.Shard{Index: i, Items: 1600, Done: 25*i + 11, Skipped: i % 3, Failed: i % 7 / 5, Updated: s.At.Add(-time.Duration(i) * time.Minute)})
		}
	}
	if j.tasks {
		r.Tasks = &status.Tasks{Done: 48210, Skipped: 12, Failed: 31}
		s.Tasks = r.Tasks
		j.failTasks(rnd, r, s)
	}
	if j.kubernetes {
		r.Counts.Others, r.Lists.Others = 3, "2000-2002"
		r.Kubernetes = &status.Kubernetes{Name: "align-genomes", Namespace: "science", Completed: "0-17,19-310", Failed: "18",
			Condition: "Failed: MaxFailedIndexesExceeded", Disagreements: []string{"Kubernetes counts 17 as completed, there is no marker", "pod of 42: OOMKilled, there is no failure record"}}
	}
}

func node(rnd *rand.Rand) string {
	return fmt.Sprintf("ip-10-0-%d-%d.eu-central-1.compute.internal", rnd.IntN(4), 10+rnd.IntN(6))
}
