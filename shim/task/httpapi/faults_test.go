package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

// behind opens a worker on a queue of the tests' API behind a proxy that misbehaves.
func behind(t *testing.T, decide func(n int, r *http.Request) servers.Action, payloads ...string) (task.Source, *servers.TasksAPI, *servers.Fault) {
	t.Helper()
	api := servers.StartTasksAPI(t)
	api.Queue("q")
	for _, p := range payloads {
		api.Fill("q", []byte(p))
	}
	fault := servers.StartFault(t, api.Address, decide)
	return mustOpen(t, settings(fault.Listener.Addr().String(), "q", 0), task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 3}), api, fault
}

// only does something to the requests of these numbers.
func only(action servers.Action, numbers ...int) func(int, *http.Request) servers.Action {
	return func(n int, _ *http.Request) servers.Action {
		for _, i := range numbers {
			if i == n {
				return action
			}
		}
		return nil
	}
}

// TestLostTake: a task that was taken and whose answer didn't come is the next one, and
// no attempt is gone.
func TestLostTake(t *testing.T) {
	for name, action := range map[string]servers.Action{
		"lost": servers.LoseReply, "cut short": servers.Truncate,
		"a gateway's": func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
			servers.Handle(f, r)
			w.WriteHeader(http.StatusGatewayTimeout)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var keys []string
			s, api, _ := behind(t, func(n int, r *http.Request) servers.Action {
				keys = append(keys, r.Header.Get("Idempotency-Key"))
				return only(action, 0, 1)(n, r)
			}, "one", "two")
			for range 2 {
				if got, err := s.Take(t.Context()); got != nil || outcome(err) != "unreachable" {
					t.Fatalf("took %+v, %v", got, err)
				}
			}
			got, err := s.Take(t.Context())
			if err != nil || string(got.Payload) != "one" || got.Attempt != 1 {
				t.Fatalf("took %+v, %v", got, err)
			}
			if next, err := s.Take(t.Context()); err != nil || string(next.Payload) != "two" {
				t.Fatalf("then took %+v, %v", next, err)
			}
			if keys[0] == "" || keys[0] != keys[1] || keys[1] != keys[2] || keys[2] == keys[3] {
				t.Errorf("the keys were %v", keys)
			}
			if err := s.Done(t.Context(), got); err != nil || len(api.In("q", "done")) != 1 {
				t.Errorf("done: %v", err)
			}
		})
	}
}

// TestStaleKey: what a lost answer told of isn't asked for again when others may have it.
func TestStaleKey(t *testing.T) {
	api := servers.StartTasksAPI(t)
	api.Queue("q")
	api.Fill("q", []byte("one"))
	fault := servers.StartFault(t, api.Address, only(servers.LoseReply, 0))
	const lease = 500 * time.Millisecond
	s := mustOpen(t, settings(fault.Listener.Addr().String(), "q", 0), task.Options{RunID: "a", Lease: lease})
	if _, err := s.Take(t.Context()); outcome(err) != "unreachable" {
		t.Fatal(err)
	}
	time.Sleep(lease + 100*time.Millisecond)
	got, err := s.Take(t.Context())
	if err != nil || got == nil || got.Attempt != 2 {
		t.Fatalf("took %+v, %v; the first lease is over", got, err)
	}
	if err := s.Done(t.Context(), got); err != nil {
		t.Error(err)
	}
}

// again makes a call until it is answered. Net/http itself repeats one that has an
// Idempotency-Key, if its connection was an old one.
func again(t testing.TB, call func() error) {
	t.Helper()
	for range 100 {
		switch err := call(); {
		case err == nil:
			return
		case outcome(err) != "unreachable":
			t.Errorf("again: %v", err)
			return
		}
	}
	t.Error("again and again")
}

// everySecond does something to each second request that ends so, from the first on.
func everySecond(action servers.Action, path string) func(int, *http.Request) servers.Action {
	seen := 0
	return func(_ int, r *http.Request) servers.Action {
		if !strings.HasSuffix(r.URL.Path, path) {
			return nil
		}
		seen++
		return map[bool]servers.Action{true: action}[seen%2 == 1]
	}
}

// TestLostAnswers: each of the calls on a task is made again after its answer was lost,
// and does no harm.
func TestLostAnswers(t *testing.T) {
	for name, action := range map[string]servers.Action{"lost": servers.LoseReply, "cut short": servers.Truncate} {
		t.Run(name, func(t *testing.T) {
			s, api, fault := behind(t, everySecond(action, "/fail"), "x")
			ctx := t.Context()
			take := func(attempt int) *task.Task {
				t.Helper()
				got, err := s.Take(ctx)
				if err != nil || got == nil || got.Attempt != attempt {
					t.Fatalf("took %+v, %v", got, err)
				}
				return got
			}
			fail := func(one *task.Task) (dead bool) {
				again(t, func() (err error) {
					dead, err = s.Fail(ctx, one, task.Failure{Reason: "bad"})
					return err
				})
				return dead
			}
			if fail(take(1)) {
				t.Error("it is dead after an attempt")
			}
			two := take(2)
			again(t, func() error { return s.Release(ctx, two) })
			if fail(take(2)) { // what was released doesn't count
				t.Error("it is dead after two attempts")
			}
			if !fail(take(3)) || len(api.In("q", "dead")) != 1 {
				t.Error("it isn't dead after three attempts")
			}
			if n := len(fault.Requests()); n != 12 { // four times taken, and given back at the second try
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestLostDone: a task that was done and whose answer was lost is gone when it is done
// again.
func TestLostDone(t *testing.T) {
	s, api, fault := behind(t, everySecond(servers.LoseReply, "/done"), "x")
	got, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again(t, func() error { return s.Done(t.Context(), got) })
	if n := len(fault.Requests()); n != 3 || len(api.In("q", "done")) != 1 {
		t.Errorf("%d requests, and %d are done", n, len(api.In("q", "done")))
	}
}

// TestStalled: an API that never answers, or never ends its answer, holds a call up to
// its deadline.
func TestStalled(t *testing.T) {
	for name, action := range map[string]servers.Action{
		"no answer": servers.Stall,
		"half of one": func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"id": 7, "dead": `))
			w.(http.Flusher).Flush()
			servers.Stall(f, w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, _ := behind(t, func(int, *http.Request) servers.Action { return action })
			for _, c := range calls {
				if name != "no answer" && (c.name == "keep" || c.name == "done") {
					continue // the status tells
				}
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				err := c.call(ctx, s)
				cancel()
				e, ok := errors.AsType[*contract.Error](err)
				if !ok || e.Kind != contract.Unreachable || !errors.Is(err, context.DeadlineExceeded) || e.Hint != "no answer in time" {
					t.Errorf("%s: %v", c.name, err)
				}
			}
		})
	}
}

// TestSlow: an answer that comes a byte at a time is an answer.
func TestSlow(t *testing.T) {
	s, _ := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		for _, b := range []byte(`{"id": 7, "payload": "slow"}`) {
			_, _ = w.Write([]byte{b})
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	if got, err := s.Take(t.Context()); err != nil || string(got.Payload) != "slow" {
		t.Errorf("took %+v, %v", got, err)
	}
}

// TestServerGone: a server that goes away and comes back finds its worker as it was.
func TestServerGone(t *testing.T) {
	s, api, _ := behind(t, nil, "x")
	direct := mustOpen(t, settings(api.Address, "q", 0), task.Options{RunID: "a", Lease: time.Minute})
	got, err := s.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	api.Stop()
	for _, source := range []task.Source{s, direct} {
		for what, err := range map[string]error{"keep": source.Keep(t.Context(), got), "done": source.Done(t.Context(), got)} {
			if outcome(err) != "unreachable" {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	if err := api.Start(); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.Keep(t.Context(), got), direct.Keep(t.Context(), got), s.Done(t.Context(), got)} {
		if err != nil {
			t.Error(err)
		}
	}
}

// TestManyFaults: eight workers, and of each ten answers one lost, one cut short, and
// one request that never arrived: every task is done, and no delivery was for nothing.
func TestManyFaults(t *testing.T) {
	const tasks, workers = 300, 8
	api := servers.StartTasksAPI(t)
	api.Queue("q")
	var want []string
	for i := range tasks {
		want = append(want, fmt.Sprint("task ", i))
		api.Fill("q", []byte(want[i]))
	}
	actions := map[int]servers.Action{3: servers.LoseReply, 5: servers.Truncate, 8: servers.Reset}
	fault := servers.StartFault(t, api.Address, func(n int, _ *http.Request) servers.Action { return actions[n%10] })
	var mu sync.Mutex
	got := map[string]int{}
	var group sync.WaitGroup
	for w := range int64(workers) {
		s := mustOpen(t, settings(fault.Listener.Addr().String(), "q", w), task.Options{Index: w, RunID: fmt.Sprint("run-", w), Lease: time.Minute})
		group.Go(func() {
			for {
				var one *task.Task
				again(t, func() (err error) { one, err = s.Take(context.Background()); return err })
				if one == nil {
					return
				}
				mu.Lock()
				got[string(one.Payload)] += one.Attempt
				mu.Unlock()
				again(t, func() error { return s.Done(context.Background(), one) })
			}
		})
	}
	group.Wait()
	expected := map[string]int{}
	for _, p := range want {
		expected[p] = 1
	}
	if diff := cmp.Diff(expected, got); diff != "" || len(api.In("q", "done")) != tasks {
		t.Errorf("%d are done; deliveries (-want +got):\n%s", len(api.In("q", "done")), diff)
	}
}
