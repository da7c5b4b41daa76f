package local

import "os"

// Attempt is one attempt of an index. Two of one index may run at the same time.
type Attempt struct {
	Index   int64
	Number  int // from 1: one more than the failures before it that count
	Ignored int // failures before it that don't
	PID     int // nth's; 0: it doesn't run yet

	signal func(os.Signal) error
}

// Signal sends nth a signal; an error where it has ended.
func (a Attempt) Signal(s os.Signal) error { return a.signal(s) }

// again is the attempt that follows, after failures that count or don't.
func (a Attempt) again(failures, ignored int) Attempt {
	return Attempt{Index: a.Index, Number: a.Number + failures, Ignored: a.Ignored + ignored}
}

// Verdict is what the end of an attempt means for its index.
type Verdict int

// The verdicts.
const (
	Counts    Verdict = iota // what the attempt ended with, with retries of one that failed
	Waits                    // nothing yet: another attempt of the index still runs
	Again                    // it runs again, as after a disruption that isn't counted
	Succeeded                // another attempt of it has succeeded
)

// Disturber disturbs a Job's attempts while they run, and says what becomes of those that it
// has disturbed. The Job calls it from one goroutine.
type Disturber interface {
	// Began is told of each attempt that was started.
	Began(a Attempt)
	// Ended is told how one has ended; final: its exit code says that no other try helps.
	Ended(a Attempt, how Failure, final bool) Verdict
	// Beside brings attempts beside which another one of their index is to run. Of one that
	// has ended by then nothing comes.
	Beside() <-chan Attempt
	// Stopping says that the Job is being stopped: nothing may be disturbed any more.
	Stopping()
}

// undisturbed is a Job that nobody disturbs.
type undisturbed struct{}

func (undisturbed) Began(Attempt)                        {}
func (undisturbed) Ended(Attempt, Failure, bool) Verdict { return Counts }
func (undisturbed) Beside() <-chan Attempt               { return nil }
func (undisturbed) Stopping()                            {}

// startBeside starts a second attempt beside one that still runs. That it can't be started
// is no failure of the index.
func (j *job) startBeside(a Attempt) {
	for c := range j.running {
		if c.PID == a.PID && !j.stopping {
			_ = j.start(a.again(0, 0))
			return
		}
	}
}
