package redisstream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nth/shim/task"
	"nth/testdata/servers"
)

// most is how many entries a take may look at, and how many a look for unfinished tasks.
const (
	mostTaken  = 250
	mostLooked = 1200
)

// crowd fills a stream with entries that another worker has, each taken once: how many are
// delayed, and how many held.
func (q *queue) crowd(t *testing.T, delayed, held int) {
	t.Helper()
	q.server.Do(t, "EVAL", `
		redis.call('XGROUP', 'CREATE', KEYS[1], 'g', '0')
		for i = 1, ARGV[1] + ARGV[2] do redis.call('XADD', KEYS[1], '*', 'payload', 'crowd') end
		for _, e in ipairs(redis.call('XREADGROUP', 'GROUP', 'g', '7-other', 'COUNT', ARGV[1] + 0, 'STREAMS', KEYS[1], '>')[1][2]) do
			redis.call('ZADD', KEYS[2], ARGV[3], e[1])
		end
		if ARGV[2] + 0 > 0 then redis.call('XREADGROUP', 'GROUP', 'g', '8-other', 'COUNT', ARGV[2] + 0, 'STREAMS', KEYS[1], '>') end`,
		2, q.name, q.key("due:g"), delayed, held, time.Now().Add(24*time.Hour).UnixMilli())
}

// TestBounded: however many entries are delayed or held, by whatever version, each poll
// looks at some of them alone; what is ready is found all the same, and so is the worker's
// end.
func TestBounded(t *testing.T) {
	server := servers.StartRedis(t, "appendonly no")
	const crowd = 50_000
	for name, tt := range map[string]struct{ delayed, held int }{
		"delayed": {crowd, 0}, "held": {1, crowd}, "both": {crowd, crowd},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(t, server)
			q.crowd(t, tt.delayed, tt.held)
			time.Sleep(20 * time.Millisecond) // the delayed are idle for longer than some lease
			lease := map[bool]time.Duration{true: 10 * time.Millisecond, false: time.Hour}[tt.held == 0]
			s := open(t, q.url, task.Options{Index: 1, RunID: "a", Lease: lease, MaxAttempts: 3})
			var got *task.Task
			step := func(what string, most int, do func() error) {
				t.Helper()
				if n := server.Asked(t, func() {
					if err := do(); err != nil {
						t.Fatal(err)
					}
				}); n > most {
					t.Errorf("%s: the server was asked for %d entries, more than %d", what, n, most)
				}
			}
			takes := func() (err error) { got, err = s.Take(t.Context()); return err }
			more := true
			looks := func() (err error) { more, err = s.Unfinished(t.Context()); return err }
			polls := 0
			for ; more; polls++ {
				step("take", mostTaken, takes)
				if got != nil {
					t.Fatalf("took %+v", got)
				}
				step("unfinished", mostLooked, looks)
			}
			if want := (tt.delayed+tt.held)/1000 + 1; polls > want {
				t.Errorf("the worker ended after %d polls, want %d", polls, want)
			}
			q.Fill(t, []byte("fresh"))
			step("take a new one", mostTaken, takes)
			fresh := got
			if fresh == nil || string(fresh.Payload) != "fresh" {
				t.Fatalf("took %+v", got)
			}
			step("keep", mostTaken, func() error { return s.Keep(t.Context(), fresh) })
			step("unfinished", mostLooked, looks)
			if !more {
				t.Error("its own task isn't unfinished")
			}
			step("give back", mostTaken, func() error { return s.Release(t.Context(), fresh) })
			step("take what was given back", mostTaken, takes)
			if got == nil || got.ID != fresh.ID {
				t.Fatalf("took %+v", got)
			}
			step("done", mostTaken, func() error { return s.Done(t.Context(), got) })
		})
	}
}

// TestBoundedExpired: in the crowd, the one whose lease ended is found at once by who
// keeps to the sorted sets, and within a bounded number of takes also where nobody noted
// it: another consumer had it, or an older version.
func TestBoundedExpired(t *testing.T) {
	server := servers.StartRedis(t, "appendonly no")
	const crowd = 20_000
	for name, tt := range map[string]struct {
		forget bool
		polls  int
	}{"noted": {false, 1}, "not noted": {true, crowd/100 + 2}} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(t, server)
			q.crowd(t, crowd, 0)
			q.Fill(t, []byte("left"))
			died := open(t, q.url, task.Options{Index: 3, RunID: "a", Lease: 10 * time.Millisecond})
			left := take(t, died)
			if tt.forget {
				server.Do(t, "DEL", q.key("lease:g"), q.key("owner:g"))
			}
			time.Sleep(20 * time.Millisecond)
			back := open(t, q.url, task.Options{Index: 3, RunID: "b", Lease: 10 * time.Millisecond})
			if more, err := back.Unfinished(t.Context()); !more || err != nil {
				t.Errorf("whose worker died isn't unfinished for the next one: %v", err)
			}
			for poll := 1; ; poll++ {
				got, err := back.Take(t.Context())
				if err != nil || poll > tt.polls {
					t.Fatalf("not found in %d takes, %v", poll, err)
				}
				if more, err := back.Unfinished(t.Context()); !more || err != nil {
					t.Fatalf("the worker would have ended at poll %d, %v", poll, err)
				}
				if got == nil {
					continue
				}
				if got.ID != left.ID || got.Attempt != 2 {
					t.Errorf("took %+v", got)
				}
				break
			}
		})
	}
}

// TestBoundedAgain: a worker that gave back very many asks for the one whose answer was
// lost without going through them.
func TestBoundedAgain(t *testing.T) {
	server := servers.StartRedis(t, "appendonly no")
	q := newQueue(t, server)
	p := servers.StartLossy(t, server.Address)
	s := open(t, strings.Replace(q.url, server.Address, p.Addr().String(), 1), task.Options{RunID: "a", Lease: time.Minute})
	const many = 300
	for i := range many {
		q.Fill(t, fmt.Append(nil, "task ", i))
		if _, err := s.Fail(t.Context(), take(t, s), task.Failure{After: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	q.Fill(t, []byte("x"))
	var got *task.Task
	if n := server.Asked(t, func() {
		for p.Lose.Store(2); got == nil; {
			got, _ = s.Take(t.Context())
		}
	}); n > 3*mostTaken {
		t.Errorf("the server was asked for %d entries", n)
	}
	if string(got.Payload) != "x" || got.Attempt != 1 {
		t.Errorf("took %+v", got)
	}
}
