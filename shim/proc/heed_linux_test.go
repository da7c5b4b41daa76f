package proc

import (
	"os/exec"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSoonerKill: what is to be killed soon, for a lease is lost, isn't killed later for the sake
// of a stop signal, nor the other way round.
func TestSoonerKill(t *testing.T) {
	for name, grace := range map[string][2]time.Duration{"lost first": {time.Minute, time.Hour}, "stopped first": {time.Hour, time.Minute}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cancel, done := make(chan struct{}), make(chan struct{})
				c := &crew{s: newSignals(&host{}, SignalConfig{}), m: Many{Cancel: cancel, CancelGrace: func() time.Duration { return grace[0] }, StopGrace: grace[1]}}
				go c.heedStop(done)
				ways := []func(){func() { close(cancel) }, func() { poke(c.s.wake.stop) }}
				if grace[0] > grace[1] {
					ways[0], ways[1] = ways[1], ways[0]
				}
				began := time.Now()
				for _, way := range ways {
					way()
					synctest.Wait()
				}
				if in := c.killAt.Sub(began); in != time.Minute {
					t.Errorf("all is killed in %s", in)
				}
				close(done)
			})
		})
	}
}

// begun starts a process in a group of its own, as a command is; where it ends by itself, it has
// ended, and nobody has taken note of it.
func begun(t *testing.T, name string, args ...string) process {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = attributes(true)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for len(args) == 0 && !isOver(cmd.Process.Pid) {
		time.Sleep(time.Millisecond)
	}
	return process{phase: running, pid: cmd.Process.Pid}
}

// TestCancelled: who ran when all were cancelled is known; who had ended by then, though nobody
// had taken note of it, has done so by itself.
func TestCancelled(t *testing.T) {
	c := &crew{s: newSignals(&host{}, SignalConfig{}), slots: make([]slot, 3)}
	c.slots[0].process, c.slots[1].process = begun(t, "sleep", "1000"), begun(t, "true")
	for i := range c.slots {
		c.s.set.list = append(c.s.set.list, &c.slots[i].process)
	}
	c.cancel()
	for i, want := range []bool{true, false, false} {
		if c.slots[i].cancelled != want {
			t.Errorf("slot %d: %v", i, !want)
		}
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(c.slots[0].pid, &status, 0, nil); err != nil || status.Signal() != syscall.SIGTERM {
		t.Error(status, err)
	}
}

// TestLateStop: what has ended by itself isn't stopped, for its time was over say, when nth is
// late to see both: it was paused, or the machine busy.
func TestLateStop(t *testing.T) {
	for _, tt := range []struct {
		p    process
		want bool
	}{{begun(t, "true"), false}, {begun(t, "sleep", "1000"), true}} {
		r := &runner{s: newSignals(&host{}, SignalConfig{}), process: tt.p, cmd: Command{OwnStopGrace: time.Hour}}
		r.s.set = set{phase: running, list: []*process{&r.process}}
		if got := r.stop(); got != tt.want || r.due.killAt.IsZero() == tt.want {
			t.Errorf("stopped: %v; to be killed at %v", got, r.due.killAt)
		}
	}
}

// TestLateSignal: as process 1, which a platform signals and nobody else, nth knows that a stop
// signal has ended nothing which had ended before it came, when it is late to see both.
func TestLateSignal(t *testing.T) {
	ended, runs := begun(t, "true"), begun(t, "sleep", "1000")
	for _, tt := range []struct {
		p    process
		pid1 bool
		want syscall.Signal
	}{{ended, true, 0}, {ended, false, syscall.SIGTERM}, {runs, true, syscall.SIGTERM}} {
		s := newSignals(&host{pid1: tt.pid1}, SignalConfig{Stop: []syscall.Signal{syscall.SIGTERM}})
		s.set = set{phase: running, list: []*process{&tt.p}}
		s.handle(syscall.SIGTERM)
		if first, _ := s.Stopped(); s.stop.while != tt.want || first != syscall.SIGTERM {
			t.Errorf("%+v: it had %s while it ran, %s came", tt, SignalName(s.stop.while), SignalName(first))
		}
	}
}
