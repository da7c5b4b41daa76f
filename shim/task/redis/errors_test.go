package redis_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/redis"
	"nth/testdata/servers"
)

const ok = contract.Kind(-1)

func kind(err error) contract.Kind {
	if err == nil {
		return ok
	}
	if e, is := errors.AsType[*contract.Error](err); is {
		return e.Kind
	}
	return -2
}

// hidden fails the test if an error shows the password that the tests use.
func hidden(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	if e, is := errors.AsType[*contract.Error](err); is {
		text += e.Hint
	}
	if strings.Contains(text, "canary") {
		t.Errorf("the password is shown: %s", text)
	}
}

func newSource(t testing.TB, address string) *redis.Source {
	t.Helper()
	return open(t, address, task.Options{RunID: "a", Lease: time.Second, MaxAttempts: 3})
}

func TestRefusals(t *testing.T) {
	server := servers.StartRedis(t)
	host, port, _ := net.SplitHostPort(server.Address)
	replica := servers.StartRedis(t, "replicaof "+host+" "+port)
	_, bus, _ := net.SplitHostPort(servers.Address(t)) // Redis' own is its port and 10,000, which may be anybody's
	q := newQueue(server)
	server.Do(t, "SET", "text", "x")
	server.Do(t, "SET", "{odd}:nth:task", "x")
	for name, tt := range map[string]struct {
		url, says string
		want      contract.Kind
	}{
		"not a list":     {"redis://" + server.Address + "?queue=text", "WRONGTYPE", contract.Refused},
		"a key is taken": {"redis://" + server.Address + "?queue=odd", "WRONGTYPE", contract.Refused},
		"no database":    {"redis://" + server.Address + "/999?queue=q", "DB index is out of range", contract.NoSuch},
		"replica":        {"redis://" + replica.Address + "?queue=" + q.name, "READONLY", contract.Unreachable},
		"no cluster":     {"redis://" + servers.StartRedis(t, "cluster-enabled yes", "cluster-port "+bus).Address + "?queue=q", "CLUSTERDOWN", contract.Unreachable},
		"nobody there":   {"redis://127.0.0.1:1?queue=q", "refused", contract.Unreachable},
		"no host":        {"redis://host.invalid?queue=q", "", contract.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			q.Fill(t, []byte("x"))
			_, err := newSource(t, tt.url).Take(t.Context())
			if kind(err) != tt.want || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v is of kind %v", err, kind(err))
			}
		})
	}
}

// TestFull: with a server whose memory is full, tasks go on.
func TestFull(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(server)
	q.Fill(t, []byte("one"), []byte("two"), []byte("three"))
	server.Do(t, "CONFIG", "SET", "maxmemory", "1")
	s := open(t, q.url, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
	for i, end := range []func(*task.Task) error{
		func(got *task.Task) error { return s.Done(t.Context(), got) },
		func(got *task.Task) error { return s.Release(t.Context(), got) },
		func(got *task.Task) error { _, err := s.Fail(t.Context(), got, task.Failure{}); return err },
	} {
		got, err := s.Take(t.Context())
		if got == nil || err != nil {
			t.Fatalf("take %d: %v, %v", i, got, err)
		}
		if err := s.Keep(t.Context(), got); err != nil {
			t.Errorf("keep: %v", err)
		}
		if err := end(got); err != nil {
			t.Errorf("end %d: %v", i, err)
		}
	}
	if n := len(q.Dead(t)); n != 1 || q.Left(t) != 1 {
		t.Errorf("%d are dead, %d left", n, q.Left(t))
	}
}

// TestAnswers: what servers answer that a test can't make them say, and who is none.
func TestAnswers(t *testing.T) {
	for answer, want := range map[string]contract.Kind{
		"-LOADING Redis is loading the dataset in memory\r\n":                                                                         contract.Unreachable,
		"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n":                                       contract.Unreachable,
		"-ERR max number of clients reached\r\n":                                                                                      contract.Unreachable,
		"-DENIED Redis is running in protected mode because protected mode is enabled\r\n":                                            contract.Denied,
		"-ERR invalid password\r\n":                                                                                                   contract.Denied,
		"-ERR unknown command `AUTH`, with args beginning with: `canary`, \r\n":                                                       contract.Unsupported,
		"-ERR Error running script (call to f_1): @user_script:5: WRONGTYPE Operation against a key\r\n":                              contract.Refused,
		"-ERR Error running script (call to f_1): @user_script:5: -NOPERM this user has no permissions to run the 'lpop' command\r\n": contract.Denied,
		"-ERR The user executing the script can't run this command or subcommand script: 1, on @user_script:1.\r\n":                   contract.Denied,
		"-ERR what nobody knows canary\r\n":                                                                                           contract.Other,
		"-OOM command not allowed when used memory > 'maxmemory'.\r\n":                                                                contract.Unreachable,
		"-NOAUTH Authentication required.\r\n":                                                                                        contract.Denied,
		"-MOVED 5 nowhere\r\n":                                                                                                        contract.Unreachable,
		"HTTP/1.1 400 Bad Request\r\n\r\n":                                                                                            contract.Unreachable,
		"$-5\r\n":                                                                                                                     contract.Unreachable,
		"":                                                                                                                            contract.Unreachable,
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = bufio.NewReader(c).ReadString('\n')
				_, _ = io.WriteString(c, answer)
				_ = c.Close()
			}
		}()
		_, err = newSource(t, "redis://canary@"+l.Addr().String()+"?queue=q").Take(t.Context())
		if kind(err) != want {
			t.Errorf("%s: %v is of kind %v", answer, err, kind(err))
		}
		hidden(t, err)
		_ = l.Close()
	}
}

func TestWarning(t *testing.T) {
	server := servers.StartRedis(t)
	q := newQueue(server)
	s := newSource(t, q.url)
	if got := s.Warning(t.Context()); got != "" {
		t.Errorf("noeviction: %s", got)
	}
	server.Do(t, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	if got := s.Warning(t.Context()); !strings.Contains(got, "allkeys-lru") {
		t.Errorf("allkeys-lru: %q", got)
	}
}
