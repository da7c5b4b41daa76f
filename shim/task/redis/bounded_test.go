package redis_test

import (
	"strings"
	"testing"
	"time"

	"nth/shim/task"
	"nth/testdata/servers"
)

// most is how many entries one call may make the server look at.
const most = 50

// TestBounded: however many tasks are delayed, held, or have lost their content, each call
// looks at a few alone, also one that asks again for an answer that was lost.
func TestBounded(t *testing.T) {
	server := servers.StartRedis(t, "appendonly no")
	for name, tt := range map[string]struct {
		fill, sorted string // of the crowd's content, and in how long it is there
		index        string
	}{
		"delayed, its own":      {"x", "86400000", "1"},
		"another's":             {"x", "86400000", "2"},
		"their content is gone": {"", "86400000", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(server)
			server.Do(t, "EVAL", `
				local clock = redis.call('TIME')
				for i = 1, 50000 do
					local id, due = 'crowd-' .. i, clock[1] * 1000 + ARGV[2]
					if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], id, ARGV[1]) end
					redis.call('HSET', KEYS[2], id, cjson.encode({ attempt = 1, index = ARGV[3], run_id = 'r', gave = 'g', due = due }))
					redis.call('ZADD', KEYS[3], due, id)
					redis.call('ZADD', KEYS[4], 0, ARGV[3] .. ':' .. id)
				end`, 4, q.key("task"), q.key("meta"), q.key("lease"), q.key("owner"), tt.fill, tt.sorted, tt.index)
			p := servers.StartLossy(t, server.Address)
			s := open(t, strings.Replace(q.url, server.Address, p.Addr().String(), 1), task.Options{Index: 1, RunID: "a", Lease: time.Minute, MaxAttempts: 3})
			var got *task.Task
			step := func(what string, do func() error) {
				t.Helper()
				if n := server.Asked(t, func() {
					if err := do(); err != nil {
						t.Fatal(err)
					}
				}); n > most {
					t.Errorf("%s: the server was asked for %d entries", what, n)
				}
			}
			takes := func() (err error) { got, err = s.Take(t.Context()); return err }
			step("take", takes)
			step("unfinished", func() error {
				more, err := s.Unfinished(t.Context())
				if own := tt.index == "1"; more != own {
					t.Errorf("unfinished: %v", more)
				}
				return err
			})
			q.Fill(t, []byte("new"))
			p.Lose.Store(1)
			step("take, and again", func() error {
				if err := takes(); err == nil {
					return nil
				}
				return takes()
			})
			if got == nil || string(got.Payload) != "new" || got.Attempt != 1 {
				t.Fatalf("took %+v", got)
			}
			step("keep", func() error { return s.Keep(t.Context(), got) })
			step("give back", func() error { return s.Release(t.Context(), got) })
			step("take what was given back", takes)
			step("done", func() error { return s.Done(t.Context(), got) })
		})
	}
}
