package local

import (
	"errors"
	"syscall"
)

// stopUnwritten stops the Job when its own output can't be written. A reader who has
// enough is no failure of anything (nth local | head): it is as a signal.
func (j *job) stopUnwritten(why error) {
	switch {
	case j.stopped.Signal != 0:
	case cutOff(why):
		j.unwritten = why
		j.stop()
	default:
		j.stopBy(syscall.SIGPIPE)
	}
}

// cutOff tells whether something was lost that somebody waits for: the disk is full, say. What
// nobody waits for fails nothing, and isn't done either: perhaps the reader's disk is full.
func cutOff(err error) bool { return err != nil && !errors.Is(err, syscall.EPIPE) }
