package redis_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/harness"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// acl gives what the package's comment says that a user needs, for one queue.
func acl(t *testing.T, queue string) []any {
	t.Helper()
	source, err := os.ReadFile("redis.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(source), "ACL SETUSER nth on >PASSWORD ")
	rules, _, ok := strings.Cut(rest, "//\n")
	if !ok {
		t.Fatal("the package's comment has no ACL")
	}
	var args []any
	for _, word := range strings.Fields(rules) {
		if word != "//" {
			args = append(args, strings.ReplaceAll(word, "jobs", queue))
		}
	}
	return args
}

// TestACL: the suite passes for a user who may do what is documented, and each of it is
// needed.
func TestACL(t *testing.T) {
	server := servers.StartRedis(t)
	user := func(t testing.TB, more ...any) *queue {
		q := newQueue(server)
		rules := append([]any{"SETUSER", q.name, "reset", "on", ">canary"}, acl(t.(*testing.T), q.name)...)
		server.Do(t, "ACL", append(rules, more...)...)
		q.url = strings.Replace(q.url, "redis://", "redis://"+q.name+":canary@", 1)
		return q
	}
	t.Run("suite", func(t *testing.T) {
		tasks.Run(t, tasks.Harness{Lease: time.Second, New: func(t testing.TB) tasks.Queue { return user(t) }})
	})
	for _, word := range acl(t, "x") {
		command, granted := strings.CutPrefix(word.(string), "+")
		if !granted {
			continue
		}
		t.Run("without "+command, func(t *testing.T) {
			q := user(t, "-"+command)
			server.Do(t, "SCRIPT", "FLUSH") // what was sent once is known by its hash
			if denied := exercise(t, server, q); !denied {
				t.Errorf("%s isn't needed", command)
			}
		})
	}
}

// exercise does all that a source can, and tells whether something was denied.
func exercise(t *testing.T, server *servers.Redis, q *queue) (denied bool) {
	see := func(err error) {
		if err == nil {
			return
		}
		hidden(t, err)
		if e := kind(err); e == contract.Denied {
			denied = true
		} else if err != task.ErrLost {
			t.Errorf("%v is of kind %v", err, e)
		}
	}
	server.Do(t, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	defer server.Do(t, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	for _, change := range []string{"", "&pop=right", "&db=1"} {
		s := open(t, q.url[:strings.Index(q.url, "/0")]+"?queue="+q.name+change, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
		if denied = denied || s.Warning(t.Context()) == ""; denied {
			return true
		}
		_, err := s.Count(t.Context())
		see(err)
		server.Do(t, "RPUSH", q.name, "one")
		got, err := s.Take(t.Context())
		see(err)
		if got != nil {
			server.Do(t, "ZREM", q.key("lease"), got.ID)
			_, err = s.Unfinished(t.Context())
			see(err)
			see(s.Keep(t.Context(), got))
			_, err = s.Fail(t.Context(), got, task.Failure{})
			see(err)
			_, err = s.Fail(t.Context(), got, task.Failure{})
			see(err)
			see(s.Done(t.Context(), got))
		}
		server.Do(t, "RPUSH", q.name, "two")
		if got, err = s.Take(t.Context()); got != nil {
			server.Do(t, "HDEL", q.key("meta"), got.ID)
			_, err = s.Unfinished(t.Context())
		}
		see(err)
	}
	return denied
}

func TestPassword(t *testing.T) {
	server := servers.StartRedis(t, "requirepass canary")
	q := newQueue(server)
	for _, tt := range []struct {
		user string
		env  string
		want contract.Kind
	}{
		{"", "", contract.Denied},
		{"wrong@", "", contract.Denied},
		{"nobody:canary@", "", contract.Denied},
		{"canary@", "", ok},
		{":canary@", "", ok},
		{"default:canary@", "", ok},
		{"", "canary", ok},
		{"wrong@", "canary", contract.Denied},
	} {
		s := open(t, strings.Replace(q.url, "//", "//"+tt.user, 1), task.Options{RunID: "a", Lease: time.Minute,
			Getenv: servers.Getenv([]string{"REDISCLI_AUTH=" + tt.env})})
		_, err := s.Take(t.Context())
		if got := kind(err); got != tt.want {
			t.Errorf("%q, %q: %v", tt.user, tt.env, err)
		}
		hidden(t, err)
	}
	open := servers.StartRedis(t)
	_, err := newSource(t, strings.Replace(newQueue(open).url, "//", "//canary@", 1)).Take(t.Context())
	if kind(err) != contract.Denied {
		t.Errorf("a password that the server doesn't have: %v", err)
	}
	hidden(t, err)
}

func TestTLS(t *testing.T) {
	server := servers.StartRedisTLS(t, "requirepass canary")
	q := newQueue(server)
	_, port, _ := net.SplitHostPort(server.Address)
	secure := func(host string) string { return "rediss://:canary@" + host + ":" + port + "?queue=" + q.name }
	take := func(address string, wait time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		_, err := newSource(t, address).Take(ctx)
		hidden(t, err)
		return err
	}
	other := filepath.Join(t.TempDir(), "other.pem")
	stranger, err := os.ReadFile(servers.StartRedisTLS(t).CA)
	if err == nil {
		err = os.WriteFile(other, stranger, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_DIR", "")
	for _, tt := range []struct {
		ca, url string
		want    contract.Kind
		says    string
	}{
		{server.CA, secure("127.0.0.1"), ok, ""},
		{server.CA, secure("localhost"), ok, ""},
		{other, secure("127.0.0.1"), contract.Unreachable, "certificate"},
		{server.CA, strings.Replace(secure("127.0.0.1"), "rediss", "redis", 1), contract.Unreachable, "closed the connection"},
		{server.CA, strings.Replace(newQueue(servers.StartRedis(t)).url, "redis:", "rediss:", 1), contract.Unreachable, ""},
	} {
		t.Setenv("SSL_CERT_FILE", tt.ca)
		wait := harness.Patience
		if tt.want != ok && tt.says == "" {
			wait = 2 * time.Second // no answer ever comes
		}
		if err := take(tt.url, wait); kind(err) != tt.want || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.url, err)
		}
	}
}
