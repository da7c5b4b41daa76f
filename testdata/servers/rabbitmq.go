package servers

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"nth/testdata/harness"
)

// RabbitMQ is a server of RabbitMQ, of a test's own or of a package's. Its user nth may do
// everything, and reader may only read, and publish nothing.
type RabbitMQ struct {
	Address string // host:port
	Secure  string // where it speaks TLS
	CA      string // the file of the authority of its certificate

	dir string
	env []string
	log string

	mu    sync.Mutex
	hold  io.Closer // the server ends when this is closed
	ended chan struct{}
}

// RabbitMQPassword is that of its users.
const RabbitMQPassword = "rabbitmq-canary"

// rabbitMQ runs a server, with an epmd of its own, until nobody holds its standard input any
// more: so it ends with the test, whatever happens to that.
const rabbitMQ = `epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 >/dev/null 2>&1 & names=$!
/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server >"$HOME/log" 2>&1 & server=$!
cat >/dev/null
kill -9 $server $names; wait
case "$HOME" in */nth-rabbitmq-*) rm -rf "$HOME" ;; esac`

const definitions = `{"users": [{"name": "nth", "password": %[1]q, "tags": "administrator"}, {"name": "reader", "password": %[1]q, "tags": ""}],
"vhosts": [{"name": "/"}, {"name": "other"}], "permissions": [{"user": "nth", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
{"user": "reader", "vhost": "/", "configure": "^$", "write": "^$", "read": "^readable"}]}`

// StartRabbitMQ starts one with more settings (rabbitmq.conf), and stops it when the test ends.
func StartRabbitMQ(t testing.TB, settings ...string) *RabbitMQ {
	t.Helper()
	r := newRabbitMQ(t, t.TempDir(), settings)
	t.Cleanup(r.Stop)
	r.Start(t)
	return r
}

var shared struct {
	once sync.Once
	*RabbitMQ
}

// SharedRabbitMQ gives the one of all tests of a package, which none of them stops. It gives
// up a message after a while (consumer_timeout) that is longer than any test.
func SharedRabbitMQ(t testing.TB) *RabbitMQ {
	t.Helper()
	shared.once.Do(func() {
		dir, err := os.MkdirTemp("", "nth-rabbitmq-")
		if err != nil {
			t.Fatal(err)
		}
		r := newRabbitMQ(t, dir, nil)
		r.Start(t)
		shared.RabbitMQ = r
	})
	if shared.RabbitMQ == nil {
		t.Fatal("rabbitmq didn't start")
	}
	return shared.RabbitMQ
}

func newRabbitMQ(t testing.TB, dir string, settings []string) *RabbitMQ {
	t.Helper()
	r := &RabbitMQ{Address: Address(t), Secure: Address(t), dir: dir, log: filepath.Join(dir, "log")}
	port := func() string {
		_, port, _ := net.SplitHostPort(Address(t))
		return port
	}
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca, certificate, key := certificates(t)
	r.CA = file("ca.pem", ca)
	lines := append([]string{"listeners.tcp.1 = " + r.Address, "listeners.ssl.1 = " + r.Secure, "loopback_users = none",
		"ssl_options.cacertfile = " + r.CA, "ssl_options.certfile = " + file("cert.pem", certificate), "ssl_options.keyfile = " + file("key.pem", key),
		"ssl_options.verify = verify_none", "log.console = true", "log.file = false", "disk_free_limit.absolute = 1MB", "num_acceptors.tcp = 4", "num_acceptors.ssl = 2",
		"load_definitions = " + file("definitions.json", fmt.Appendf(nil, definitions, RabbitMQPassword))}, settings...)
	file("rabbitmq.conf", []byte(strings.Join(lines, "\n")+"\n"))
	r.env = append(os.Environ(), "HOME="+dir, "ERL_EPMD_PORT="+port(), "RABBITMQ_DIST_PORT="+port(), "RABBITMQ_NODENAME=nth@localhost",
		"RABBITMQ_MNESIA_BASE="+dir+"/mnesia", "RABBITMQ_LOG_BASE="+dir, "RABBITMQ_CONFIG_FILE="+dir+"/rabbitmq.conf", "RABBITMQ_CONF_ENV_FILE="+dir+"/none",
		"RABBITMQ_ENABLED_PLUGINS_FILE="+file("plugins", []byte("[].\n")), "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -rabbit channel_tick_interval 1000",
		"detached=1") // the script becomes the server
	return r
}

// Start starts it, again after a Stop, with what it keeps on disk.
func (r *RabbitMQ) Start(t testing.TB) {
	t.Helper()
	Program(t, "epmd", "apt-get install rabbitmq-server")
	cmd := exec.Command("sh", "-c", rabbitMQ)
	cmd.Env = r.env
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	r.mu.Lock()
	r.hold, r.ended = stdin, ended
	r.mu.Unlock()
	harness.Await(t, func() bool {
		var c *amqp.Connection
		if c, err = amqp.Dial(r.URL("")); err == nil {
			_ = c.Close()
		}
		return err == nil
	}, func() string {
		log, _ := os.ReadFile(r.log)
		return fmt.Sprintf("rabbitmq isn't ready: %v\n%s", err, end(string(log)))
	})
}

// Stop kills it.
func (r *RabbitMQ) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hold != nil {
		_ = r.hold.Close()
		<-r.ended
		r.hold = nil
	}
}

// URL gives that of the server, with more behind it, such as a queue.
func (r *RabbitMQ) URL(more string) string {
	return "amqp://nth:" + RabbitMQPassword + "@" + r.Address + "/" + more
}

// Channel gives a channel of a connection by RabbitMQ's own client.
func (r *RabbitMQ) Channel(t testing.TB) *amqp.Channel {
	t.Helper()
	c, err := amqp.Dial(r.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	ch, err := c.Channel()
	if err == nil {
		err = ch.Confirm(false)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// with does something with a channel of its own.
func (r *RabbitMQ) with(t testing.TB, do func(*amqp.Channel) error) {
	t.Helper()
	c, err := amqp.Dial(r.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ch, err := c.Channel()
	if err == nil {
		err = do(ch)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Queue makes a queue that outlives the server: a quorum queue, or a classic one.
func (r *RabbitMQ) Queue(t testing.TB, name string, quorum bool, more amqp.Table) {
	t.Helper()
	args := amqp.Table{"x-queue-type": map[bool]string{false: "classic", true: "quorum"}[quorum]}
	for k, v := range more {
		args[k] = v
	}
	r.with(t, func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare(name, true, false, false, false, args)
		return err
	})
}

var messages struct {
	mu sync.Mutex
	n  int
}

// Send puts messages into a queue, each with a name of its own, and waits until it has them.
func (r *RabbitMQ) Send(t testing.TB, queue string, payloads ...[]byte) {
	t.Helper()
	var all []amqp.Publishing
	messages.mu.Lock()
	for _, p := range payloads {
		messages.n++
		all = append(all, amqp.Publishing{MessageId: fmt.Sprint("message-", messages.n), DeliveryMode: amqp.Persistent, Body: p})
	}
	messages.mu.Unlock()
	r.Publish(t, queue, all...)
}

// Publish puts these into a queue.
func (r *RabbitMQ) Publish(t testing.TB, queue string, all ...amqp.Publishing) {
	t.Helper()
	r.with(t, func(ch *amqp.Channel) error {
		if err := ch.Confirm(false); err != nil {
			return err
		}
		for _, p := range all {
			ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
			defer cancel()
			told, err := ch.PublishWithDeferredConfirmWithContext(ctx, "", queue, true, false, p)
			if err == nil {
				_, err = told.WaitContext(ctx)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Ready is how many messages nobody holds.
func (r *RabbitMQ) Ready(t testing.TB, queue string) (n int) {
	t.Helper()
	r.with(t, func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
		n = q.Messages
		return err
	})
	return n
}

// All gives all messages that nobody holds, which stay.
func (r *RabbitMQ) All(t testing.TB, queue string) (all []amqp.Delivery) {
	t.Helper()
	r.with(t, func(ch *amqp.Channel) error {
		for {
			d, ok, err := ch.Get(queue, false)
			if !ok || err != nil {
				return err
			}
			all = append(all, d)
		}
	})
	return all
}

// total is an expression for how many messages a queue has. For a quorum queue the server's own
// tools tell what was so some seconds ago.
const total = `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<%q>>)),
case amqqueue:get_type(Q) of
  rabbit_quorum_queue -> {ok, {_, N}, _} = ra:leader_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_total/1), N;
  _ -> [{messages, N}] = rabbit_amqqueue:info(Q, [messages]), N
end.
`

// Left is how many messages a queue has, whether somebody holds them or not, by the server's
// own word.
func (r *RabbitMQ) Left(t testing.TB, queue string) (n int) {
	t.Helper()
	said := r.Evaluate(t, fmt.Sprintf(total, queue))
	if _, err := fmt.Sscanf(said, "{ok, %d}", &n); err != nil {
		t.Fatalf("how many messages %s has: %s", queue, said)
	}
	return n
}

// Settled is Left when all that was acknowledged is gone. A quorum queue writes that down after
// its server has said that it has heard it: not at once on a machine that has much to do.
func (r *RabbitMQ) Settled(t testing.TB, queue string) (n int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if n = r.Left(t, queue); n == 0 || time.Now().After(end) {
			return n
		}
	}
}

// Evaluate has the server evaluate an expression of Erlang.
func (r *RabbitMQ) Evaluate(t testing.TB, expression string) string {
	t.Helper()
	cookie, err := os.ReadFile(filepath.Join(r.dir, ".erlang.cookie"))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	harness.Await(t, func() bool { // that two call at a time may be too much for them
		cmd := exec.CommandContext(t.Context(), "erl_call", "-c", string(cookie), "-n", "nth@localhost", "-r", "-e")
		cmd.Env, cmd.Stdin = r.env, strings.NewReader(expression)
		out, err = cmd.CombinedOutput()
		return err == nil
	}, func() string { return fmt.Sprintf("erl_call: %v: %s", err, out) })
	return string(out)
}

// Purge removes all messages that nobody holds.
func (r *RabbitMQ) Purge(t testing.TB, queue string) {
	t.Helper()
	r.with(t, func(ch *amqp.Channel) error {
		_, err := ch.QueuePurge(queue, false)
		return err
	})
}
