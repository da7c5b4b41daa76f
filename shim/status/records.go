package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sort"
	"strings"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
)

// readFailures reads the records of those indexes. One that is broken is told as such;
// one that has gone meanwhile is left out.
func readFailures(ctx context.Context, s *store.Store, p store.Policy, indexes []int64) ([]Failure, error) {
	keys := make([]string, len(indexes))
	for i, index := range indexes {
		keys[i] = marker.Key("failed", index)
	}
	return readRecords(ctx, s, p, keys, func(i int, body []byte) Failure { return failureOf(indexes[i], body) })
}

// mostReads is how many records are read at a time at most.
const mostReads = 4 * store.Hands

// readRecords reads those under the keys that are still there, and makes of each what is told of
// it; of what is broken, of nil. Of a server that is far away more are under way at a time, as
// long as that brings something.
func readRecords[T any](ctx context.Context, s *store.Store, p store.Policy, keys []string, tell func(i int, body []byte) T) ([]T, error) {
	found := make([]*T, len(keys))
	err := store.NewPace(store.Hands, mostReads).Each(ctx, len(keys), func(ctx context.Context, i int) error {
		body, err := read(ctx, s, p, keys[i])
		if err != nil && failure.From(err).Code != failure.BadIndex || err == nil && body == nil {
			return err
		}
		told := tell(i, body)
		found[i] = &told
		return nil
	})
	list := []T{}
	for _, f := range found {
		if f != nil {
			list = append(list, *f)
		}
	}
	return list, err
}

// failureOf makes of an index's record what is told of it.
func failureOf(index int64, body []byte) Failure {
	r, broken := recordOf(body, func(r *marker.Failure) error {
		if r.Index != index {
			return fmt.Errorf("it speaks of index %d", r.Index)
		}
		return nil
	})
	if r == nil {
		broken.Index = index
		return broken
	}
	return described(r)
}

// recordOf reads a record; nil: what is told of one that can't be read, or is wrong.
func recordOf(body []byte, wrong func(*marker.Failure) error) (*marker.Failure, Failure) {
	var r marker.Failure
	err := json.Unmarshal(body, &r)
	if err == nil {
		err = wrong(&r)
	}
	if err == nil && (r.Version < 1 || r.RunID == "") {
		err = errors.New("version or run_id is missing")
	}
	if err != nil {
		return nil, Failure{Reason: unreadable, Text: "its record can't be read", Last: err.Error()}
	}
	return &r, Failure{}
}

// described is what is told of a record.
func described(r *marker.Failure) Failure {
	f := Failure{Index: r.Index, Item: itemOf(r.Header, r.FirstFailed), Items: r.ItemsFailed, ExitCode: r.ExitCode, Signal: r.Signal, OOMKilled: r.OOMKilled, TimedOut: r.TimedOut, Dead: r.Dead, Failures: r.Failures,
		At: r.Finished, DurationS: r.DurationS, Memory: r.MaxRSSBytes, Pod: r.Hostname, Node: r.Node, RunID: r.RunID, Stderr: r.Stderr, Message: r.Message, Log: r.Log,
		From: origin{r.Platform, r.Job, r.IndexOffset}}
	f.Reason, f.Text = ending(r)
	f.Last = last(f.Reason, r)
	return f
}

// itemOf names what an index is made of, or that of its items which failed first, where they
// are objects; else it is "".
func itemOf(h marker.Header, failed string) string {
	if len(h.Objects) == 0 {
		_, key, _ := strings.Cut(failed, " (")
		return strings.TrimSuffix(key[strings.LastIndexByte(key, '/')+1:], ")")
	}
	name := h.Objects[0].URL
	name = name[strings.LastIndexByte(name, '/')+1:]
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	if more := len(h.Objects) - 1; more > 0 {
		name += fmt.Sprintf(" and %d more", more)
	}
	return name
}

// readTaskFailures reads n of the records of failed tasks, and tells how many there are
// besides. Their keys are digests, so the first are as good as any.
func readTaskFailures(ctx context.Context, s *store.Store, p store.Policy, keys []string, n int64) ([]TaskFailure, int64, error) {
	some := keys[:min(int64(len(keys)), n)]
	list, err := readRecords(ctx, s, p, some, func(i int, body []byte) TaskFailure { return taskFailureOf(some[i], body) })
	sort.Slice(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		return a.Queue < b.Queue || a.Queue == b.Queue && a.Task < b.Task
	})
	return list, int64(len(keys) - len(some)), err
}

// taskFailureOf makes of a task's record what is told of it.
func taskFailureOf(key string, body []byte) TaskFailure {
	name, _ := taskKey(key)
	r, broken := recordOf(body, func(r *marker.Failure) error {
		if r.Task == nil || r.Task.Key != name {
			return errors.New("it is of another task")
		}
		return nil
	})
	if r == nil {
		return TaskFailure{Task: name, Failure: broken}
	}
	return TaskFailure{Task: r.Task.ID, Queue: r.Task.Queue, Attempt: r.Task.Attempt, Command: r.Command, Failure: described(r)}
}

// spread gives at most n of the positions that are wanted, evenly, and how many there
// are in all.
func spread(n int64, states []State, wanted func(at int64, s State) bool) (some []int64, all int64) {
	for at, s := range states {
		if wanted(int64(at), s) {
			all++
		}
	}
	seen := int64(0)
	for at, s := range states {
		if !wanted(int64(at), s) {
			continue
		}
		if seen*n/all < (seen+1)*n/all || all <= n {
			some = append(some, int64(at))
		}
		seen++
	}
	return some, all
}
