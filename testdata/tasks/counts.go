package tasks

import (
	"testing"

	"nth/shim/task"
)

// counts: a source that can count tells how many are left, whoever holds them, and those
// that were put aside are no more among them.
func counts(t *testing.T, h Harness, q Queue) {
	ctx := t.Context()
	s := h.worker(t, q, 0, "a")
	counter, ok := s.(task.Counter)
	if !ok {
		return
	}
	left := func(when string, want int64) task.Counts {
		t.Helper()
		got, err := counter.Count(ctx)
		must(t, "count", err)
		if got.Left != want {
			t.Errorf("%s: %d are left, want %d", when, got.Left, want)
		}
		return got
	}
	left("at first", 0)
	q.Fill(t, []byte("one"), []byte("two"), []byte("three"))
	left("nobody has come", 3)
	one := h.take(t, s)
	left("one is held", 3)
	must(t, "done", s.Done(ctx, one))
	left("one is done", 2)
	must(t, "release", s.Release(ctx, h.take(t, s)))
	left("one is given back", 2)
	for range 20 {
		dead, err := s.Fail(ctx, h.take(t, s), task.Failure{Reason: "on purpose"})
		must(t, "fail", err)
		if dead {
			break
		}
	}
	h.take(t, s) // a server may put it aside only now
	if n := len(q.Dead(t)); n != 1 {
		t.Fatalf("%d are dead", n)
	}
	if got := left("one is put aside", 1); got.Dead > 1 {
		t.Errorf("%d were put aside", got.Dead)
	}
}
