// Package proc runs one command as a process 1 should: every signal reaches it,
// every orphan is reaped, and when it ends nothing of it is left.
package proc

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// Command is what to run, and how long it may take to stop.
type Command struct {
	Args, Env []string
	// StderrTail is how many bytes of stderr are kept.
	StderrTail int
	// Stdout and Stderr get a copy of what the command writes there, and are closed when
	// nothing more comes. An output of which nothing is wanted, and a terminal, is
	// handed over untouched.
	Stdout, Stderr io.WriteCloser
	// StopGrace is how long after the first stop signal its group is killed, 0: no
	// limit; OwnStopGrace the same for a stop that nth begins.
	StopGrace, OwnStopGrace time.Duration
	SweepGrace              time.Duration // for what it leaves behind
	Timeout                 time.Duration // 0: none
	// Drain is how long the first stop signal is held back, so that the command may end
	// its work; the next one is passed on at once. 0: not at all.
	Drain time.Duration
	// Cancel, when it is closed, stops the command as a timeout does; nil: never.
	Cancel  <-chan struct{}
	Stdin   *os.File   // nil: nth's own
	Extra   []*os.File // its descriptors from 3 on
	Log     zerolog.Logger
	OnStart func() // may be nil
	OnStop  func() // there is a stop signal, the command's or one that nth holds back; may be nil
}

// Result is how a command ended.
type Result struct {
	ExitCode        int            // its own, or 128+n
	Signal          syscall.Signal // that ended it; 0: none
	Stop            syscall.Signal // the first stop signal while it ran; 0: none
	TimedOut        bool
	Cancelled       bool
	OOMKilled       bool
	Started, Ended  time.Time
	MaxRSS          int64 // bytes, of the command and those that it waited for
	User, System    time.Duration
	Stderr          []byte // its end
	StderrTruncated bool   // more was written than is kept
	Leftovers       int    // processes that it left behind
}

// ErrStopped is a run that a stop signal ended before the command existed.
var ErrStopped = errors.New("stopped before the command started")
