package sqs

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

// target gives the action that a request asks for.
func target(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
}

// TestLostReplies: whatever answer is lost, the next try finds the deed done.
func TestLostReplies(t *testing.T) {
	server := servers.StartSQS(t)
	for _, c := range []struct {
		lost   string // of this action, the first answer
		policy bool
		end    func(ctx context.Context, s *source, got *task.Task) error
		left   int
		dead   int
	}{
		{"DeleteMessage", true, func(ctx context.Context, s *source, got *task.Task) error { return s.Done(ctx, got) }, 0, 0},
		{"ChangeMessageVisibility", true, func(ctx context.Context, s *source, got *task.Task) error { return s.Release(ctx, got) }, 1, 0},
		{"ChangeMessageVisibility", true, func(ctx context.Context, s *source, got *task.Task) error {
			_, err := s.Fail(ctx, got, task.Failure{After: time.Hour})
			return err
		}, 1, 0},
		{"ChangeMessageVisibility", true, func(ctx context.Context, s *source, got *task.Task) error { return s.Keep(ctx, got) }, 1, 0},
		{"DeleteMessage", false, func(ctx context.Context, s *source, got *task.Task) error {
			_, err := s.Fail(ctx, got, task.Failure{Reason: "bad"})
			return err
		}, 0, 1},
	} {
		q := newQueue(t, server, "", c.policy)
		q.Fill(t, []byte("x"))
		lost := false
		proxy := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
			if target(r) != c.lost || lost {
				return nil
			}
			lost = true
			return servers.LoseReply
		})
		q.address = proxy.Listener.Addr().String()
		s := q.open(t, task.Options{RunID: "a", Lease: time.Hour, MaxAttempts: 1})
		got := take(t, s)
		wantKind(t, c.lost, c.end(t.Context(), s, got), contract.Unreachable)
		must(t, c.lost+" again", c.end(t.Context(), s, got))
		if left, dead := server.Count(t, q.name), len(q.Dead(t)); left != c.left || dead != c.dead {
			t.Errorf("%s: %d left, %d dead", c.lost, left, dead)
		}
	}
}

// TestLongPoll: a take waits for a task that comes, and one that is on its way when a
// run ends is not left in an answer that nobody reads.
func TestLongPoll(t *testing.T) {
	server := servers.StartSQS(t)
	q := newQueue(t, server, "", true)
	asked := make(chan struct{}, 1)
	proxy := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		if target(r) == "ReceiveMessage" {
			asked <- struct{}{}
		}
		return nil
	})
	q.address = proxy.Listener.Addr().String()
	s := q.open(t, worker)
	s.wait = 20 * time.Second
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		<-asked
		stop()
		q.Fill(t, []byte("x"))
	}()
	got, err := s.Take(ctx)
	if err != nil || got == nil {
		t.Fatalf("took %+v, %v", got, err)
	}
	must(t, "release", s.Release(t.Context(), got))
	s.wait = 0
	if again := take(t, s); again.ID != got.ID {
		t.Errorf("took %+v, then %+v", got, again)
	}
	<-asked

	s.wait = 20 * time.Second
	ctx, stop = context.WithCancel(t.Context())
	go func() {
		<-asked
		stop() // and nothing comes
	}()
	got, err = s.Take(ctx)
	if wantKind(t, "take", err, contract.Unreachable); got != nil {
		t.Errorf("took %+v", got)
	}
}

// TestAway: the server goes away and comes back, with what moto keeps of a queue, which
// is nothing; the task in hand is told apart from a lost one.
func TestAway(t *testing.T) {
	server := servers.StartSQS(t)
	q := newQueue(t, server, "", true)
	q.Fill(t, []byte("x"))
	s := q.open(t, worker)
	got := take(t, s)
	server.Stop()
	wantKind(t, "keep", s.Keep(t.Context(), got), contract.Unreachable)
	_, err := s.Unfinished(t.Context())
	wantKind(t, "unfinished", err, contract.Unreachable)
	wantKind(t, "done", s.Done(t.Context(), got), contract.Unreachable)
	must(t, "start", server.Start())
	_, err = s.Take(t.Context())
	wantKind(t, "take", err, contract.NoSuch)
}

// TestRole: keys of a token service are taken by a server that looks at signatures,
// and refused ones are told so, without the keys.
func TestRole(t *testing.T) {
	moto := servers.StartMoto(t)
	arn := servers.MotoRole(t, moto)
	server := &servers.SQS{Server: moto.Server}
	server.Queue(t, "queue", nil)
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ROLE_ARN": arn, "AWS_WEB_IDENTITY_TOKEN_FILE": tokenFile(t),
		"AWS_ENDPOINT_URL_STS": "http://" + server.Address, "HOME": t.TempDir()}
	open := func() *source {
		s, err := Open(parsed(t, server.URL(server.Address, "queue")), task.Options{RunID: "a", Lease: time.Hour, Getenv: func(name string) string { return env[name] }})
		must(t, "open", err)
		s.(*source).wait = 0
		return s.(*source)
	}
	s := open()
	keys, err := s.identity.Credentials(t.Context())
	must(t, "get keys", err)
	servers.MotoEnforce(t, moto, 0)
	none(t, s)
	for _, key := range []string{"nobody", keys.AccessKeyID} { // AWS names a code in JSON for each, moto in XML
		env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"] = key, "canary", keys.SessionToken
		_, err := open().Take(t.Context())
		wantKind(t, "a wrong secret", err, contract.Denied)
		if err == nil || !strings.Contains(err.Error(), "status 403") || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), keys.SessionToken) {
			t.Errorf("%s: %v", key, err)
		}
	}
}
