package redis_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/redis"
	"nth/shim/task/redis/server"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// TestSentinels: the master is found by its name, whoever of the sentinels answers, and
// found again after a failover.
func TestSentinels(t *testing.T) {
	master := servers.StartRedis(t, "requirepass canary-master")
	q := newQueue(master)
	q.Fill(t, []byte("one"), []byte("two"))
	replica := master.Replicate(t)
	sentinels := servers.StartSentinels(t, master, "canary-sentinel")
	of := func(hosts, master, rest string) *redis.Source {
		t.Helper()
		u, err := server.URL("redis+sentinel://:canary-master@" + hosts + "/" + master + "?queue=" + q.name + rest)
		if err != nil {
			t.Fatal(err)
		}
		s, err := redis.Open(u, task.Options{RunID: "a", Lease: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s.(*redis.Source)
	}
	const password = "&sentinel_password=canary-sentinel"
	some := sentinels[0].Address
	for _, tt := range []struct {
		name string
		s    *redis.Source
		want contract.Kind
		says string
	}{
		{"another name", of(some, "nobody", password), contract.NoSuch, "the sentinel " + some + ": it knows no master of this name"},
		{"no password", of(some, "mymaster", ""), contract.Denied, "NOAUTH"},
		{"a wrong one", of(some, "mymaster", "&sentinel_password=canary"), contract.Denied, "WRONGPASS"},
		{"nobody there", of("127.0.0.1:1,127.0.0.1:2", "mymaster", password), contract.Unreachable, "the sentinel 127.0.0.1:1: "},
		{"no sentinel", of(master.Address, "mymaster", "&sentinel_password=canary-master"), contract.Unsupported, "unknown command"},
		{"one is none", of(master.Address+",127.0.0.1:1", "mymaster", "&sentinel_password=canary-master"), contract.Unreachable, "the sentinel 127.0.0.1:1: "},
	} {
		_, err := tt.s.Take(t.Context())
		if kind(err) != tt.want || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v is of kind %v", tt.name, err, kind(err))
		}
		hidden(t, err)
	}

	hosts := "127.0.0.1:1," + sentinels[0].Address + "," + sentinels[1].Address + "," + sentinels[2].Address
	s := of(hosts, "mymaster/0", password)
	one, err := s.Take(t.Context())
	if err != nil || one == nil {
		t.Fatal(one, err)
	}
	sentinels[0].Stop()
	master.Stop()
	until(t, func() error { return s.Keep(t.Context(), one) })
	if err := s.Done(t.Context(), one); err != nil {
		t.Errorf("done: %v", err)
	}
	q.server = replica
	if n := q.Left(t); n != 1 {
		t.Errorf("%d are left", n)
	}
	replica.Do(t, "CLIENT", "KILL", "TYPE", "normal")
	var two *task.Task
	until(t, func() (err error) { two, err = s.Take(t.Context()); return err })
	if two == nil || string(two.Payload) != "two" {
		t.Errorf("took %+v", two)
	}
}

// until calls until it succeeds; before that, the server is unreachable.
func until(t *testing.T, call func() error) {
	t.Helper()
	for deadline := time.Now().Add(harness.Patience); ; time.Sleep(20 * time.Millisecond) {
		err := call()
		hidden(t, err)
		if err == nil {
			return
		}
		if e, ok := errors.AsType[*contract.Error](err); !ok || e.Kind != contract.Unreachable || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
