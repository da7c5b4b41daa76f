package rabbitmq_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/rabbitmq"
	"nth/testdata/harness"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// taken waits for a task.
func taken(t testing.TB, s task.Source) (got *task.Task) {
	t.Helper()
	harness.Await(t, func() bool {
		var err error
		got, err = s.Take(context.Background())
		must(t, err)
		return got != nil
	}, func() string { return "there is no task to take" })
	return got
}

// TestComesBack: a worker that comes back into an empty queue stays until the server must
// have noticed the death of the one before; then it has its task.
func TestComesBack(t *testing.T) {
	t.Parallel()
	q := newQueue(t, true)
	o := task.Options{Lease: 2 * time.Second}
	died := open(t, q.url, o)
	q.Fill(t, []byte("x"))
	_ = taken(t, died) // and says no more
	o.RunID = "b"
	back := open(t, q.url, o)
	if more, err := back.Unfinished(t.Context()); !more || err != nil {
		t.Fatalf("it leaves: %v", err)
	}
	var got *task.Task
	harness.Await(t, func() bool {
		var err error
		got, err = back.Take(t.Context())
		must(t, err)
		more, err := back.Unfinished(t.Context())
		if must(t, err); got == nil && !more {
			t.Fatal("it has left before the task came back")
		}
		return got != nil
	}, func() string { return "the task doesn't come back" })
	must(t, back.Done(t.Context(), got))
	harness.Await(t, func() bool {
		more, err := back.Unfinished(t.Context())
		must(t, err)
		return !more
	}, func() string { return "it doesn't leave" })
}

// TestPutAside: what was put aside is what was published, but for what would put it elsewhere,
// too, or away.
func TestPutAside(t *testing.T) {
	t.Parallel()
	q := newQueue(t, false)
	s := q.Open(t, task.Options{Lease: time.Minute, MaxAttempts: 1})
	big := strings.Repeat("h", 130_500)
	long := strings.Repeat("why ", 1000)
	for _, headers := range []amqp.Table{
		nil,
		{"n": int64(-7), "list": []any{"a", int32(1)}, "table": amqp.Table{"a": "b", "t": true}, "CC": []any{"nowhere"}, "x-nth-attempts": "not a number"},
		{"big": big}, // with the reason it is more than goes into a frame
	} {
		sent := amqp.Publishing{Headers: headers, MessageId: "m", ContentType: "a/b", ContentEncoding: "gzip", DeliveryMode: amqp.Persistent, Priority: 3, CorrelationId: "c",
			ReplyTo: "r", Expiration: "600000", Timestamp: time.Unix(1e9, 0), Type: "ty", UserId: "nth", AppId: "app", Body: []byte("body")}
		q.server.Publish(t, q.name, sent)
		got := taken(t, s)
		for name, want := range map[string]string{"priority": "3", "timestamp": "1000000000", "type": "ty", "routing_key": q.name, "content_encoding": "gzip"} {
			if got.Meta[name] != want {
				t.Errorf("%s is %q, want %q", name, got.Meta[name], want)
			}
		}
		if headers["n"] != nil && got.Meta["n"] != "-7" || got.Attempt != 1 {
			t.Errorf("took %+v", got)
		}
		if dead, err := s.Fail(t.Context(), got, task.Failure{Reason: long + "\xff"}); !dead || err != nil {
			t.Fatalf("put aside: %v, %v", dead, err)
		}
		all := q.server.All(t, q.dead())
		if len(all) != 1 {
			t.Fatalf("%d are dead", len(all))
		}
		d := all[0]
		is := amqp.Publishing{Headers: d.Headers, MessageId: d.MessageId, ContentType: d.ContentType, ContentEncoding: d.ContentEncoding, DeliveryMode: d.DeliveryMode,
			Priority: d.Priority, CorrelationId: d.CorrelationId, ReplyTo: d.ReplyTo, Timestamp: d.Timestamp, Type: d.Type, AppId: d.AppId, Expiration: d.Expiration, UserId: d.UserId, Body: d.Body}
		want := sent
		want.Expiration, want.UserId = "", ""
		want.Headers = amqp.Table{"x-nth-failure": long[:1024]}
		for k, v := range sent.Headers {
			if k != "CC" && k != "x-nth-attempts" && k != "big" {
				want.Headers[k] = v
			}
		}
		if diff := cmp.Diff(want, is); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		q.server.Purge(t, q.dead())
	}
}

// TestRests: a task that failed is held until its pause is over, while its worker has another
// one; that it then goes back takes nothing from that one.
func TestRests(t *testing.T) {
	t.Parallel()
	const pause = 5 * time.Second      // in which the next one is taken
	for _, most := range []int{0, 9} { // counted by the queue, and by nth
		q := newQueue(t, false)
		s, other := q.Open(t, task.Options{Lease: time.Minute, MaxAttempts: most}), q.Open(t, task.Options{Lease: time.Minute, RunID: "b", MaxAttempts: most})
		q.Fill(t, []byte("bad"))
		for attempt := 1; attempt <= 4; attempt++ {
			got := taken(t, s)
			if want := map[int]int{0: min(attempt, 2), 9: attempt}[most]; got.Attempt != want {
				t.Errorf("attempt %d, want %d", got.Attempt, want)
			}
			_, err := s.Fail(t.Context(), got, task.Failure{After: time.Millisecond})
			must(t, err)
		}
		got := taken(t, s)
		q.Fill(t, []byte("good")) // before, for it takes its time
		failed := time.Now()
		_, err := s.Fail(t.Context(), got, task.Failure{After: pause})
		must(t, err)
		good := taken(t, s)
		if string(good.Payload) != "good" {
			t.Fatalf("took %+v", good)
		}
		var back *task.Task
		harness.Await(t, func() bool {
			must(t, s.Keep(t.Context(), good))
			if back == nil {
				back, err = other.Take(t.Context())
				must(t, err)
			}
			return back != nil
		}, func() string { return "it doesn't come back" })
		if time.Since(failed) < pause {
			t.Error("it has come before its time")
		}
		if string(back.Payload) != "bad" || back.ID != got.ID {
			t.Errorf("took %+v", back)
		}
		must(t, other.Done(t.Context(), back))
		must(t, s.Done(t.Context(), good))
		if n := q.Left(t); n != 0 {
			t.Errorf("%d are left", n)
		}
	}
}

// TestNameless: the first message without a name is refused, and given back; one among others
// fails by itself; with --task-id they have one.
func TestNameless(t *testing.T) {
	t.Parallel()
	q := newQueue(t, false)
	q.server.Publish(t, q.name, amqp.Publishing{Body: []byte("x")})
	_, err := q.Open(t, task.Options{Lease: time.Minute}).Take(t.Context())
	if e, ok := errors.AsType[*contract.Error](err); !ok || e.Kind != contract.Refused || !strings.Contains(e.Hint, "--task-id") {
		t.Fatalf("%v", err)
	}
	named := q.Open(t, task.Options{Lease: time.Minute, NamesTasks: true})
	got := taken(t, named)
	if got.Broken != nil || got.ID == "" || string(got.Payload) != "x" {
		t.Errorf("took %+v", got)
	}
	must(t, named.Release(t.Context(), got))
	q.Fill(t, []byte("named"))
	must(t, named.Close())
	s := q.Open(t, task.Options{Lease: time.Minute, RunID: "c"})
	if _, err := s.Take(t.Context()); err == nil { // the nameless one came first again
		t.Error("it is taken")
	}
	q.server.Purge(t, q.name)
	q.Fill(t, []byte("named"))
	must(t, s.Done(t.Context(), taken(t, s)))
	q.server.Publish(t, q.name, amqp.Publishing{Body: []byte("x")})
	if got := taken(t, s); got.Broken == nil {
		t.Errorf("took %+v", got)
	}
}

// TestLate: an answer that comes when nobody waits for it any more is no other call's, the
// task is still held, and what was told is told once.
func TestLate(t *testing.T) {
	t.Parallel()
	q := newQueue(t, true)
	q.Fill(t, []byte("a"), []byte("b"))
	slow := newSlow(t, q.server.Address)
	s := open(t, strings.Replace(q.url, q.server.Address, slow.Addr().String(), 1)+"&settle=0s", task.Options{Lease: 10 * time.Minute})
	for range 2 {
		got := taken(t, s)
		if connection, _, _ := strings.Cut(got.Receipt, "-"); connection != "1" {
			t.Errorf("the connection was given up: it is number %s", connection)
		}
		letGo := slow.hold()
		for _, do := range []func(context.Context, *task.Task) error{s.Keep, s.Keep, s.Done, s.Done} {
			// Nobody waits any more once it was asked: by the clock it might not have been.
			ctx, cancel := context.WithCancel(t.Context())
			slow.onAsked(cancel)
			if err := do(ctx, got); err == nil || errors.Is(err, task.ErrLost) {
				t.Fatalf("without an answer: %v", err)
			}
			cancel()
		}
		letGo()
		must(t, s.Done(t.Context(), got))
	}
	if more, err := s.Unfinished(t.Context()); more || err != nil {
		t.Errorf("%v, %v", more, err)
	}
	if n := q.Left(t); n != 0 {
		t.Errorf("%d are left", n)
	}
}

// slow passes on what a server says when it may.
type slow struct {
	net.Listener
	gate  chan struct{} // holds one word while answers are let through
	asked atomic.Pointer[func()]
}

// onAsked has f called when the server is asked next.
func (s *slow) onAsked(f func()) { s.asked.Store(&f) }

func newSlow(t *testing.T, server string) *slow {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &slow{Listener: l, gate: make(chan struct{}, 1)}
	s.gate <- struct{}{}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", server)
			if err != nil {
				return
			}
			go func() {
				defer there.Close()
				for b := make([]byte, 1<<16); ; {
					n, err := client.Read(b)
					if _, broken := there.Write(b[:n]); broken != nil || err != nil {
						return
					}
					if f := s.asked.Swap(nil); f != nil {
						(*f)()
					}
				}
			}()
			go func() {
				for b := make([]byte, 1<<16); ; {
					n, err := there.Read(b)
					<-s.gate
					s.gate <- struct{}{}
					if _, broken := client.Write(b[:n]); broken != nil || err != nil {
						client.Close()
						return
					}
				}
			}()
		}
	}()
	return s
}

func (s *slow) hold() (letGo func()) {
	<-s.gate
	return func() { s.gate <- struct{}{} }
}

// TestURL: what a URL says; no error tells any of it.
func TestURL(t *testing.T) {
	for _, tt := range []struct{ url, name, wrong string }{
		{"amqp://h?queue=q", "/?queue=q", ""},
		{"amqp://h/?queue=q", "/?queue=q", ""},
		{"amqps://u:p@h:1/%2f?queue=q", "/?queue=q", ""},
		{"amqp://h/a%2Fb?queue=q&dead=d&settle=3m", "a/b?queue=q", ""},
		{"amqp://u:canary@h/", "", "names no queue"},
		{"amqp://u:canary@h/?queue=", "", "1 to 255 bytes"},
		{"amqp://u:canary@h/?queue=" + strings.Repeat("q", 256), "", "1 to 255 bytes"},
		{"amqp://u:canary@h/?queue=q&dead=q", "", "the queue itself"},
		{"amqp://u:canary@h/?queue=q&settle=-1s", "", "such as 3m"},
		{"amqp://u:canary@h/?queue=q&heartbeat=60", "", "unknown parameter heartbeat"},
		{"amqp://u:canary%00@h/?queue=q", "", "NUL"},
		{"amqp://u:canary@h/" + strings.Repeat("v", 256) + "?queue=q", "", "255 bytes"},
	} {
		u, err := url.Parse(tt.url)
		must(t, err)
		s, err := rabbitmq.Open(u, task.Options{Lease: time.Minute})
		if tt.wrong != "" {
			if e, ok := errors.AsType[*contract.Error](err); !ok || e.Kind != contract.Invalid || !strings.Contains(e.Error(), tt.wrong) || strings.Contains(e.Error()+e.Hint, "canary") {
				t.Errorf("%s: %v", tt.url, err)
			}
			continue
		}
		if err != nil || rabbitmq.Name(u) != tt.name {
			t.Errorf("%s: %v, %s", tt.url, err, rabbitmq.Name(u))
		} else {
			_ = s.Close()
		}
	}
}
