// Package tasks is the suite that every source of tasks must pass, over its real
// server.
package tasks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/harness"
)

// Queue is a queue of a test's own, on a server that the test has started.
type Queue interface {
	// Open opens it for a worker.
	Open(t testing.TB, o task.Options) task.Source
	// Fill adds tasks in this order.
	Fill(t testing.TB, payloads ...[]byte)
	// Dead gives the payloads that were put aside.
	Dead(t testing.TB) [][]byte
	// Left gives how many tasks are in the queue, in whatever state but done or dead.
	Left(t testing.TB) int
}

// Harness is a source as the suite sees it.
type Harness struct {
	// New makes an empty queue.
	New func(t testing.TB) Queue
	// Missing opens a queue that doesn't exist; nil where there is no such thing.
	Missing func(t testing.TB, o task.Options) task.Source
	// Lease is the shortest that the source can do.
	Lease time.Duration
	// Anyones: the source can't tell who took a task last, and says of each that is
	// unfinished that it may be this worker's.
	Anyones bool
	// Timed: by time alone the source can tell whether there may be a task that this worker's
	// index was the last to take, and that nobody has given back yet; its own tests show it.
	Timed bool
	// Silent: of a task whose workers died in all its attempts the source doesn't tell;
	// its server may put it aside.
	Silent bool
	// Text: payloads are text without NUL and control characters.
	Text bool
	// MaxPayload is the largest payload, in bytes; 0: 10 MiB are taken.
	MaxPayload int
}

// worker opens the queue for one run of an index, whose leases don't end, however slow the
// machine is.
func (h Harness) worker(t testing.TB, q Queue, index int64, run string) task.Source {
	return h.mortal(t, q, index, run, time.Minute)
}

// mortal opens it for a run that dies, or is paused, for longer than its leases last.
func (h Harness) mortal(t testing.TB, q Queue, index int64, run string, lease time.Duration) task.Source {
	return q.Open(t, task.Options{Index: index, RunID: run, Lease: lease, MaxAttempts: 3})
}

// inTime tries with longer leases until the machine is quick enough for one.
func (h Harness) inTime(t *testing.T, try func(lease time.Duration) bool) {
	for lease := h.Lease; !try(lease); lease *= 2 {
		t.Logf("a lease of %v ended sooner than this was done", lease)
	}
}

// isHeld tells that nobody else gets a task until its lease has ended; false: it has.
func isHeld(t testing.TB, other task.Source, until time.Time) bool {
	t.Helper()
	got, err := other.Take(t.Context())
	must(t, "take", err)
	if got == nil {
		return true
	}
	if time.Now().Before(until) {
		t.Fatalf("took %+v before its lease had ended", got)
	}
	must(t, "done", other.Done(t.Context(), got))
	return false
}

func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// take takes a task, waiting for one that is delayed or leased.
func (h Harness) take(t testing.TB, s task.Source) *task.Task {
	t.Helper()
	var got *task.Task
	harness.Await(t, func() bool {
		var err error
		got, err = s.Take(context.Background())
		must(t, "take", err)
		return got != nil
	}, func() string { return "there is no task to take" })
	return got
}

func none(t testing.TB, s task.Source) {
	t.Helper()
	if got, err := s.Take(context.Background()); got != nil || err != nil {
		t.Fatalf("took %+v, %v", got, err)
	}
}

func unfinished(t testing.TB, s task.Source, want bool) {
	t.Helper()
	if got, err := s.Unfinished(context.Background()); got != want || err != nil {
		t.Errorf("unfinished: %v, %v; want %v", got, err, want)
	}
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for name, test := range map[string]func(*testing.T, Harness, Queue){
		"life": life, "identical payloads": identical, "fail": fail, "release": release, "lease": lease, "stale worker": stale,
		"payloads": payloads, "many workers": manyWorkers, "counts": counts,
	} {
		t.Run(name, func(t *testing.T) { test(t, h, h.New(t)) })
	}
	if !h.Silent {
		t.Run("buried", func(t *testing.T) { buried(t, h, h.New(t)) })
	}
	if !h.Timed {
		t.Run("owner", func(t *testing.T) { owner(t, h, h.New(t)) })
	}
	if h.Missing == nil {
		return
	}
	t.Run("no such queue", func(t *testing.T) {
		s := h.Missing(t, task.Options{RunID: "a", Lease: h.Lease})
		defer s.Close()
		got, err := s.Take(t.Context())
		e, ok := errors.AsType[*contract.Error](err)
		if got != nil || !ok || e.Kind != contract.NoSuch {
			t.Errorf("took %+v, %v", got, err)
		}
	})
}

// life: taken, kept, done, gone.
func life(t *testing.T, h Harness, q Queue) {
	ctx := t.Context()
	s := h.worker(t, q, 0, "a")
	none(t, s)
	unfinished(t, s, false)
	q.Fill(t, []byte("one"))
	one := h.take(t, s)
	if string(one.Payload) != "one" || one.ID == "" || one.Attempt > 1 {
		t.Errorf("took %+v", one)
	}
	none(t, s)
	unfinished(t, s, true)
	must(t, "keep", s.Keep(ctx, one))
	must(t, "done", s.Done(ctx, one))
	none(t, s)
	unfinished(t, s, false)
	if n := q.Left(t); n != 0 {
		t.Errorf("%d tasks are left", n)
	}
}

// identical: two tasks of the same content are two.
func identical(t *testing.T, h Harness, q Queue) {
	s := h.worker(t, q, 0, "a")
	q.Fill(t, []byte("same"), []byte("same"))
	one := h.take(t, s)
	must(t, "done", s.Done(t.Context(), one))
	two := h.take(t, s)
	if one.ID == two.ID || string(two.Payload) != "same" {
		t.Errorf("took %+v and %+v", one, two)
	}
	must(t, "done", s.Done(t.Context(), two))
	none(t, s)
}

// fail: a task that always fails comes back until it has had all its attempts.
func fail(t *testing.T, h Harness, q Queue) {
	ctx := t.Context()
	s := h.worker(t, q, 0, "a")
	q.Fill(t, []byte("bad"))
	id := ""
	for attempt := 1; attempt <= 3; attempt++ {
		got := h.take(t, s)
		if id == "" {
			id = got.ID
		}
		if got.ID != id || got.Attempt != attempt && got.Attempt != 0 {
			t.Errorf("delivery %d: %+v", attempt, got)
		}
		dead, err := s.Fail(ctx, got, task.Failure{Reason: "exit code 1", After: time.Millisecond})
		must(t, "fail", err)
		if dead != (attempt == 3) {
			t.Errorf("attempt %d: dead %v", attempt, dead)
		}
		if !dead {
			unfinished(t, s, true)
		}
	}
	none(t, s) // a server may put it aside only now
	unfinished(t, s, false)
	if diff := cmp.Diff([][]byte{[]byte("bad")}, q.Dead(t)); diff != "" || q.Left(t) != 0 {
		t.Errorf("%d left; dead (-want +got):\n%s", q.Left(t), diff)
	}
}

// buried: a task whose workers die in all its attempts is put aside by who would have
// taken it next, who is told of it once and doesn't hold it.
func buried(t *testing.T, h Harness, q Queue) {
	ctx := t.Context()
	q.Fill(t, []byte("deadly"))
	id := ""
	for attempt := range 3 {
		s := h.mortal(t, q, 0, fmt.Sprint("run-", attempt), h.Lease)
		got := h.take(t, s)
		if got.Aside != "" || id != "" && got.ID != id {
			t.Fatalf("delivery %d: %+v", attempt+1, got)
		}
		id = got.ID
		must(t, "close", s.Close()) // it dies
	}
	s := h.worker(t, q, 1, "b")
	got := h.take(t, s)
	want := &task.Task{ID: id, Payload: []byte("deadly"), Attempt: 3, Aside: "its worker died, or was stopped, in attempt 3 of 3"}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(task.Task{}, "Receipt", "Meta")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, failed := s.Fail(ctx, got, task.Failure{})
	for what, err := range map[string]error{"keep": s.Keep(ctx, got), "fail": failed, "release": s.Release(ctx, got)} {
		if !errors.Is(err, task.ErrLost) {
			t.Errorf("%s: %v", what, err)
		}
	}
	none(t, s)
	unfinished(t, s, false)
	if diff := cmp.Diff([][]byte{[]byte("deadly")}, q.Dead(t)); diff != "" || q.Left(t) != 0 {
		t.Errorf("%d left; dead (-want +got):\n%s", q.Left(t), diff)
	}
}

// release: a task that is given back at once is there for another worker.
func release(t *testing.T, h Harness, q Queue) {
	s, other := h.worker(t, q, 0, "a"), h.worker(t, q, 1, "b")
	q.Fill(t, []byte("x"))
	one := h.take(t, s)
	must(t, "release", s.Release(t.Context(), one))
	two := h.take(t, other)
	if two.ID != one.ID {
		t.Errorf("took %+v, then %+v", one, two)
	}
	unfinished(t, s, h.Anyones)
	unfinished(t, other, true)
	must(t, "done", other.Done(t.Context(), two))
}

// lease: the task of a worker that died is delivered again, and not before.
func lease(t *testing.T, h Harness, q Queue) {
	h.inTime(t, func(lease time.Duration) bool { return leased(t, h, q, lease) })
}

func leased(t *testing.T, h Harness, q Queue, lease time.Duration) bool {
	s, other := h.mortal(t, q, 0, "a", lease), h.worker(t, q, 1, "b")
	q.Fill(t, []byte("x"))
	until := time.Now().Add(lease) // or later
	one := h.take(t, s)
	for range 3 {
		if !isHeld(t, other, until) {
			return false
		}
		time.Sleep(lease / 2)
		renewed := time.Now().Add(lease)
		if err := s.Keep(t.Context(), one); err != nil && time.Now().After(until) {
			must(t, "done", other.Done(t.Context(), h.take(t, other)))
			return false
		} else if err != nil {
			t.Fatalf("keep: %v", err)
		}
		until = renewed
	}
	if !isHeld(t, other, until) {
		return false
	}
	two := h.take(t, other) // s has died
	if two.ID != one.ID || !bytes.Equal(two.Payload, one.Payload) || two.Attempt < one.Attempt {
		t.Errorf("took %+v, then %+v", one, two)
	}
	unfinished(t, other, true)
	must(t, "done", other.Done(t.Context(), two))
	return true
}

// stale: a worker that was paused finds out, and changes nothing.
func stale(t *testing.T, h Harness, q Queue) {
	ctx := t.Context()
	s, other := h.mortal(t, q, 0, "a", h.Lease), h.worker(t, q, 0, "b") // a duplicate pod of the same index
	q.Fill(t, []byte("x"))
	old := h.take(t, s)
	now := h.take(t, other)
	if err := s.Keep(ctx, old); !errors.Is(err, task.ErrLost) {
		t.Errorf("keep: %v", err)
	}
	if _, err := s.Fail(ctx, old, task.Failure{Reason: "late"}); !errors.Is(err, task.ErrLost) {
		t.Errorf("fail: %v", err)
	}
	if err := s.Release(ctx, old); !errors.Is(err, task.ErrLost) {
		t.Errorf("release: %v", err)
	}
	if err := s.Done(ctx, old); !errors.Is(err, task.ErrLost) {
		t.Errorf("done: %v", err)
	}
	none(t, s)
	must(t, "keep", other.Keep(ctx, now))
	must(t, "done", other.Done(ctx, now))
	if n := q.Left(t); n != 0 || len(q.Dead(t)) != 0 {
		t.Errorf("%d are left, %d are dead", n, len(q.Dead(t)))
	}
}

// payloads come as they were filled in.
func payloads(t *testing.T, h Harness, q Queue) {
	all := []string{"", "a b\tc", "é日本", `{"id": 7, "x": [1,2]}`, "<<.Index>>", strings.Repeat("x", 100_000)}
	if !h.Text {
		all = append(all, "nul\x00, \x01\x1f\x7f\xff")
	}
	if h.MaxPayload == 0 {
		all = append(all, strings.Repeat("0123456789abcdef", 10<<20/16))
	}
	s := h.worker(t, q, 0, "a")
	for _, p := range all {
		if p == "" && h.Text {
			continue
		}
		q.Fill(t, []byte(p))
		got := h.take(t, s)
		if string(got.Payload) != p {
			t.Errorf("%d bytes %.40q came as %d bytes %.40q", len(p), p, len(got.Payload), got.Payload)
		}
		must(t, "done", s.Done(t.Context(), got))
	}
}

// manyWorkers: each task is delivered, and while leases hold only once.
func manyWorkers(t *testing.T, h Harness, q Queue) {
	const tasks, workers = 200, 8
	var all [][]byte
	for i := range tasks {
		all = append(all, fmt.Append(nil, "task ", i))
	}
	q.Fill(t, all...)
	var mu sync.Mutex
	seen := map[string]int{}
	var group sync.WaitGroup
	for w := range int64(workers) {
		s := h.worker(t, q, w, fmt.Sprint("run-", w))
		group.Go(func() {
			for {
				got, err := s.Take(context.Background())
				if err != nil {
					t.Errorf("take: %v", err)
					return
				}
				if got == nil {
					return
				}
				mu.Lock()
				seen[string(got.Payload)]++
				mu.Unlock()
				if err := s.Done(context.Background(), got); err != nil {
					t.Errorf("done: %v", err)
				}
			}
		})
	}
	group.Wait()
	for _, p := range all {
		if seen[string(p)] != 1 {
			t.Errorf("%s was delivered %d times", p, seen[string(p)])
		}
	}
}

// owner: whose worker dies with the last task is the one who must come back for it.
func owner(t *testing.T, h Harness, q Queue) {
	h.inTime(t, func(lease time.Duration) bool { return owned(t, h, q, lease) })
}

func owned(t *testing.T, h Harness, q Queue, lease time.Duration) bool {
	s, other := h.mortal(t, q, 0, "a", lease), h.worker(t, q, 1, "b")
	q.Fill(t, []byte("last"))
	until := time.Now().Add(lease)
	_ = h.take(t, s) // and dies
	if !isHeld(t, other, until) {
		return false
	}
	unfinished(t, other, h.Anyones)
	back := h.worker(t, q, 0, "a2")
	unfinished(t, back, true)
	must(t, "done", back.Done(t.Context(), h.take(t, back)))
	unfinished(t, back, false)
	return true
}
