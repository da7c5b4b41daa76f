//go:build !windows

// Package proc runs commands as a process 1 should: every signal reaches them, every
// orphan is reaped, and when a command ends nothing of it is left.
//
// Watch comes first of all; then Run for one command, and for another after Again, or
// RunMany for many. Both own a set of commands, through which signals reach them
// (signals.go, set.go), and end in one way what these leave behind (sweep.go). They differ
// in how they wait: one command has the terminal, a drain and its time (run.go), of many
// as many as can be are started in a second (many.go, slot.go).
package proc

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// Command is what to run, and how long it may take to stop. Times that are negative are as
// 0 is.
type Command struct {
	// Args are the program, looked for in the PATH of Env if it has no slash, and its
	// arguments: one word at least. Env is the whole environment, each NAME=value.
	Args, Env []string
	// StderrTail is how many bytes of the end of stderr are kept, 0: none.
	StderrTail int
	// Out and Err are where what it writes goes; nil: to nth's own. What can't be written there is
	// as if it couldn't to nth's own.
	Out, Err io.Writer
	// Stdout and Stderr get a copy of what the command writes there, and are closed when
	// nothing more comes; their errors change nothing. An output of which nothing is
	// wanted (nil, and no tail), and a terminal, is handed over untouched.
	Stdout, Stderr io.WriteCloser
	// StopGrace is how long after the first stop signal its group is killed, 0: no
	// limit; OwnStopGrace the same for a stop that nth begins.
	StopGrace, OwnStopGrace time.Duration
	// SweepGrace is how long after its end what it leaves behind is killed, 0: at once.
	// After a stop signal what is left of StopGrace counts instead.
	SweepGrace time.Duration
	// Timeout is how long after its start it is stopped, 0: never.
	Timeout time.Duration
	// Drain is how long the first stop signal is held back, so that the command may end
	// its work; the next one is passed on at once. 0: not at all.
	Drain time.Duration
	// Cancel, when it is closed, stops the command as a timeout does; nil: never.
	// CancelGrace, asked then, is how long it may take where that is shorter than
	// OwnStopGrace; nil: no shorter.
	Cancel      <-chan struct{}
	CancelGrace func() time.Duration
	Stdin       *os.File // nil: nth's own
	// Feed is read into the command's stdin instead. Its io.EOF, itself and unwrapped, is
	// the command's end of file; any other error stops the command as a timeout does, and
	// it never sees an end. It is closed, whatever comes of the run: as soon as nobody
	// reads stdin any more, perhaps while it is read, which returns then.
	Feed io.ReadCloser
	// Take gets what is written to stdout until nothing is left of the command, and Stdout,
	// which is left alone, and nth's own stdout get nothing. Its error stops the command as a timeout does.
	// TakeGrace is how long it has for what is left when nothing is left of the command, 0:
	// no limit; less after a stop that has a limit, and for a command that a signal ended.
	Take      Sink
	TakeGrace time.Duration
	Extra     []*os.File // its descriptors from 3 on
	Log       zerolog.Logger
	OnStart   func() // it has been started; may be nil
	// OnStop is called, in the goroutine of Run, when there is a stop signal: one that nth
	// holds back, and one that the command got. It may be nil.
	OnStop func()
}

// Result is how a command ended. It is no error that it failed: the fields tell.
type Result struct {
	ExitCode        int            // its own, or 128+n
	Signal          syscall.Signal // that ended it; 0: none
	Stop            syscall.Signal // the first stop signal while it ran; 0: none
	TimedOut        bool           // nth stopped it at Timeout
	Cancelled       bool           // nth stopped it at Cancel
	OOMKilled       bool           // the kernel killed something of this container for memory meanwhile
	Started, Ended  time.Time      // of the command itself, by this machine's clock
	MaxRSS          int64          // bytes, of the command and those that it waited for, each; of many commands 0: less than nth's own
	User, System    time.Duration  // of processor, theirs together
	Stderr          []byte         // its end, StderrTail bytes at most
	StderrTruncated bool           // more was written than is kept
	Fed             error          // why nth stopped it before Feed had come to its end
	Taken           error          // why Take hasn't got all of stdout: nth stopped the command, or couldn't wait (ErrUntaken)
	Unpassed        error          // why something that it wrote to stdout couldn't be passed on; nil too if only nobody reads any more
	Leftovers       int            // processes that it left behind and nth ended; of many commands, 1 for any number
}

// ErrStopped is the error of a run that a stop signal ended before the command existed.
// Stopped tells which it was.
var ErrStopped = errors.New("stopped before the command started")
