// Package local runs a whole Indexed Job on one machine: each index as a pod would run it,
// in this process or as an nth of its own, with what the Job controller does
// around it (parallelism, retries with a growing delay, the failure policy by
// exit code, a limit of failed indexes).
package local

import (
	"context"
	"os"
	"runtime"
	"time"

	"nth/shim/failure"
	"nth/shim/policy"
	"nth/shim/task"
)

// The Job controller waits 10 s before the first retry of an index, doubling up
// to 10 min (kubernetes pkg/controller/job/job_controller.go). Nothing has to be
// scheduled or pulled here, so the defaults are a tenth of that.
const (
	DefaultRetryDelay    = time.Second
	DefaultRetryDelayMax = time.Minute

	// DefaultBackoffLimit is the number of retries of an index in the manifest.
	DefaultBackoffLimit = 3
)

// Options says what to run. Only Completions and Self must be set.
type Options struct {
	Completions int64   // of the Job; indexes are 0 to Completions-1
	Indexes     []int64 // the indexes to run, in this order; nil means all

	Parallelism   int              // children at the same time; 0 means one for each CPU
	BackoffLimit  int              // retries of an index after its first failure; 0 means none
	MaxFailed     policy.MaxFailed // more failed indexes than this end the Job; the zero value is the default
	RetryDelay    time.Duration    // before the first retry, doubled for each further one; 0 means DefaultRetryDelay
	RetryDelayMax time.Duration    // the longest delay; 0 means DefaultRetryDelayMax

	Self    string   // the path of nth
	Args    []string // its arguments, from "run" on
	Inside  *Inside  // runs the attempts in this process; nil: each is an nth of its own
	Environ []string // the environment, as os.Environ gives it
	Remove  []string // names that no child sees: the variables of all platforms

	// Workers says that the indexes are those of a queue.
	Workers bool
	// Tasks counts the tasks of the queue that the indexes work through; nil: nobody can.
	Tasks func(context.Context) (task.Counts, error)

	Stdout, Stderr *os.File
	Progress       string // "auto" (on a terminal, also the zero value), "always" or "never"

	// Signals brings the signals that stop: at the first one every child gets
	// SIGTERM, at the second SIGKILL. The caller calls signal.Notify.
	Signals <-chan os.Signal

	// Disturber disturbs the attempts while they run; nil: nobody does.
	Disturber Disturber

	clock clock // tests replace it
}

// clock is what the retries know of time.
type clock struct {
	now   func() time.Time
	after func(time.Duration) <-chan time.Time
}

// Run runs every index and returns when no child is left. A cancelled context
// stops as SIGTERM does. The error is a *failure.Failure and says that the Job
// could not be run at all; failed indexes are not an error but in the Summary.
func Run(ctx context.Context, o Options) (Summary, error) {
	if err := o.complete(); err != nil {
		return Summary{}, err
	}
	if o.Inside == nil {
		// Children die with the thread that started them (PDEATHSIG), so all are
		// started from here, and this goroutine keeps its thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	defer catchBrokenPipe()()

	j := newJob(&o)
	defer j.close()
	err := j.ready()
	if err == nil {
		err = j.loop(ctx)
	}
	return j.summary(), err
}

// complete puts the defaults in and refuses what makes no sense.
func (o *Options) complete() error {
	bad := func(on, hint string) error {
		return &failure.Failure{Code: failure.Usage, Tried: "run the Job locally: " + on, Hint: hint}
	}
	switch {
	case o.Completions < 1:
		return bad("no indexes", "give --completions N, at least 1, or auto for as many as --tasks has rows or objects")
	case o.Parallelism < 0:
		return bad("--parallelism is negative", "0 means one for each CPU")
	case o.BackoffLimit < 0:
		return bad("--backoff-limit-per-index is negative", "0 means no retries")
	case o.RetryDelay < 0 || o.RetryDelayMax < 0:
		return bad("the delay before a retry is negative", "give a duration such as 1s")
	}
	seen := make(map[int64]struct{}, len(o.Indexes))
	for _, i := range o.Indexes {
		_, twice := seen[i]
		if i < 0 || i >= o.Completions || twice {
			return bad("index "+itoa(i)+" is not one of the Job's, or given twice",
				"indexes go from 0 to "+itoa(o.Completions-1))
		}
		seen[i] = struct{}{}
	}
	if o.Parallelism == 0 {
		o.Parallelism = runtime.NumCPU()
	}
	if o.RetryDelay == 0 {
		o.RetryDelay = DefaultRetryDelay
	}
	if o.RetryDelayMax == 0 {
		o.RetryDelayMax = DefaultRetryDelayMax
	}
	if o.Disturber == nil {
		o.Disturber = undisturbed{}
	}
	if o.clock.now == nil {
		o.clock = clock{time.Now, time.After}
	}
	return nil
}

// Total is the number of indexes to run.
func (o *Options) Total() int64 {
	if o.Indexes != nil {
		return int64(len(o.Indexes))
	}
	return o.Completions
}
