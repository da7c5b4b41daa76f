package redisstream_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// acl gives what the package's comment says that a user needs, for one stream.
func acl(t *testing.T, stream string) (args []any) {
	t.Helper()
	source, err := os.ReadFile("redisstream.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(source), "ACL SETUSER nth on >PASSWORD ")
	rules, _, ok := strings.Cut(rest, "//\n")
	if !ok {
		t.Fatal("the package's comment has no ACL")
	}
	for word := range strings.FieldsSeq(rules) {
		if word != "//" {
			args = append(args, strings.ReplaceAll(word, "jobs", stream))
		}
	}
	return args
}

// TestACL: the suite passes for a user who may do what is documented, and each of it is
// needed.
func TestACL(t *testing.T) {
	server := servers.StartRedis(t)
	user := func(t testing.TB, without string) *queue {
		q := newQueue(t, server)
		rules := []any{"SETUSER", q.name, "reset", "on", ">canary"}
		for _, word := range acl(t.(*testing.T), q.name) {
			if word != "+"+without {
				rules = append(rules, word)
			}
		}
		server.Do(t, "ACL", rules...)
		q.url = strings.Replace(q.url, "redis://", "redis://"+q.name+":canary@", 1)
		return q
	}
	t.Run("suite", func(t *testing.T) {
		tasks.Run(t, tasks.Harness{Lease: time.Second, New: func(t testing.TB) tasks.Queue { return user(t, "") }})
	})
	for _, word := range acl(t, "x") {
		command, granted := strings.CutPrefix(word.(string), "+")
		if !granted {
			continue
		}
		t.Run("without "+command, func(t *testing.T) {
			q := user(t, command)
			server.Do(t, "SCRIPT", "FLUSH") // what was sent once is known by its hash
			if !exercise(t, q) {
				t.Errorf("%s isn't needed", command)
			}
		})
	}
}

// exercise does all that a source can, and tells whether something was denied.
func exercise(t *testing.T, q *queue) (denied bool) {
	see := func(err error) {
		if err == nil || err == task.ErrLost {
			return
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("the password is shown: %v", err)
		}
		if kind(err) != contract.Denied {
			t.Errorf("%v is of kind %v", err, kind(err))
		}
		denied = true
	}
	q.server.Do(t, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	defer q.server.Do(t, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	s := open(t, q.url, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
	if s.Warning(t.Context()) == "" {
		return true
	}
	_, err := open(t, strings.Replace(q.url, "/0?", "/1?", 1), task.Options{RunID: "a"}).Take(t.Context())
	if kind(err) != contract.NoSuch { // it has no such stream
		see(err)
	}
	_, err = s.Count(t.Context())
	see(err)
	q.Fill(t, []byte("one"), []byte("two"))
	for range 2 {
		got, err := s.Take(t.Context())
		if see(err); got == nil {
			continue
		}
		_, err = s.Unfinished(t.Context())
		see(err)
		see(s.Keep(t.Context(), got))
		see(s.Release(t.Context(), got))
		got, err = s.Take(t.Context())
		if see(err); got == nil {
			continue
		}
		_, err = s.Fail(t.Context(), got, task.Failure{})
		see(err)
		see(s.Done(t.Context(), got)) // put aside, which it looks up
	}
	q.Fill(t, []byte("three"))
	for _, run := range []string{"b", "c"} { // who takes what another left
		_, err = open(t, q.url, task.Options{RunID: run, Lease: time.Millisecond, MaxAttempts: 1}).Take(t.Context())
		see(err)
		time.Sleep(20 * time.Millisecond)
	}
	return denied
}
