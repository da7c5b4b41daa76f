package edge

import (
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"nth/shim/failure"
	"nth/shim/proc"
	"nth/shim/secrets"
	"nth/shim/store"
)

// Process is what one process has once, whatever it does: every part of a run is handed
// it as it is, with a log that knows more as more is known.
type Process struct {
	World
	Log     zerolog.Logger
	Secrets *secrets.Set
	Stores  *store.Stores
	Signals *proc.Signals
	// Among is for one of several runs in a process; nil: the run has all of it.
	Among *Among
}

// Among is where a run among others writes what a run that has its process to itself writes to
// stdout and stderr.
type Among struct {
	Stdout, Stderr io.Writer // of its command
	Messages       io.Writer // its own, whole lines
}

// NewProcess gives a process that has read no secret and opened nothing yet. It logs
// nothing. Its stores' URLs are shown without what its secrets are by then.
func NewProcess(w World) Process {
	hidden := &secrets.Set{}
	return Process{World: w, Secrets: hidden, Stores: &store.Stores{Hide: hidden.Hide}}
}

// Join makes a new process one run among others, which share their connections to stores.
func (p *Process) Join(among *Among, stores *store.Stores) {
	p.Among, p.Stores = among, stores.Shared(p.Secrets.Hide)
}

// Messages is where a run says what isn't logged.
func (p Process) Messages() io.Writer {
	if p.Among != nil {
		return p.Among.Messages
	}
	return p.Stderr
}

// Outputs are where what a command writes goes; nil: to the process's own.
func (p Process) Outputs() (stdout, stderr io.Writer) {
	if p.Among == nil {
		return nil, nil
	}
	return p.Among.Stdout, p.Among.Stderr
}

// Said gives a store's or a source's error in one line, without secrets and without what
// the layers between have put around it.
func (p Process) Said(err error) string {
	return p.Secrets.Hide(failure.OneLine(store.Cause(err).Error()))
}

// Retrying logs a try that failed and will be repeated.
func (p Process) Retrying(err error, wait time.Duration) { p.RetryingTo("store", err, wait) }

// RetryingTo is Retrying for something that isn't just about a store.
func (p Process) RetryingTo(what string, err error, wait time.Duration) {
	p.Log.Warn().Dur("wait_ms", wait).Msg(what + ": " + p.Said(err) + "; trying again")
}

// Stopped is the end of a run that a stop signal reached before the command existed, at
// the step of this name.
func (p Process) Stopped(step string) error {
	sig, _ := p.Signals.Stopped()
	return &failure.Failure{Code: failure.SignalOffset + failure.Code(sig), Tried: "run the command",
		Cause: fmt.Errorf("stopped by %s before it started, at the step %q", SignalName(sig), step),
		Hint:  "nothing was run"}
}

// SignalName gives a signal's name, "" for none.
func SignalName(sig syscall.Signal) string {
	if sig == 0 {
		return ""
	}
	return proc.SignalName(sig)
}
