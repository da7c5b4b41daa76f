package sqs

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func wantKind(t testing.TB, what string, err error, want contract.Kind) {
	t.Helper()
	if e, ok := errors.AsType[*contract.Error](err); !ok || e.Kind != want {
		t.Errorf("%s: %v; want kind %d", what, err, want)
	}
}

// worker has a lease that is longer than any test, so that it has lost nothing yet.
var worker = task.Options{RunID: "a", Lease: time.Hour, MaxAttempts: 3}

func take(t testing.TB, s *source) *task.Task {
	t.Helper()
	got, err := s.Take(t.Context())
	must(t, "take", err)
	if got == nil {
		t.Fatal("there is no task to take")
	}
	return got
}

func none(t testing.TB, s *source) {
	t.Helper()
	if got, err := s.Take(t.Context()); got != nil || err != nil {
		t.Fatalf("took %+v, %v", got, err)
	}
}

// TestGroups: of a FIFO group one task is out at a time, and they come in order, also
// after one has failed; other groups don't wait for it.
func TestGroups(t *testing.T) {
	server := servers.StartSQS(t)
	q := newQueue(t, server, fifo, true)
	for _, m := range [][2]string{{"one", "a"}, {"two", "a"}, {"three", "b"}} {
		server.Send(t, q.name, m[0], map[string]any{"MessageGroupId": m[1], "MessageDeduplicationId": m[0]})
	}
	first, second := q.open(t, worker), q.open(t, worker)
	one, three := take(t, first), take(t, second)
	if string(one.Payload) != "one" || string(three.Payload) != "three" || one.Meta[attributeGroup] != "a" || three.Meta[attributeGroup] != "b" {
		t.Errorf("took %+v and %+v", one, three)
	}
	must(t, "done", second.Done(t.Context(), three))
	none(t, second) // "two" waits for "one"
	_, err := first.Fail(t.Context(), one, task.Failure{})
	must(t, "fail", err)
	again := take(t, second)
	if again.ID != one.ID || again.Attempt != 2 {
		t.Errorf("after a failure: %+v", again)
	}
	must(t, "done", second.Done(t.Context(), again))
	if two := take(t, first); string(two.Payload) != "two" {
		t.Errorf("took %+v", two)
	}
}

// TestMeta: what the sender and SQS say of a task.
func TestMeta(t *testing.T) {
	server := servers.StartSQS(t)
	q := newQueue(t, server, "", true)
	server.Send(t, q.name, "x", map[string]any{"MessageAttributes": map[string]any{
		"size": map[string]string{"DataType": "Number", "StringValue": "7"}, "raw": map[string]string{"DataType": "Binary", "BinaryValue": "AAH/"}}})
	got := take(t, q.open(t, worker))
	if got.Meta[attributeSent] == "" || got.Attempt != 1 {
		t.Errorf("took %+v", got)
	}
	delete(got.Meta, attributeSent)
	if diff := cmp.Diff(map[string]string{"size": "7", "raw": "AAH/"}, got.Meta); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLargest: a message of 1 MiB, whose bytes all need escaping.
func TestLargest(t *testing.T) {
	server := servers.StartSQS(t)
	q := newQueue(t, server, "", true)
	body := strings.Repeat("<", 1<<20)
	q.Fill(t, []byte(body))
	if got := take(t, q.open(t, worker)); string(got.Payload) != body {
		t.Errorf("%d bytes came", len(got.Payload))
	}
}

// TestDead: a dead task keeps what its sender said, by whichever way it went, and
// beside dead= its reason.
func TestDead(t *testing.T) {
	server := servers.StartSQS(t)
	for _, kind := range []struct {
		ending string
		policy bool
	}{{"", true}, {"", false}, {fifo, true}, {fifo, false}} {
		q := newQueue(t, server, kind.ending, kind.policy)
		more := map[string]any{"MessageAttributes": map[string]any{"size": map[string]string{"DataType": "Number", "StringValue": "7"}}}
		if kind.ending == fifo {
			more["MessageGroupId"], more["MessageDeduplicationId"] = "g", "1"
		}
		server.Send(t, q.name, "bad", more)
		s := q.open(t, worker)
		for attempt := 1; attempt <= 3; attempt++ {
			dead, err := s.Fail(t.Context(), take(t, s), task.Failure{Reason: "exit code 3\x00"})
			must(t, "fail", err)
			if dead != (attempt == 3) {
				t.Errorf("%+v: attempt %d: dead %v", kind, attempt, dead)
			}
		}
		none(t, s)
		all := server.Peek(t, q.dead)
		if len(all) != 1 || server.Count(t, q.name) != 0 {
			t.Fatalf("%+v: %+v", kind, all)
		}
		got := map[string]string{"body": all[0].Body, "group": all[0].Attributes[attributeGroup]}
		for name, a := range all[0].MessageAttributes {
			got[name] = a.StringValue
		}
		want := map[string]string{"body": "bad", "group": "", "size": "7"}
		if !kind.policy {
			want[attributeReason] = "exit code 3"
		}
		if kind.ending == fifo {
			want["group"] = "g"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", kind, diff)
		}
	}
}

// TestFullOfAttributes: there is no room for the reason, and the task goes all the same.
func TestFullOfAttributes(t *testing.T) {
	server := servers.StartSQS(t)
	q := newQueue(t, server, "", false)
	full := map[string]any{}
	for _, name := range strings.Split("abcdefghij", "") {
		full[name] = map[string]string{"DataType": "String", "StringValue": "v"}
	}
	server.Send(t, q.name, "bad", map[string]any{"MessageAttributes": full})
	s := q.open(t, task.Options{RunID: "a", Lease: time.Hour, MaxAttempts: 1})
	dead, err := s.Fail(t.Context(), take(t, s), task.Failure{Reason: "exit code 3"})
	must(t, "fail", err)
	if all := server.Peek(t, q.dead); !dead || len(all) != 1 || len(all[0].MessageAttributes) != 10 {
		t.Errorf("dead %v: %+v", dead, all)
	}
}

// TestNoPlaceForTheDead: attempts can't be counted to their end where the last one
// changes nothing.
func TestNoPlaceForTheDead(t *testing.T) {
	server := servers.StartSQS(t)
	server.Queue(t, "plain", nil)
	q := &queue{server: server, address: server.Address, name: "plain"}
	q.Fill(t, []byte("x"))
	_, err := q.open(t, worker).Take(t.Context())
	wantKind(t, "no policy", err, contract.Invalid)
	q.query = "&dead=nothing"
	_, err = q.open(t, worker).Take(t.Context())
	wantKind(t, "no dead queue", err, contract.NoSuch)
	q.query = ""
	s := q.open(t, task.Options{RunID: "a", Lease: time.Hour})
	for range 5 { // without end
		dead, err := s.Fail(t.Context(), take(t, s), task.Failure{})
		if dead || err != nil {
			t.Fatalf("dead %v, %v", dead, err)
		}
	}
}

// TestUnfinished: a task that is delayed, or held, is one; then the queue must have
// been empty for a while.
func TestUnfinished(t *testing.T) {
	server := servers.StartSQS(t)
	q := newQueue(t, server, "", true)
	s, other := q.open(t, worker), q.open(t, worker)
	now := time.Now()
	s.now, s.quiet.least = func() time.Time { return now }, settle
	step := func(after time.Duration, want bool) {
		t.Helper()
		now = now.Add(after)
		if got, err := s.Unfinished(t.Context()); got != want || err != nil {
			t.Errorf("unfinished: %v, %v; want %v", got, err, want)
		}
	}
	step(0, true)
	step(settle-time.Second, true)
	server.Send(t, q.name, "late", map[string]any{"DelaySeconds": 900})
	step(time.Minute, true)
	server.Call(t, "PurgeQueue", q.name, map[string]any{}, nil)
	q.Fill(t, []byte("x"))
	step(time.Hour, true)
	got := take(t, other)
	step(time.Hour, true)
	must(t, "done", other.Done(t.Context(), got))
	step(time.Hour, true) // is it?
	step(time.Minute, true)
	q.Fill(t, []byte("y"))
	must(t, "done", s.Done(t.Context(), take(t, s))) // it wasn't
	step(settle, true)
	step(settle, false)
}

// TestWorkersDied: a task that kills its workers is put aside like one that fails, also
// when the first try has no answer, and the next is taken.
func TestWorkersDied(t *testing.T) {
	server := servers.StartSQS(t)
	q := newQueue(t, server, "", false)
	q.Fill(t, []byte("deadly"))
	for range 2 {
		server.Call(t, "ReceiveMessage", q.name, map[string]any{"VisibilityTimeout": 0}, nil) // and dies
	}
	refused := false
	proxy := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		if target(r) != "DeleteMessage" || refused {
			return nil
		}
		refused = true
		return servers.Reset
	})
	q.address = proxy.Listener.Addr().String()
	s := q.open(t, task.Options{RunID: "a", Lease: time.Hour, MaxAttempts: 2})
	_, err := s.Take(t.Context())
	wantKind(t, "take", err, contract.Unreachable)
	if got := take(t, s); string(got.Payload) != "deadly" || got.Aside == "" {
		t.Errorf("told of %+v", got)
	}
	q.Fill(t, []byte("next"))
	if got := take(t, s); string(got.Payload) != "next" || got.Aside != "" {
		t.Errorf("took %+v", got)
	}
	all := server.Peek(t, q.dead)
	if len(all) != 1 || all[0].Body != "deadly" || all[0].MessageAttributes[attributeReason].StringValue != "its worker died, or was stopped, in attempt 2 of 2" {
		t.Errorf("dead: %+v", all)
	}
}
