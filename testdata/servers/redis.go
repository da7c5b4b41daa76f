package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gomodule/redigo/redis"

	"nth/testdata/harness"
)

// Redis is a Redis server of a test's own. It writes each change to its disk before it
// answers, so that one which is stopped and started again has lost nothing.
type Redis struct {
	*Server
	Password string // of the default user, if it has one
	CA       string // the file of the authority of its certificate, if it speaks TLS
	dir      string
}

// StartRedis starts one with more settings (redis.conf), each a line, and stops it when
// the test ends.
func StartRedis(t testing.TB, settings ...string) *Redis {
	t.Helper()
	r := &Redis{dir: t.TempDir()}
	address := Address(t)
	_, port, _ := net.SplitHostPort(address)
	return r.run(t, address, append(settings, "port "+port))
}

// StartRedisTLS starts one that speaks TLS, and nothing else, for localhost and 127.0.0.1.
func StartRedisTLS(t testing.TB, settings ...string) *Redis {
	t.Helper()
	r := &Redis{dir: t.TempDir()}
	address := Address(t)
	_, port, _ := net.SplitHostPort(address)
	ca, certificate, key := certificates(t)
	file := func(name string, content []byte) string {
		path := filepath.Join(r.dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	r.CA = file("ca.pem", ca)
	return r.run(t, address, append(settings, "port 0", "tls-port "+port, "tls-auth-clients no",
		"tls-cert-file "+file("cert.pem", certificate), "tls-key-file "+file("key.pem", key)))
}

func (r *Redis) run(t testing.TB, address string, settings []string) *Redis {
	t.Helper()
	lines := append([]string{"bind 127.0.0.1", "dir " + r.dir, "save \"\"", "appendonly yes", "appendfsync always"}, settings...)
	for _, line := range lines {
		if password, ok := strings.CutPrefix(line, "requirepass "); ok {
			r.Password = password
		}
	}
	r.Server = r.start(t, "redis-server", address, lines)
	r.Ready(t)
	return r
}

func (r *Redis) start(t testing.TB, name, address string, lines []string) *Server {
	t.Helper()
	program := Program(t, name, "apt-get install "+name)
	conf := filepath.Join(r.dir, "redis.conf")
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, address, func() *exec.Cmd { return exec.Command(program, conf) })
}

// StartSentinels starts three sentinels that watch over a master, by the name mymaster,
// with a password of their own ("": none), and waits until they know each other and one
// replica.
func StartSentinels(t testing.TB, master *Redis, password string) (sentinels [3]*Redis) {
	t.Helper()
	host, masterPort, _ := net.SplitHostPort(master.Address)
	for i := range sentinels {
		s := &Redis{dir: t.TempDir(), Password: password}
		address := Address(t)
		_, port, _ := net.SplitHostPort(address)
		lines := []string{"bind 127.0.0.1", "port " + port, "dir " + s.dir, "sentinel monitor mymaster " + host + " " + masterPort + " 2",
			"sentinel down-after-milliseconds mymaster 1000", "sentinel failover-timeout mymaster 5000"}
		if master.Password != "" {
			lines = append(lines, "sentinel auth-pass mymaster "+master.Password)
		}
		if password != "" {
			lines = append(lines, "requirepass "+password, "sentinel sentinel-pass "+password)
		}
		s.Server = s.start(t, "redis-sentinel", address, lines)
		s.Ready(t)
		sentinels[i] = s
	}
	for _, s := range sentinels {
		var info map[string]string
		harness.Await(t, func() bool {
			info, _ = redis.StringMap(s.Do(t, "SENTINEL", "MASTER", "mymaster"), nil)
			return info["num-other-sentinels"] == "2" && info["num-slaves"] == "1"
		}, func() string { return fmt.Sprint("a sentinel knows only this: ", info) })
	}
	return sentinels
}

// Replicate starts a replica of a server, and waits until it has all that
// this one has.
func (r *Redis) Replicate(t testing.TB) *Redis {
	t.Helper()
	settings := []string{"replicaof " + strings.Replace(r.Address, ":", " ", 1)}
	if r.Password != "" {
		settings = append(settings, "requirepass "+r.Password, "masterauth "+r.Password)
	}
	replica := StartRedis(t, settings...)
	r.Do(t, "SET", "replicated", replica.Address)
	replica.Has(t, "replicated", replica.Address)
	return replica
}

// Has waits until a server, a replica it may be, has this value.
func (r *Redis) Has(t testing.TB, key, value string) {
	t.Helper()
	got := ""
	harness.Await(t, func() bool {
		got, _ = redis.String(r.Do(t, "GET", key), nil)
		return got == value
	}, func() string { return fmt.Sprintf("%s is %q there", key, got) })
}

// Ready waits until a server that was started has loaded its data.
func (r *Redis) Ready(t testing.TB) {
	t.Helper()
	var err error
	harness.Await(t, func() bool { _, err = r.ask("PING"); return err == nil }, func() string { return fmt.Sprint("redis isn't ready: ", err) })
}

func (r *Redis) dial() (redis.Conn, error) {
	return redis.DialContext(context.Background(), "tcp", r.Address, redis.DialPassword(r.Password),
		redis.DialUseTLS(r.CA != ""), redis.DialTLSSkipVerify(true))
}

func (r *Redis) ask(command string, args ...any) (any, error) {
	c, err := r.dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Do(command, args...)
}

// Each sends a command once for each last argument, without waiting for the answers
// between them.
func (r *Redis) Each(t testing.TB, last []string, command string, args ...any) {
	t.Helper()
	c, err := r.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, l := range last {
		if err := c.Send(command, append(args[:len(args):len(args)], l)...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Do(""); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
}

// Do sends a command as the default user, and gives its answer.
func (r *Redis) Do(t testing.TB, command string, args ...any) any {
	t.Helper()
	reply, err := r.ask(command, args...)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return reply
}

// Pause stops the server's process in the middle of what it does, until the function
// that it gives is called.
func (r *Redis) Pause(t testing.TB) (resume func()) {
	t.Helper()
	signal := func(s syscall.Signal) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.cmd != nil {
			_ = r.cmd.Process.Signal(s)
		}
	}
	signal(syscall.SIGSTOP)
	return func() { signal(syscall.SIGCONT) }
}

// StartRedisCluster starts a cluster of three masters.
func StartRedisCluster(t testing.TB) (nodes [3]*Redis) {
	t.Helper()
	var buses [3]string
	for i := range nodes {
		_, buses[i], _ = net.SplitHostPort(Address(t))
		nodes[i] = StartRedis(t, "cluster-enabled yes", "cluster-port "+buses[i])
	}
	for i, n := range nodes {
		n.Do(t, "CLUSTER", "SET-CONFIG-EPOCH", i+1) // whose word on a slot is the last
		n.Do(t, "CLUSTER", "ADDSLOTSRANGE", i*5462, min((i+1)*5462, 16384)-1)
		host, port, _ := net.SplitHostPort(n.Address)
		if i > 0 {
			nodes[0].Do(t, "CLUSTER", "MEET", host, port, buses[i])
		}
	}
	ready := 0
	harness.Await(t, func() bool {
		ready = 0
		for _, n := range nodes {
			info, _ := redis.String(n.Do(t, "CLUSTER", "INFO"), nil)
			if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3") {
				ready++
			}
		}
		return ready == len(nodes)
	}, func() string { return fmt.Sprintf("%d nodes of the cluster are ready", ready) })
	return nodes
}
