//go:build linux

package queues

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// rabbit gives a queue of RabbitMQ's as a scene sees it.
func rabbit(t *testing.T, r *servers.RabbitMQ, name string, quorum bool, more amqp.Table) *filledQueue {
	t.Helper()
	r.Queue(t, name, quorum, more)
	return &filledQueue{flags: []string{"--tasks=" + r.URL("?queue="+name+"&settle=0s")}, fill: func(payloads ...string) {
		for _, p := range payloads {
			r.Send(t, name, []byte(p))
		}
	}, left: func() int { return r.Settled(t, name) }, dead: func() int { return 0 }, address: r.Address, tied: true}
}

// TestRabbitMQTakesBack: a server that was restarted, and one that lets nobody hold a message
// for long, give it back: the command is ended, and what is to be done about it is told.
func TestRabbitMQTakesBack(t *testing.T) {
	t.Parallel()
	r := servers.StartRabbitMQ(t, "consumer_timeout = 8000")
	for _, quorum := range []bool{false, true} {
		name := map[bool]string{false: "classic", true: "quorum"}[quorum]
		s := newScene(t, rabbit(t, r, name, quorum, nil), "--lease=3s")
		s.q.fill("x")
		p := s.start(0, s.slow())
		p.says(lostByWord + ": the server ended the delivery, which was held for longer than its consumer_timeout: set consumer_timeout in rabbitmq.conf")
		s.touch("go")
		p.ends(0, "task done", "consumer_timeout")
		s.settled(1, "0", "0")
		s.unfailed()
	}
	// What follows may take longer than that.
	if said := r.Evaluate(t, "application:set_env(rabbit, consumer_timeout, 1800000).\n"); !strings.Contains(said, "ok") {
		t.Fatal(said)
	}
	s := newScene(t, rabbit(t, r, "restarted", false, nil), "--lease=3s", "--store-wait=10m")
	s.q.fill("x")
	p := s.start(0, s.slow())
	program.Appears(t, s.path("began.0"))
	if said := r.Evaluate(t, "mnesia:dump_log().\n"); !strings.Contains(said, "dumped") { // what was made just now is on disk
		t.Fatal(said)
	}
	r.Stop()
	p.says(lostByWord + ": with the connection")
	s.touch("go")
	r.Start(t)
	p.ends(0, "trying again", "task done")
	s.settled(1, "0", "0")
	s.unfailed()
}

// TestRabbitMQLongCommand: a command that takes longer than the server waits for a word of a
// connection keeps its task, and the connection.
func TestRabbitMQLongCommand(t *testing.T) {
	t.Parallel()
	r := servers.SharedRabbitMQ(t)
	s := newScene(t, rabbit(t, r, "long", false, nil), "--lease=2s")
	s.q.fill("x")
	stdout, stderr, code := s.work(nil, "sh", "-c", "sleep 8; echo <<.Task>> <<.Attempt>>")
	if code != 0 || stdout != "x 1\n" || strings.Contains(stderr, `"warn"`) {
		t.Errorf("exit code %d, %q: %s", code, stdout, stderr)
	}
	s.done(1)
}

// TestRabbitMQTLS: with the authority that SSL_CERT_FILE names.
func TestRabbitMQTLS(t *testing.T) {
	r := servers.SharedRabbitMQ(t)
	r.Queue(t, "secure", true, nil)
	r.Send(t, "secure", []byte("x"))
	url := "amqps://nth:" + servers.RabbitMQPassword + "@" + strings.Replace(r.Secure, "127.0.0.1", "localhost", 1) + "/%2f?queue=secure&settle=0s"
	stdout, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0", "SSL_CERT_FILE=" + r.CA}, "run", "--tasks="+url, "--", "echo", "<<.Task>>")
	if code != 0 || stdout != "x\n" || strings.Contains(stderr, "canary") {
		t.Errorf("exit code %d, %q: %s", code, stdout, stderr)
	}
}

// TestRabbitMQLimits: what a queue itself says of its messages holds: the order of their
// priorities, and how often each may fail, where nth isn't told.
func TestRabbitMQLimits(t *testing.T) {
	r := servers.SharedRabbitMQ(t)
	r.Queue(t, "urgent", false, amqp.Table{"x-max-priority": 9})
	for n, task := range []string{"later", "soon", "now"} {
		r.Publish(t, "urgent", amqp.Publishing{Body: []byte(task), Priority: uint8(1 + 3*n), ContentType: "text/plain", Headers: amqp.Table{"size": int32(n), "site": "north"}})
	}
	run := []string{"run", "--tasks=" + r.URL("?queue=urgent&settle=0s"), "--task-id=<<.Task>>", "--", "echo", "<<.Task>> <<.Meta.priority>> <<.Meta.site>> <<.Meta.size>> <<.Meta.content_type>>"}
	stdout, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, run...)
	if diff := cmp.Diff("now 7 north 2 text/plain\nsoon 4 north 1 text/plain\nlater 1 north 0 text/plain\n", stdout); code != 0 || diff != "" {
		t.Errorf("exit code %d (-want +got):\n%s%s", code, diff, stderr)
	}
	r.Queue(t, "limited.dead", true, nil)
	q := rabbit(t, r, "limited", true, amqp.Table{"x-delivery-limit": 1, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "limited.dead"})
	s := newScene(t, q)
	q.fill("bad", "good")
	stdout, stderr, code = s.work(nil, "sh", "-c", "echo <<.Attempt>>; test <<.Task>> = good")
	if code != 0 || stdout != "1\n1\n2\n" {
		t.Errorf("exit code %d, %q: %s", code, stdout, stderr)
	}
	s.done(1)
	harness.Await(t, func() bool { return r.Left(t, "limited.dead") == 1 }, func() string { return "it isn't dead" })
}
