package proc

import (
	"syscall"
	"time"
)

// Doubled is for how long the same stop signal once more is no second one: timeout(1) signals its
// child and then its own group, which that is in (coreutils 9.1, timeout.c, cleanup), and Grid
// Engine a job's group and then each of its processes (8.1.9: within 15 ms).
const Doubled = 500 * time.Millisecond

// First is the first stop signal, and when it came. The zero value: none has come.
type First struct {
	Signal syscall.Signal
	At     time.Time
}

// Doubles tells whether a signal at this time is the first one once more.
func (f First) Doubles(sig syscall.Signal, at time.Time) bool {
	return sig == f.Signal && at.Sub(f.At) < Doubled
}

// None tells whether nobody has sent one. That a reader is gone (SIGPIPE) stops too, and is no
// first one: both have had the same Ctrl-C perhaps.
func (f First) None() bool { return f.Signal == 0 || f.Signal == syscall.SIGPIPE }
