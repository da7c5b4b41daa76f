package status

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"nth/shim/identity"
	"nth/shim/store"
)

// maxRead is how many documents of a kind are read at most, unless the user says
// otherwise.
const maxRead = 1000

// Options say what to look at.
type Options struct {
	Store  *store.Store
	Of     identity.List
	Policy store.Policy
	Nth    string // version
	Job    string // name
	// Read bounds how many failure records are read, and how many markers for what
	// items took; 0: none. Used asks for the latter.
	Read int64
	Used bool
	// Rerun asks for the command lines that run what is left of an array again.
	Rerun bool
	// Reason, where there is one, has them run those again alone that failed for it.
	Reason string
	// Kubernetes is the Job's own view; nil: there is none.
	Kubernetes *Job
	// Seen counts the keys that were listed so far; it may be nil.
	Seen *atomic.Int64
}

// Look makes one look: the listings, and the documents that are wanted. An error is a
// failure.
func Look(ctx context.Context, o Options) (*Report, *Snapshot, error) {
	snap, err := Scan(ctx, o.Store, o.Of, o.Policy, o.Seen)
	if err != nil {
		return nil, nil, err
	}
	r := &Report{Version: 1, Nth: o.Nth, Markers: o.Store.Show(""), Job: o.Job, At: snap.At.UTC(), Completions: snap.Len, Failures: []Failure{}}
	if r.Failures, r.Unread, err = o.failures(ctx, snap); err != nil {
		return nil, nil, err
	}
	if o.Kubernetes != nil {
		o.Kubernetes.join(r, snap)
	}
	r.Groups = groups(r.Failures)
	if o.Used {
		if r.Used, err = readUsed(ctx, o.Store, o.Policy, snap, o.Read); err != nil {
			return nil, nil, err
		}
	}
	if r.TaskFailures, r.TasksUnread, err = readTaskFailures(ctx, o.Store, o.Policy, snap.FailedTasks, o.Read); err != nil {
		return nil, nil, err
	}
	if r.Shards, err = readShards(ctx, o.Store, o.Policy, snap.Shards, o.Read); err != nil {
		return nil, nil, err
	}
	r.count(snap)
	if o.Rerun {
		r.Rerun = o.rerun(ctx, snap, r)
	}
	for _, f := range r.TaskFailures {
		if f.Dead {
			r.Tasks.Dead++
		}
	}
	return r, snap, nil
}

// failures reads the records of what has failed, and of what has failed and was
// started again, as many as are wanted.
func (o *Options) failures(ctx context.Context, snap *Snapshot) (list []Failure, unread int64, err error) {
	some, all := spread(o.Read, snap.States, func(at int64, s State) bool {
		switch s {
		case Failed:
			return true
		case Started, Running:
			_, again := snap.Failures[snap.Of.At(at)]
			return again
		}
		return false
	})
	indexes := make([]int64, len(some))
	for i, at := range some {
		indexes[i] = snap.Of.At(at)
	}
	list, err = readFailures(ctx, o.Store, o.Policy, indexes)
	for i, f := range list {
		at, _ := snap.Of.Position(f.Index)
		list[i].Again = snap.States[at] != Failed
		if f.At.IsZero() {
			list[i].At = snap.Failures[f.Index]
		}
	}
	return list, all - int64(len(some)), err
}

// count makes the counts and lists, and says how fast it goes.
func (r *Report) count(snap *Snapshot) {
	r.Counts = snap.Counts()
	for state, list := range map[State]*string{Done: &r.Lists.Done, Skipped: &r.Lists.Skipped, Failed: &r.Lists.Failed,
		Running: &r.Lists.Running, Started: &r.Lists.Started, Missing: &r.Lists.Missing} {
		*list = snap.List(state).String()
	}
	r.Lists.Others = identity.FormatList(snap.Others)
	r.Tasks = snap.Tasks
	if r.Rate = snap.Rate(); r.Rate > 0 {
		r.Left = float64(r.Counts.open()) / r.Rate
	}
}

// List gives the indexes that are in a state.
func (s *Snapshot) List(state State) identity.List {
	return s.Of.Pick(func(k int64) bool { return s.States[k] == state })
}

// The rate is that of the shortest of these times in which enough was settled.
const enough = 10

var windows = [...]time.Duration{time.Minute, 10 * time.Minute, time.Hour}

// Rate gives how many indexes were settled in a second lately, by the store's dates;
// 0: nothing was in the last hour.
func (s *Snapshot) Rate() float64 {
	now := s.At.Unix()
	if len(s.Settled) > 0 {
		now = max(now, slices.Max(s.Settled))
	}
	var count [len(windows)]int64
	first := now // the first of all that were settled
	for _, at := range s.Settled {
		if at == 0 {
			continue
		}
		first = min(first, at)
		for i, w := range windows {
			if now-at < int64(w/time.Second) {
				count[i]++
			}
		}
	}
	for i, w := range windows {
		if count[i] >= enough || i == len(windows)-1 {
			return float64(count[i]) / float64(max(1, min(int64(w/time.Second), now-first+1)))
		}
	}
	return 0
}
