//go:build linux

package queues

import (
	"testing"

	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestFailover: a worker that knows sentinels goes on after a failover, with the task
// that it holds. Where the new master has never heard of that, the task comes back; and
// what is done is known by its marker, if the task has a name of its own.
func TestFailover(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		forgets bool // the replica has nothing that comes after the filling
		done    bool // the task is, before the master dies
		lease   string
		runs    []string
	}{
		{"remembers", false, false, "1m", []string{"0"}},
		{"forgets the take", true, false, "1m", []string{"0", "0"}},
		{"forgets the acknowledgement", true, true, "1m", []string{"0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			master := servers.StartRedis(t, "requirepass canary")
			master.Do(t, "RPUSH", "q", "x")
			replica := master.Replicate(t)
			sentinels := servers.StartSentinels(t, master, "")
			q := &filledQueue{dead: func() int { return 0 }, left: func() int {
				waiting, dead := program.Left(t, replica, "q")
				return int(waiting + dead)
			}}
			q.flags = []string{"--tasks=redis+sentinel://:canary@" + sentinels[0].Address + "," + sentinels[1].Address + "/mymaster?queue=q"}
			s := newScene(t, q, "--task-id=<<.Task>>", "--lease="+tt.lease)
			if tt.forgets {
				replica.Do(t, "CONFIG", "SET", "masterauth", "wrong")
				master.Do(t, "CLIENT", "KILL", "TYPE", "replica")
			}
			p := s.start(0, s.slow())
			program.Appears(t, s.path("began.0"))
			if !tt.forgets {
				master.Do(t, "SET", "taken", "yes")
				replica.Has(t, "taken", "yes")
			}
			if tt.done {
				s.touch("go")
				p.ends(0, "task done")
			}
			master.Stop()
			sentinels[0].Stop()
			if tt.forgets && !tt.done {
				p.says(lostByWord)
			}
			s.touch("go")
			if tt.done {
				p = s.start(0, s.slow())
			}
			p.ends(0, "task done")
			s.settled(1, tt.runs...)
		})
	}
}
