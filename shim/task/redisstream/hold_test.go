package redisstream_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	redigo "github.com/gomodule/redigo/redis"
	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

// TestStranger: whoever isn't named by XPENDING, in this delivery, changes nothing: not
// another index, not a duplicate of the same one, not the same run's earlier delivery.
func TestStranger(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(t, server)
	q.Fill(t, []byte("x"))
	s := q.worker(t, 0, "a")
	first := take(t, s)
	if _, err := s.Fail(t.Context(), first, task.Failure{}); err != nil {
		t.Fatal(err)
	}
	now := take(t, s)
	if now.ID != first.ID || now.Attempt != 2 {
		t.Fatalf("took %+v, then %+v", first, now)
	}
	before := server.Do(t, "XPENDING", q.name, "g", "-", "+", 9)
	for name, stranger := range map[string]struct {
		s *task.Task
		q task.Source
	}{
		"another index":        {now, q.worker(t, 1, "a")},
		"another's index":      {now, q.worker(t, 0, "")},
		"a duplicate":          {now, q.worker(t, 0, "b")},
		"an earlier delivery":  {first, s},
		"what was never there": {&task.Task{ID: "1-1", Receipt: "1"}, s},
	} {
		for what, f := range map[string]func() error{
			"keep":    func() error { return stranger.q.Keep(t.Context(), stranger.s) },
			"done":    func() error { return stranger.q.Done(t.Context(), stranger.s) },
			"release": func() error { return stranger.q.Release(t.Context(), stranger.s) },
			"fail":    func() error { _, err := stranger.q.Fail(t.Context(), stranger.s, task.Failure{}); return err },
		} {
			if err := f(); !errors.Is(err, task.ErrLost) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
	}
	after := server.Do(t, "XPENDING", q.name, "g", "-", "+", 9)
	for _, rows := range []any{before, after} {
		rows.([]any)[0].([]any)[2] = nil // how long it has been idle
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("pending (-want +got):\n%s", diff)
	}
	if err := s.Done(t.Context(), now); err != nil {
		t.Error(err)
	}
}

// TestDuplicates: two runs of one index at the same time never have one task, and each
// is the index's as long as one of them has it.
func TestDuplicates(t *testing.T) {
	q := newQueue(t, servers.StartRedis(t))
	q.Fill(t, []byte("one"), []byte("two"))
	a, b := q.worker(t, 77, "a"), q.worker(t, 77, "b")
	one, two := take(t, a), take(t, b)
	if one.ID == two.ID {
		t.Errorf("both have %s", one.ID)
	}
	owned := func(s task.Source, want bool) {
		t.Helper()
		if got, err := s.Unfinished(t.Context()); got != want || err != nil {
			t.Errorf("unfinished: %v, %v", got, err)
		}
	}
	if err := b.Done(t.Context(), two); err != nil {
		t.Error(err)
	}
	owned(a, true)
	owned(b, true)
	for _, other := range []int64{7, 770, 78, 0} {
		owned(q.worker(t, other, "a"), false)
	}
	if err := a.Done(t.Context(), one); err != nil {
		t.Error(err)
	}
	owned(b, false)
	if got, err := b.Take(t.Context()); got != nil || err != nil {
		t.Errorf("took %+v, %v", got, err)
	}
	if all := q.info(t, "CONSUMERS", q.name, "g"); len(all) != 0 {
		t.Errorf("consumers are left: %s", all)
	}
}

// TestGivenBack: a task is there after its delay, for whoever comes; a release takes no
// attempt; what is delayed doesn't stand before what isn't.
func TestGivenBack(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(t, server)
	q.Fill(t, []byte("one"), []byte("two"))
	s := open(t, q.url, task.Options{RunID: "a", Lease: 10 * time.Millisecond, MaxAttempts: 3})
	one := take(t, s)
	if dead, err := s.Fail(t.Context(), one, task.Failure{After: time.Hour}); dead || err != nil {
		t.Fatal(dead, err)
	}
	if err := s.Keep(t.Context(), one); !errors.Is(err, task.ErrLost) {
		t.Errorf("keep what was given back: %v", err)
	}
	if err := s.Done(t.Context(), one); !errors.Is(err, task.ErrLost) {
		t.Errorf("acknowledge what was given back: %v", err)
	}
	clock, err := redigo.Int64s(server.Do(t, "TIME"), nil)
	if err != nil {
		t.Fatal(err)
	}
	due, err := redigo.Int64(server.Do(t, "ZSCORE", q.key("due:g"), one.ID), nil)
	if delay := time.Duration(due-clock[0]*1000) * time.Millisecond; err != nil || delay < time.Hour-time.Minute || delay > time.Hour+time.Minute {
		t.Errorf("due in %v, %v", delay, err)
	}
	time.Sleep(20 * time.Millisecond) // it has been idle for longer than a lease
	two := take(t, s)
	if string(two.Payload) != "two" {
		t.Fatalf("took %+v", two)
	}
	if err := s.Release(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	other := q.worker(t, 1, "b")
	if got := take(t, other); got.ID != two.ID || got.Attempt != 1 {
		t.Errorf("took %+v after a release", got)
	}
	if got, err := other.Take(t.Context()); got != nil || err != nil {
		t.Errorf("took %+v, %v before its time", got, err)
	}
	server.Do(t, "ZADD", q.key("due:g"), 1, one.ID) // the hour is over
	if got := take(t, other); got.ID != one.ID || got.Attempt != 2 {
		t.Errorf("took %+v after its delay", got)
	}
	if more, err := s.Unfinished(t.Context()); more || err != nil {
		t.Errorf("unfinished: %v, %v", more, err)
	}
}

// TestDelaysForgotten: without the delays' key, what was given back is there when a lease
// would have ended.
func TestDelaysForgotten(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(t, server)
	q.Fill(t, []byte("x"))
	s := open(t, q.url, task.Options{RunID: "a", Lease: 10 * time.Millisecond, MaxAttempts: 3})
	if _, err := s.Fail(t.Context(), take(t, s), task.Failure{After: time.Hour}); err != nil {
		t.Fatal(err)
	}
	server.Do(t, "DEL", q.key("due:g"))
	server.Do(t, "ZADD", q.key("due:g"), 1, "5-5") // and one that isn't pending
	time.Sleep(20 * time.Millisecond)
	if got := take(t, s); got.Attempt != 2 {
		t.Errorf("took %+v", got)
	}
	if n := server.Do(t, "ZCARD", q.key("due:g")); n != int64(0) {
		t.Errorf("%d delays are left", n)
	}
}

// TestPutAside: what has had all its attempts, and what is no more, is put aside by who
// would have taken it, with the reason.
func TestPutAside(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(t, server)
	worker := func(run string, attempts int) task.Options {
		return task.Options{Index: 4, RunID: run, Lease: 10 * time.Millisecond, MaxAttempts: attempts}
	}
	const content = "bad \x00\xff"
	died := server.Do(t, "XADD", q.name, "*", "payload", content, "color", "red")
	q.Fill(t, []byte("deleted"), []byte("failed"), []byte("next"))
	for attempt, run := range []string{"a", "b"} {
		if got := take(t, open(t, q.url, worker(run, 2))); got.ID != string(died.([]byte)) || got.Attempt != attempt+1 {
			t.Fatalf("took %+v", got)
		}
		time.Sleep(20 * time.Millisecond)
	}
	s := open(t, q.url, task.Options{Index: 4, RunID: "c", Lease: time.Minute, MaxAttempts: 2})
	const workers, gone = "its worker died, or was stopped, in attempt 2 of 2", "its entry is gone: was it deleted, or the stream trimmed?"
	if got := take(t, s); got.ID != string(died.([]byte)) || string(got.Payload) != content || got.Aside != workers {
		t.Errorf("told of %+v", got)
	}
	deleted := take(t, s)
	server.Do(t, "XDEL", q.name, deleted.ID)
	patient := open(t, q.url, task.Options{Index: 4, RunID: "d", Lease: time.Minute, MaxAttempts: 1})
	failed := take(t, patient)
	for range 2 { // an answer may be lost
		if dead, err := patient.Fail(t.Context(), failed, task.Failure{Reason: "exit code 1: é\n{}"}); !dead || err != nil {
			t.Fatal(dead, err)
		}
	}
	server.Do(t, "ZADD", q.key("lease:g"), 1, deleted.ID+" 4-c") // its lease has ended
	if got := take(t, s); got.ID != deleted.ID || got.Aside != gone {
		t.Errorf("told of %+v", got)
	}
	if got := take(t, s); string(got.Payload) != "next" {
		t.Errorf("took %+v", got)
	}
	row := func(id, run, attempt, why string, more ...string) map[string]string {
		m := map[string]string{"nth_id": id, "nth_group": "g", "nth_consumer": "4-" + run, "nth_attempt": attempt, "nth_reason": why}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	want := []map[string]string{
		row(string(died.([]byte)), "b", "2", workers, "payload", content, "color", "red"),
		row(failed.ID, "d", "1", "exit code 1: é\n{}", "payload", "failed"),
		row(deleted.ID, "c", "1", gone),
	}
	if diff := cmp.Diff(want, q.entries(t, q.key("dead"), "-")); diff != "" {
		t.Errorf("dead (-want +got):\n%s", diff)
	}
	if all := q.info(t, "CONSUMERS", q.name, "g"); len(all) != 1 || fmt.Sprintf("%s", all[0].([]any)[1]) != "4-c" {
		t.Errorf("consumers: %s", all)
	}
}

// TestGroup: one that isn't there begins with the first entry, and one that is goes on;
// each has all the tasks. A stream that isn't there isn't made.
func TestGroup(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(t, server)
	q.Fill(t, []byte("one"), []byte("two"))
	server.Do(t, "XGROUP", "CREATE", q.name, "late", "$")
	for group, want := range map[string]string{"g": "one", "h": "one", "late": ""} {
		s := open(t, strings.Replace(q.url, "group=g", "group="+group, 1), task.Options{RunID: "a", Lease: time.Minute})
		got, err := s.Take(t.Context())
		if err != nil || want == "" && got != nil || want != "" && (got == nil || string(got.Payload) != want) {
			t.Errorf("%s: %+v, %v", group, got, err)
		}
	}
	s := q.worker(t, 0, "a")
	held := take(t, s)
	server.Do(t, "XGROUP", "DESTROY", q.name, "g")
	if err := s.Keep(t.Context(), held); !errors.Is(err, task.ErrLost) {
		t.Errorf("keep: %v", err)
	}
	if got := take(t, s); string(got.Payload) != "one" { // begins again
		t.Errorf("took %+v", got)
	}
	server.Do(t, "DEL", q.name)
	for range 2 {
		if _, err := s.Take(t.Context()); kind(err) != contract.NoSuch {
			t.Errorf("take: %v", err)
		}
	}
	if _, err := s.Unfinished(t.Context()); kind(err) != contract.NoSuch {
		t.Errorf("unfinished: %v", err)
	}
	if n := server.Do(t, "EXISTS", q.name); n != int64(0) {
		t.Error("the stream was made")
	}
	server.Do(t, "RPUSH", q.name, "x")
	if _, err := s.Take(t.Context()); kind(err) != contract.Refused || !strings.Contains(fmt.Sprint(err), "WRONGTYPE") {
		t.Errorf("a list: %v", err)
	}
}
