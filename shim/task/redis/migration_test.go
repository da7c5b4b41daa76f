package redis_test

import (
	"net"
	"strings"
	"testing"
	"time"

	redigo "github.com/gomodule/redigo/redis"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

// TestMigration: while a queue's slot goes to another node of a cluster, its tasks are
// had from where all the keys are; with some here and some there, nobody can have them.
func TestMigration(t *testing.T) {
	nodes := servers.StartRedisCluster(t)
	var from, to *servers.Redis
	var ids [2]string
	q := newQueue(nodes[0])
	slot, err := redigo.Int(nodes[0].Do(t, "CLUSTER", "KEYSLOT", q.name), nil)
	if err != nil {
		t.Fatal(err)
	}
	from, to = nodes[slot/5462], nodes[(slot/5462+1)%3]
	for i, n := range []*servers.Redis{from, to} {
		ids[i] = string(n.Do(t, "CLUSTER", "MYID").([]byte))
	}
	for user, more := range map[string]string{"nth": "+asking", "other": "-asking"} {
		rules := append([]any{"SETUSER", user, "reset", "on", ">canary"}, acl(t, q.name)...)
		for _, n := range nodes {
			n.Do(t, "ACL", append(rules, more)...)
		}
	}
	q.server, q.url = from, "redis://nth:canary@"+from.Address+"?queue="+q.name
	worker := func(user string) task.Source {
		return open(t, strings.Replace(q.url, "nth:", user+":", 1), task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 1})
	}
	s, other := worker("nth"), worker("other")
	take := func(s task.Source) *task.Task {
		t.Helper()
		got, err := s.Take(t.Context())
		if err != nil || got == nil {
			t.Fatal(got, err)
		}
		return got
	}
	q.Fill(t, []byte("dead"), []byte("one"), []byte("two")) // so that each key is there
	if dead, err := s.Fail(t.Context(), take(s), task.Failure{}); !dead || err != nil {
		t.Fatal(dead, err)
	}
	one := take(s)

	to.Do(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
	from.Do(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
	keep := func(s task.Source, want contract.Kind, says string) {
		t.Helper()
		err := s.Keep(t.Context(), one)
		hidden(t, err)
		if kind(err) != want || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("keep: %v is of kind %v", err, kind(err))
		}
	}
	keep(s, ok, "")
	host, port, _ := net.SplitHostPort(to.Address)
	migrate := func(names ...string) {
		args := []any{host, port, "", 0, 5000, "KEYS"}
		for _, name := range names {
			args = append(args, name)
		}
		from.Do(t, "MIGRATE", args...)
	}
	migrate(q.name, q.key("lease"), q.key("task"))
	keep(s, contract.Unreachable, "TRYAGAIN")
	migrate(q.key("meta"), q.key("owner"), q.key("dead"), q.key("reason"), q.key("taken"))
	keep(s, ok, "")
	keep(s, ok, "")
	keep(other, contract.Denied, "asking")
	if more, err := s.Unfinished(t.Context()); !more || err != nil {
		t.Errorf("unfinished: %v, %v", more, err)
	}
	two := take(worker("nth"))

	for _, n := range []*servers.Redis{to, from} {
		n.Do(t, "CLUSTER", "SETSLOT", slot, "NODE", ids[1])
	}
	for _, got := range []*task.Task{one, two} {
		if err := s.Done(t.Context(), got); err != nil {
			t.Errorf("done: %v", err)
		}
	}
	q.server = to
	if n := q.Left(t); n != 0 || len(q.Dead(t)) != 1 {
		t.Errorf("%d are left, %d dead", n, len(q.Dead(t)))
	}
}
