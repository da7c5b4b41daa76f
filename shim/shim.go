// Package shim is one run of one index: from the number that the platform gave
// to the marker that says it is done. Run is the run as the list of its steps;
// everything else in this package is one of them.
package shim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/logs"
	"nth/shim/marker"
	"nth/shim/proc"
	"nth/shim/store"
	"nth/shim/task"
)

// steps is a run, in the order in which it happens. Their names are in the log
// and in the tests that kill nth at each of them.
var steps = []step{
	{"identify", (*run).identify},   // which index am I? logged before anything else is done
	{"expand", (*run).expand},       // the command, its variables and every URL, or nothing
	{"look", (*run).look},           // is it done already?
	{"done-if", (*run).doneIf},      // is its result there without a marker?
	{"require", (*run).require},     // are its inputs there?
	{"command", (*run).command},     // run it, and end what it leaves behind
	{"judge", (*run).judge},         // was that success?
	{"record", (*run).recordMarker}, // say so, once and for all
}

// workerSteps is a run whose items come from a queue, and taskSteps what it does for
// each of them.
var (
	workerSteps = []step{
		{"identify", (*run).identify},
		{"prepare", (*run).prepare}, // every template, and the queue
		{"tasks", (*run).pull},      // one after the other, until none is left
	}
	taskSteps = steps[1:]
	// buriedSteps tell whether a task that was put aside is done.
	buriedSteps = steps[1:3]
	// itemSteps is a run whose item is fetched by the index.
	itemSteps = append([]step{steps[0], {"fetch", (*run).fetch}}, taskSteps...)
	// eachSteps is a run that works through a shard of items.
	eachSteps = []step{
		{"identify", (*run).identify},
		{"expand", (*run).expandShard}, // all but what depends on the item
		{"look", (*run).look},
		{"done-if", (*run).doneIf},
		{"require", (*run).require},
		{"resume", (*run).resume}, // what earlier runs have done
		{"items", (*run).items},   // the command for each of the others
		{"record", (*run).recordShard},
	}
)

type step struct {
	name string
	do   func(*run) error
}

// errSettled ends a run early and well: there is nothing left to do.
var errSettled = errors.New("settled")

// Config and World are what a run is told, and what it touches.
type (
	Config = config.Config
	World  = edge.World
)

// run is the state that the steps hand on to each other.
type run struct {
	Config
	World
	log     zerolog.Logger
	signals *proc.Signals
	ctx     context.Context // ends with a stop signal that comes before the command

	id       identity.Identity
	mapping  *mapping
	item     *item
	header   marker.Header
	book     *marker.Book  // nil without --markers
	over     *marker.Entry // the marker of another command that --on-change=rerun replaces
	logs     *store.Store  // nil without --logs
	output   *logs.Log     // of the command that was started, with --logs
	result   proc.Result
	ran      bool
	outcome  string // marker.Done or marker.Skipped, once judged
	starting chan struct{}
	worker   *worker    // nil: the index is the item
	task     *task.Task // that the worker has taken, as its item
	lost     chan struct{}
	shard    *shard // with --each

	closing *atomic.Bool // somebody has taken it upon him to end the run
	closed  bool         // and that is the run itself
}

// Run runs one index and gives the process's exit code. It writes to stderr and
// the termination log only.
func Run(c Config, w World) int {
	r := &run{Config: c, World: w, log: newLogger(c.Messages.LogFormat, c.Messages.LogLevel, w.Stderr), closing: new(atomic.Bool)}
	return r.end(r.work())
}

// Refuse is a run that its flags don't allow: it fails as any other does.
func Refuse(err error, w World) int {
	path, ok := w.LookupEnv("NTH_TERMINATION_LOG")
	if !ok {
		path = config.DefaultTerminationLog
	}
	r := &run{Config: Config{Messages: config.Messages{TerminationLog: path}}, World: w, log: newLogger("auto", "info", w.Stderr), closing: new(atomic.Bool)}
	return r.end(err)
}

func (r *run) work() error {
	watch, err := r.Process.SignalConfig()
	if err != nil {
		return err
	}
	r.signals = proc.Watch(watch)
	r.ctx = r.signals.Context()
	context.AfterFunc(r.ctx, r.giveUp)
	switch {
	case r.Mapping.Each:
		return r.through(eachSteps)
	case r.Tasks.URL == "":
		return r.through(steps)
	case r.Source() != config.Queue:
		return r.through(itemSteps)
	}
	return r.through(workerSteps)
}

// through does one step after the other.
func (r *run) through(list []step) error {
	for _, s := range list {
		if !r.ran && r.ctx.Err() != nil {
			return r.stoppedBefore(s.name)
		}
		r.log.Debug().Str("step", s.name).Msg("step")
		if err := s.do(r); err != nil {
			return err
		}
	}
	return nil
}

// stuck is how long a step may take to notice a stop signal. Some can't: a stat(2)
// of a network file system whose server is gone doesn't return.
const stuck = time.Second

// giveUp ends the process after a stop signal when a step before the command
// doesn't return. It shares nothing with the step but what is said here.
func (r *run) giveUp() {
	time.Sleep(stuck)
	if !r.closing.CompareAndSwap(false, true) {
		return
	}
	last := &run{Config: r.Config, World: r.World, signals: r.signals, log: newLogger(r.Messages.LogFormat, r.Messages.LogLevel, r.Stderr), closing: new(atomic.Bool)}
	os.Exit(last.end(last.stoppedBefore("one that doesn't return")))
}

// close says that nth ends by itself from here on, or must not be ended: it is
// writing a marker. Where it has been given up already, this doesn't return.
func (r *run) close() {
	if !r.closing.CompareAndSwap(false, true) && !r.closed {
		select {}
	}
	r.closed = true
}

// end gives every failure its views: the record, the log line, the termination
// message and the exit code.
func (r *run) end(err error) int {
	r.close()
	defer r.quit()
	defer r.awaitLog()
	if err == nil || errors.Is(err, errSettled) {
		return 0
	}
	f := failure.From(err)
	if !r.ran && r.ctx != nil && r.ctx.Err() != nil && f.Code < failure.SignalOffset {
		f = failure.From(r.stoppedBefore(f.Tried)) // a call that the signal cut short
	}
	message := r.message(f)
	if r.Messages.LogFormat == "none" {
		fmt.Fprintln(r.Stderr, message) // nothing is logged, but no failure is silent
	}
	r.log.Error().Int("exit_code", int(f.Code)).Msg(message)
	reason := readTermination(r.Messages.TerminationLog)
	if reason == "" {
		r.writeTermination(message)
	}
	r.recordFailure(f, message, reason)
	return int(f.Code)
}

// policy gives the retries of a store call within a window.
func (r *run) policy(window time.Duration) store.Policy {
	return store.Policy{Window: window, PerCall: r.Stores.StoreTimeout}
}

// retrying logs a try that failed and will be repeated.
func (r *run) retrying(err error, wait time.Duration) {
	r.log.Warn().Dur("wait_ms", wait).Msg("store: " + r.said(err) + "; trying again")
}

// said gives a store's error without what the layers between have put around it.
func (r *run) said(err error) string {
	return r.mask(failure.OneLine(store.Fail(err, failure.TheJob, "", "").Cause.Error()))
}
