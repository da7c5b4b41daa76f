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

// TestCancelled: who ran when all were cancelled is known; who had ended by then, though nobody
// had taken note of it, has done so by itself.
func TestCancelled(t *testing.T) {
	c := &crew{s: newSignals(&host{}, SignalConfig{}), slots: make([]slot, 3)}
	for i, name := range []string{"sleep", "true"} {
		cmd := exec.Command(name, []string{"1000", ""}[i])
		cmd.SysProcAttr = attributes(true)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Wait() }()
		c.slots[i].pid, c.slots[i].phase = cmd.Process.Pid, running
		c.s.set.list = append(c.s.set.list, &c.slots[i].process)
	}
	for !isOver(c.slots[1].pid) {
		time.Sleep(time.Millisecond)
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
