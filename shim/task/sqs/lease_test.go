package sqs

import (
	"errors"
	"testing"
	"time"

	"nth/shim/task"
)

// TestTwelveHours: a lease is renewed until SQS would renew it no more, and then lost,
// before SQS gives the task to another.
func TestTwelveHours(t *testing.T) {
	f := startFake(t)
	f.set("ChangeMessageVisibility", answer{200, "", nil})
	s := f.open(t, "queue", task.Options{Lease: time.Hour})
	began := time.Now()
	now := began
	s.now = func() time.Time { return now }
	s.wait = 0
	got := take(t, s)
	for {
		now = now.Add(20 * time.Minute)
		err := s.Keep(t.Context(), got)
		if errors.Is(err, task.ErrLost) {
			break
		}
		must(t, "keep", err)
		hidden := time.Duration(f.all()[len(f.all())-1]["VisibilityTimeout"].(float64)) * time.Second
		if all := now.Sub(began) + hidden; all > 12*time.Hour {
			t.Fatalf("hidden for %s in all", all)
		}
	}
	if all := now.Sub(began); all < 11*time.Hour || all > 12*time.Hour {
		t.Errorf("lost after %s", all)
	}
}

// TestOwnClock: whoever is past the end of the lease asks nobody. AWS would say yes to
// a stale handle, and do nothing.
func TestOwnClock(t *testing.T) {
	f := startFake(t)
	f.set("ChangeMessageVisibility", answer{200, "", nil})
	f.set("DeleteMessage", answer{200, "", nil})
	s := f.open(t, "queue", task.Options{Lease: time.Minute})
	now := time.Now()
	s.now = func() time.Time { return now }
	got := take(t, s)
	now = now.Add(time.Minute) // less than the minute and the second of the poll
	must(t, "keep", s.Keep(t.Context(), got))
	asked := len(f.all())
	now = now.Add(time.Minute)
	_, failed := s.Fail(t.Context(), got, task.Failure{})
	for what, err := range map[string]error{"keep": s.Keep(t.Context(), got), "fail": failed, "release": s.Release(t.Context(), got), "done": s.Done(t.Context(), got)} {
		if !errors.Is(err, task.ErrLost) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if len(f.all()) != asked {
		t.Errorf("asked %v", f.all()[asked:])
	}

	got = take(t, s)
	s.now = func() time.Time { // each look at the clock takes a minute
		now = now.Add(40 * time.Second)
		return now
	}
	if err := s.Keep(t.Context(), got); !errors.Is(err, task.ErrLost) {
		t.Errorf("a keep whose answer came too late: %v", err)
	}
}
