package local

import (
	"os"
	"syscall"

	"nth/shim/proc"
)

// heed stops for a signal that has come. What has ended is looked at after that: the signal may
// have ended it, and what was stopped hasn't failed.
func (j *job) heed() {
	select {
	case s := <-j.o.Signals:
		j.stopBy(s)
	default:
	}
}

// stopBy stops for a signal; a second one ends every child at once.
func (j *job) stopBy(s os.Signal) {
	sig, _ := s.(syscall.Signal)
	now := j.o.clock.now()
	switch {
	case j.stopped.None():
		j.stopped = proc.First{Signal: sig, At: now}
		j.stop()
		return
	case j.stopped.Doubles(sig, now):
		return
	}
	select {
	case <-j.killed:
		return
	default:
	}
	close(j.killed)
	j.giveUp = j.o.clock.after(killWait)
	for c := range j.running {
		c.kill()
	}
}

// stop starts nothing more and asks every child to end.
func (j *job) stop() {
	if j.stopping {
		return
	}
	j.stopping = true
	j.o.Disturber.Stopping()
	for c := range j.running {
		_ = c.signal(syscall.SIGTERM) // nth passes it on, with its own grace
	}
}
