package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/redis"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// TestLostReplies: whatever is asked again after its answer was lost, by the source
// itself or by its caller, has happened once.
func TestLostReplies(t *testing.T) {
	server := servers.StartRedis(t)
	for _, lost := range []int64{1, 2, 3} {
		for _, tt := range []struct {
			end        string
			left, dead int
		}{{"done", 0, 0}, {"release", 1, 0}, {"fail", 1, 0}, {"dead", 0, 1}} {
			t.Run(fmt.Sprint(tt.end, " ", lost), func(t *testing.T) {
				q := newQueue(server)
				p := servers.StartLossy(t, server.Address)
				address := strings.Replace(q.url, server.Address, p.Addr().String(), 1)
				attempts := map[string]int{"dead": 2}[tt.end]
				s := open(t, address, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: attempts})
				// again calls until there is an answer.
				again := func(f func() error) {
					t.Helper()
					p.Lose.Store(lost)
					err := f()
					for try := int64(0); err != nil; err = f() {
						if try++; try > lost || kind(err) != contract.Unreachable {
							t.Fatalf("try %d: %v", try, err)
						}
					}
					if p.Lose.Load() >= 0 {
						t.Error("no answer was lost")
					}
				}
				if _, err := s.Take(t.Context()); err != nil { // the scripts are known from here on
					t.Fatal(err)
				}
				q.Fill(t, []byte("x"), []byte("y"))
				var got *task.Task
				for attempt := 1; attempt <= 2; attempt++ {
					again(func() (err error) { got, err = s.Take(t.Context()); return err })
					if got == nil || string(got.Payload) != "x" || got.Attempt != attempt {
						t.Fatalf("took %+v", got)
					}
					again(func() error { return s.Keep(t.Context(), got) })
					if attempt == 2 {
						break
					}
					again(func() error { _, err := s.Fail(t.Context(), got, task.Failure{}); return err })
				}
				dead := false
				again(func() (err error) {
					switch tt.end {
					case "done":
						err = s.Done(t.Context(), got)
					case "release":
						err = s.Release(t.Context(), got)
					default:
						dead, err = s.Fail(t.Context(), got, task.Failure{})
					}
					return err
				})
				if got := (state{q.Left(t) - 1, len(q.Dead(t)), dead}); got != (state{tt.left, tt.dead, tt.dead == 1}) {
					t.Errorf("in the end %+v", got)
				}
				if _, err := s.Fail(t.Context(), &task.Task{ID: got.ID, Receipt: "another's"}, task.Failure{}); !errors.Is(err, task.ErrLost) {
					t.Errorf("another delivery's failure: %v", err)
				}
			})
		}
	}
}

type state struct {
	left, dead int
	told       bool
}

// finish does what is left, and gives the payloads in order.
func finish(t *testing.T, s *redis.Source) (payloads []string) {
	t.Helper()
	for deadline := time.Now().Add(harness.Patience); time.Now().Before(deadline); {
		got, err := s.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got != nil {
			payloads = append(payloads, string(got.Payload))
			if err := s.Done(t.Context(), got); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if more, err := s.Unfinished(t.Context()); err != nil {
			t.Fatal(err)
		} else if !more {
			return payloads
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("there is no end")
	return nil
}

// TestPaused: a server that doesn't answer is unreachable, what was asked of it may
// happen late, and nothing is lost or done twice.
func TestPaused(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(server)
	s := newSource(t, q.url)
	q.Fill(t, []byte("one"), []byte("two"), []byte("three"))
	one, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unreachable := func(what string, f func(context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := f(ctx); kind(err) != contract.Unreachable {
			t.Errorf("%s: %v", what, err)
		}
	}
	resume := server.Pause(t)
	unreachable("keep", func(ctx context.Context) error { return s.Keep(ctx, one) })
	unreachable("unfinished", func(ctx context.Context) error { _, err := s.Unfinished(ctx); return err })
	unreachable("done", func(ctx context.Context) error { return s.Done(ctx, one) })
	resume()
	if err := s.Done(t.Context(), one); err != nil {
		t.Errorf("done: %v", err)
	}
	resume = server.Pause(t)
	for range 3 {
		unreachable("take", func(ctx context.Context) error { _, err := s.Take(ctx); return err })
	}
	resume()
	done := map[string]int{}
	for _, p := range finish(t, s) {
		done[p]++
	}
	if diff := cmp.Diff(map[string]int{"two": 1, "three": 1}, done); diff != "" || q.Left(t) != 0 {
		t.Errorf("%d left, done (-want +got):\n%s", q.Left(t), diff)
	}
}

// TestRestart: a server that was away has its leases, and not its scripts.
func TestRestart(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(server)
	s := newSource(t, q.url)
	q.Fill(t, []byte("one"), []byte("two"))
	one, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if err := s.Keep(t.Context(), one); kind(err) != contract.Unreachable {
		t.Errorf("keep: %v", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	server.Ready(t)
	if err := s.Keep(t.Context(), one); err != nil {
		t.Errorf("keep: %v", err)
	}
	if err := s.Done(t.Context(), one); err != nil {
		t.Errorf("done: %v", err)
	}
	if diff := cmp.Diff([]string{"two"}, finish(t, s)); diff != "" || q.Left(t) != 0 {
		t.Errorf("%d left, done (-want +got):\n%s", q.Left(t), diff)
	}
}

// TestIdleConnection: one that was closed while the command ran is no error.
func TestIdleConnection(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(server)
	s := newSource(t, q.url)
	q.Fill(t, []byte("one"))
	for _, f := range []func() error{
		func() error { return s.Keep(t.Context(), &task.Task{}) },
		func() error { _, err := s.Take(t.Context()); return err },
		func() error { _, err := s.Unfinished(t.Context()); return err },
	} {
		if err := f(); err != nil && !errors.Is(err, task.ErrLost) {
			t.Error(err)
		}
		server.Do(t, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	}
}

// TestFailover: a take that the new master has never heard of isn't this worker's any
// more, and the task is there again.
func TestFailover(t *testing.T) {
	master := servers.StartRedis(t)
	replica := servers.StartRedis(t, "replicaof "+strings.Replace(master.Address, ":", " ", 1))
	q := newQueue(master)
	p := servers.StartLossy(t, master.Address)
	s := newSource(t, strings.Replace(q.url, master.Address, p.Addr().String(), 1))
	q.Fill(t, []byte("one"))
	for deadline := time.Now().Add(harness.Patience); fmt.Sprint(replica.Do(t, "LLEN", q.name)) != "1"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is replicated")
		}
	}
	replica.Do(t, "REPLICAOF", "127.0.0.1", 1) // it hears of nothing more
	one, err := s.Take(t.Context())
	if err != nil || one == nil {
		t.Fatal(one, err)
	}
	master.Stop()
	p.Backend.Store(&replica.Address)
	if err := s.Keep(t.Context(), one); kind(err) != contract.Unreachable || !strings.Contains(err.Error(), "READONLY") {
		t.Errorf("keep at a replica: %v", err)
	}
	replica.Do(t, "REPLICAOF", "NO", "ONE")
	if err := s.Keep(t.Context(), one); !errors.Is(err, task.ErrLost) {
		t.Errorf("keep: %v", err)
	}
	if err := s.Done(t.Context(), one); !errors.Is(err, task.ErrLost) {
		t.Errorf("done: %v", err)
	}
	q.server = replica
	if diff := cmp.Diff([]string{"one"}, finish(t, s)); diff != "" || q.Left(t) != 0 {
		t.Errorf("%d left, done (-want +got):\n%s", q.Left(t), diff)
	}
}
