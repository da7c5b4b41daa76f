package redis_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	redigo "github.com/gomodule/redigo/redis"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nth/shim/task"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// TestEviction: what is gone from one of the keys is had back from the others, at the
// time at which the lease ends anyway.
func TestEviction(t *testing.T) {
	server := servers.StartRedis(t)
	for _, gone := range []string{"lease", "owner", "meta", "lease owner", "lease meta", "lease owner meta"} {
		t.Run(gone, func(t *testing.T) {
			q := newQueue(server)
			s := newSource(t, q.url)
			other := open(t, q.url, task.Options{Index: 1, RunID: "b", Lease: time.Second})
			q.Fill(t, []byte("x"))
			one, err := s.Take(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			hasMeta := true
			for name := range strings.FieldsSeq(gone) {
				server.Do(t, "DEL", q.key(name))
				hasMeta = hasMeta && name != "meta"
			}
			if more, err := s.Unfinished(t.Context()); !more || err != nil {
				t.Errorf("unfinished: %v, %v", more, err)
			}
			if n := q.Left(t); n != 1 {
				t.Errorf("%d are left", n)
			}
			if got, err := other.Take(t.Context()); got != nil || err != nil {
				t.Fatalf("before the lease's end: %+v, %v", got, err)
			}
			if err := s.Keep(t.Context(), one); hasMeta && err != nil || !hasMeta && !errors.Is(err, task.ErrLost) {
				t.Errorf("keep: %v", err)
			}
			if more, err := other.Unfinished(t.Context()); more || err != nil {
				t.Errorf("another's unfinished: %v, %v", more, err)
			}
			var two *task.Task
			for two == nil {
				if two, err = other.Take(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if two.ID != one.ID || string(two.Payload) != "x" {
				t.Errorf("took %+v, then %+v", one, two)
			}
		})
	}
}

// TestContentGone: of a task whose content was evicted it is told.
func TestContentGone(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(server)
	s := newSource(t, q.url)
	q.Fill(t, []byte("x"))
	one, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server.Do(t, "DEL", q.key("task"))
	const gone = "its content is gone: was a key evicted?"
	var got *task.Task
	for end := time.Now().Add(harness.Patience); got == nil && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got, err = s.Take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(&task.Task{ID: one.ID, Payload: []byte{}, Attempt: 1, Aside: gone}, got, cmpopts.IgnoreFields(task.Task{}, "Receipt")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if why := reason(t, q, one.ID); why["reason"] != gone || q.Left(t) != 0 {
		t.Errorf("%v, %d left", why, q.Left(t))
	}
}

func reason(t *testing.T, q *queue, id string) map[string]any {
	t.Helper()
	text, err := redigo.Bytes(q.server.Do(t, "HGET", q.key("reason"), id), nil)
	if err != nil {
		t.Fatal(err)
	}
	var why map[string]any
	if err := json.Unmarshal(text, &why); err != nil {
		t.Fatal(err)
	}
	return why
}

// TestDeaths: a task whose workers die is put aside after as many, by who would have
// taken it next, and says why; one that was released has lost no attempt.
func TestDeaths(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(server)
	content := []byte("bad \x00\xff")
	q.Fill(t, content, []byte("next"))
	worker := func(run string) task.Options {
		return task.Options{Index: 4, RunID: run, Lease: 10 * time.Millisecond, MaxAttempts: 2}
	}
	released := open(t, q.url, worker("released"))
	one, err := released.Take(t.Context())
	if err == nil {
		err = released.Release(t.Context(), one)
	}
	if err != nil {
		t.Fatal(err)
	}
	for attempt, run := range []string{"a", "b"} {
		got, err := open(t, q.url, worker(run)).Take(t.Context())
		if err != nil || got == nil || got.ID != one.ID || got.Attempt != attempt+1 {
			t.Fatalf("took %+v, %v", got, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	s := open(t, q.url, worker("c"))
	if got, err := s.Take(t.Context()); err != nil || got.ID != one.ID || got.Aside == "" {
		t.Errorf("told of %+v, %v", got, err)
	}
	if got, err := s.Take(t.Context()); err != nil || string(got.Payload) != "next" || got.Attempt != 1 {
		t.Errorf("took %+v, %v", got, err)
	}
	why := reason(t, q, one.ID)
	delete(why, "at")
	delete(why, "receipt")
	want := map[string]any{"reason": "its worker died, or was stopped, in attempt 2 of 2", "attempt": 2.0, "run_id": "b", "index": "4"}
	if diff := cmp.Diff(want, why); diff != "" {
		t.Errorf("reason (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]byte{content}, q.Dead(t)); diff != "" {
		t.Errorf("dead (-want +got):\n%s", diff)
	}
}

// TestReason: a failure's reason is kept as it is.
func TestReason(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(server)
	q.Fill(t, []byte("x"))
	s := open(t, q.url, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
	got, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const why = "exit code 1: \"é\"\t{}[]\\ \x01"
	if dead, err := s.Fail(t.Context(), got, task.Failure{Reason: why, After: time.Hour}); !dead || err != nil {
		t.Fatal(dead, err)
	}
	if got := reason(t, q, got.ID)["reason"]; got != why {
		t.Errorf("%q became %q", why, got)
	}
}

// TestDelay: a task that failed is there after its delay, by the server's clock.
func TestDelay(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(server)
	q.Fill(t, []byte("x"))
	s := newSource(t, q.url)
	got, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	clock, err := redigo.Int64s(server.Do(t, "TIME"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if dead, err := s.Fail(t.Context(), got, task.Failure{After: time.Hour}); dead || err != nil {
		t.Fatal(dead, err)
	}
	due, err := redigo.Int64(server.Do(t, "ZSCORE", q.key("lease"), got.ID), nil)
	if delay := time.Duration(due-clock[0]*1000) * time.Millisecond; err != nil || delay < time.Hour || delay > time.Hour+time.Minute {
		t.Errorf("due in %v, %v", delay, err)
	}
	if again, err := s.Take(t.Context()); again != nil || err != nil {
		t.Errorf("took %+v, %v", again, err)
	}
	if more, err := s.Unfinished(t.Context()); !more || err != nil {
		t.Errorf("unfinished: %v, %v", more, err)
	}
	server.Do(t, "ZADD", q.key("lease"), 1, got.ID) // the hour is over
	if again, err := s.Take(t.Context()); err != nil || again.ID != got.ID || again.Attempt != 2 {
		t.Errorf("took %+v, %v", again, err)
	}
}
