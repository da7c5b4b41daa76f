package mysql

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// pipe copies between a client and a server.
func pipe(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
}

// proxy stands between nth and the server, and loses what it is told to.
type proxy struct {
	net.Listener
	server string

	mu       sync.Mutex
	requests int  // of queries to be lost, and their connections with them
	answers  int  // to queries
	early    bool // answers are lost as soon as they begin, with the server still at them
}

func startProxy(t testing.TB, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{Listener: l, server: server}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p
}

// serve answers a client one message at a time, as its protocol is.
func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	asked := make(chan bool, 100) // whether the answer is to be lost
	go func() {
		defer client.Close()
		defer server.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := client.Read(buf)
			if err != nil {
				return
			}
			query := n > 4 && buf[3] == 0 && buf[4] == 3 && !bytes.HasPrefix(buf[5:n], []byte("SET ")) // as a session begins
			p.mu.Lock()
			lost, deaf := query && p.requests > 0, false
			if lost {
				p.requests--
			} else if deaf = query && p.answers > 0; deaf {
				p.answers--
			}
			p.mu.Unlock()
			if lost {
				return
			}
			asked <- deaf
			if _, err := server.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	deaf := false
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		for more := true; more; {
			select {
			case d := <-asked:
				deaf = deaf || d
			default:
				more = false
			}
		}
		if deaf {
			p.finish(server)
			return
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// quit is a message with which a client takes leave.
var quit = []byte{1, 0, 0, 0, 1}

// finish waits until a server has done all that it was asked, for it hears the last message
// after that.
func (p *proxy) finish(server net.Conn) {
	p.mu.Lock()
	early := p.early
	p.mu.Unlock()
	if early {
		return
	}
	if _, err := server.Write(quit); err == nil {
		_, _ = io.Copy(io.Discard, server)
	}
}

// lose loses what is on its way the next times: a "request", of which nothing is done, an
// "answer" when all is done, or its "rest" while the server is at it.
func (p *proxy) lose(way string, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if way == "request" {
		p.requests = times
		return
	}
	p.answers, p.early = times, way == "rest"
}

// row is a task as it stands in the table.
type row struct {
	State   string
	Attempt int
	Run     string
}

func (q *queue) rows(t testing.TB) (all []row) {
	t.Helper()
	rows, err := q.server.DB.Query("SELECT state, attempt, coalesce(run_id, '') FROM " + q.table + " ORDER BY id")
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

// TestLost loses the connection on the way to the server, where nothing was done, and on
// the way back, where it was: once, which nobody notices, and twice, when the caller has to
// ask again. A task is done once, and its attempts are counted once.
func TestLost(t *testing.T) {
	server := servers.StartMariaDB(t)
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
		"release": {0, func(s task.Source, held *task.Task) (any, error) { return nil, s.Release(ctx, held) }, nil, row{"ready", 0, "a"}},
	}
	for _, way := range []string{"request", "answer"} {
		for _, times := range []int{1, 2} {
			for name, step := range steps {
				t.Run(fmt.Sprint(name, "/", way, " lost ", times), func(t *testing.T) {
					q, p := throughProxy(t, server)
					s := q.Open(t, ofRun("a", step.attempts))
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

// TestLostTake: what a take has taken whose answer was lost is given to who took it, and
// was delivered once.
func TestLostTake(t *testing.T) {
	server := servers.StartMariaDB(t)
	for _, way := range []string{"request", "answer", "rest"} {
		for _, times := range []int{1, 2} {
			t.Run(fmt.Sprint(way, " lost ", times), func(t *testing.T) {
				q, p := throughProxy(t, server)
				s, other := q.Open(t, ofRun("a", 0)), q.Open(t, ofRun("b", 0))
				if _, err := s.Unfinished(t.Context()); err != nil {
					t.Fatal(err)
				}
				p.lose(way, times)
				got, err := s.Take(t.Context())
				if times == 2 && kind(err) != contract.Unreachable {
					t.Errorf("with the connection lost: %v", err)
				}
				if got == nil { // nor does it leave while the server is still at it
					stays(t, s)
					harness.Await(t, func() bool { got, err = s.Take(t.Context()); return got != nil || err != nil }, func() string { return "the task isn't given" })
				}
				if err != nil || got.Attempt != 1 {
					t.Fatalf("took %+v, %v", got, err)
				}
				if more, err := other.Take(t.Context()); more != nil || err != nil {
					t.Errorf("another took %+v, %v", more, err)
				}
				if err := s.Done(t.Context(), got); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff([]row{{"done", 1, "a"}}, q.rows(t)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func stays(t testing.TB, s task.Source) {
	t.Helper()
	if left, err := s.Unfinished(t.Context()); !left || err != nil {
		t.Errorf("unfinished: %v, %v", left, err)
	}
}

// throughProxy gives a queue of one task behind a proxy.
func throughProxy(t testing.TB, server *servers.MariaDB) (*queue, *proxy) {
	q, p := newQueue(t, server), startProxy(t, server.Address)
	q.address = func(more string) string {
		return fmt.Sprintf("mysql://%s@%s/work?ssl-mode=DISABLED%s", servers.MariaDBUser, p.Addr(), more)
	}
	q.Fill(t, []byte("x"))
	return q, p
}

func ofRun(run string, attempts int) task.Options {
	return task.Options{RunID: run, Lease: time.Minute, MaxAttempts: attempts, Getenv: servers.Getenv([]string{"MYSQL_PWD=" + servers.MariaDBPassword})}
}
