package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

// kind gives an error's kind, -1 for none.
func kind(err error) contract.Kind {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e.Kind
	}
	return -1
}

// row is a task as it stands in the table.
type row struct {
	State   string
	Attempt int
	Run     string
}

func (q *queue) rows(t testing.TB) []row {
	t.Helper()
	return q.scan(t, "SELECT state, attempt, coalesce(run_id, '') FROM "+q.table+" ORDER BY id")
}

func (q *queue) scan(t testing.TB, query string) (all []row) {
	t.Helper()
	rows, err := q.server.DB.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.State, &r.Attempt, &r.Run); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// TestLost loses the connection on the way to the server, where nothing was done, and
// on the way back, where it was: once, which nobody notices, and twice, when the caller
// has to ask again. A task is done once, and its attempts are counted once.
func TestLost(t *testing.T) {
	server := servers.StartPostgres(t)
	ctx := t.Context()
	steps := map[string]struct {
		attempts int // that a task has
		do       func(s task.Source, held *task.Task) (any, error)
		answer   any
		want     row
	}{
		"keep": {0, func(s task.Source, held *task.Task) (any, error) { return nil, s.Keep(ctx, held) }, nil, row{"running", 1, "a"}},
		"done": {0, func(s task.Source, held *task.Task) (any, error) { return nil, s.Done(ctx, held) }, nil, row{"done", 1, "a"}},
		"fail": {0, func(s task.Source, held *task.Task) (any, error) { return s.Fail(ctx, held, task.Failure{Reason: "r"}) },
			false, row{"ready", 1, "a"}},
		"last fail": {1, func(s task.Source, held *task.Task) (any, error) { return s.Fail(ctx, held, task.Failure{Reason: "r"}) },
			true, row{"dead", 1, "a"}},
		"release":    {0, func(s task.Source, held *task.Task) (any, error) { return nil, s.Release(ctx, held) }, nil, row{"ready", 0, "a"}},
		"unfinished": {0, func(s task.Source, _ *task.Task) (any, error) { return s.Unfinished(ctx) }, true, row{"running", 1, "a"}},
	}
	for _, way := range []string{"request", "answer"} {
		for _, times := range []int{1, 2} {
			for name, step := range steps {
				t.Run(fmt.Sprint(name, "/", way, " lost ", times), func(t *testing.T) {
					q, p := throughProxy(t, server)
					q.Fill(t, []byte("x"))
					s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: step.attempts})
					held, err := s.Take(ctx)
					if held == nil || err != nil {
						t.Fatalf("took %v, %v", held, err)
					}
					p.lose(way, times)
					answer, err := step.do(s, held)
					if times == 2 {
						if kind(err) != contract.Unreachable {
							t.Errorf("with the connection lost: %v", err)
						}
						answer, err = step.do(s, held)
					}
					if answer != step.answer || err != nil {
						t.Errorf("got %v, %v; want %v", answer, err, step.answer)
					}
					if diff := cmp.Diff([]row{step.want}, q.rows(t)); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

func (p *proxy) lose(way string, times int) {
	if way == "request" {
		p.set(times, 0, false)
	} else {
		p.set(0, times, false)
	}
}

func throughProxy(t testing.TB, server *servers.Postgres) (*queue, *proxy) {
	q, p := newQueue(t, server), startProxy(t, server.Address)
	q.address = func(more string) string { return p.url(t, server.URL(more)) }
	return q, p
}

// TestLostTake: whose take got no answer gets that task, not a second one.
func TestLostTake(t *testing.T) {
	server := servers.StartPostgres(t)
	for _, way := range []string{"request", "answer"} {
		for _, times := range []int{1, 2} {
			for _, open := range []bool{false, true} { // whether a connection is
				t.Run(fmt.Sprint(way, " lost ", times, " open ", open), func(t *testing.T) {
					q, p := throughProxy(t, server)
					s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
					if open {
						if _, err := s.Unfinished(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					q.Fill(t, []byte("x"), []byte("y"), []byte("z"))
					p.lose(way, times)
					got, err := s.Take(t.Context())
					for kind(err) == contract.Unreachable {
						got, err = s.Take(t.Context())
					}
					if got == nil || string(got.Payload) != "x" || got.Attempt != 1 || err != nil {
						t.Errorf("took %+v, %v", got, err)
					}
					if diff := cmp.Diff([]row{{"running", 1, "a"}, {"ready", 0, ""}, {"ready", 0, ""}}, q.rows(t)); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

// TestSilence: a server that says nothing holds nobody longer than the caller wants,
// neither when connecting nor in a statement.
func TestSilence(t *testing.T) {
	server := servers.StartPostgres(t)
	for _, open := range []bool{false, true} {
		q, p := throughProxy(t, server)
		s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute})
		if open {
			if _, err := s.Unfinished(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		q.Fill(t, []byte("x"), []byte("y"))
		p.set(0, 0, true)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		got, err := s.Take(ctx)
		cancel()
		if got != nil || kind(err) != contract.Unreachable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("took %v, %v", got, err)
		}
		p.set(0, 0, false)
		if got, err := s.Take(t.Context()); err != nil || got == nil || string(got.Payload) != "x" || got.Attempt != 1 {
			t.Errorf("took %+v, %v", got, err)
		}
		if n := q.count(t, "state = 'running'"); n != 1 {
			t.Errorf("%d tasks are running", n)
		}
	}
}

// TestRestart: a task outlives the server and the pooler's sessions.
func TestRestart(t *testing.T) {
	server := servers.StartPostgres(t)
	bouncer := servers.StartPgBouncer(t, server)
	for name, address := range map[string]func(string) string{"server": server.URL, "pooler": bouncer.URL} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(t, server)
			q.address = address
			q.Fill(t, []byte("x"))
			s := q.Open(t, task.Options{RunID: "a", Lease: time.Minute})
			held, err := s.Take(t.Context())
			if held == nil || err != nil {
				t.Fatalf("took %v, %v", held, err)
			}
			server.Stop()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := s.Keep(ctx, held); kind(err) != contract.Unreachable {
				t.Errorf("keep without a server: %v", err)
			}
			server.Restart(t)
			for err = s.Keep(t.Context(), held); kind(err) == contract.Unreachable; err = s.Keep(t.Context(), held) {
				time.Sleep(50 * time.Millisecond)
			}
			if err != nil {
				t.Errorf("keep: %v", err)
			}
			if err := s.Done(t.Context(), held); err != nil {
				t.Errorf("done: %v", err)
			}
			if diff := cmp.Diff([]row{{"done", 1, "a"}}, q.rows(t)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
