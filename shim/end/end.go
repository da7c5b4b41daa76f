package end

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/screen"
	"nth/shim/store/web"
)

// Ending sees to it that a run ends once: by itself, or by being given up.
type Ending struct {
	messages config.Messages
	taken    atomic.Bool // somebody has taken it upon him to end the run
	own      bool        // and that is the run itself
	whole    *Ending     // of a part; nil: it is the whole
	parts    parts

	// Reason is told the termination message of a run among others; nil: nobody asks.
	Reason func(message string)
	// Unsaid tells of such a run that nobody need be told if a stop signal ends it now: its
	// command ended well before, and dozens may wait so. Nil: everybody is told.
	Unsaid func() bool
}

// New gives the ending of a run.
func New(m config.Messages) *Ending { return &Ending{messages: m} }

// stuck is how long a step may take to notice a stop signal. Some can't: a stat(2) of a
// network file system whose server is gone doesn't return.
const stuck = time.Second

// Watch gives the run up after a stop signal when a step before the command doesn't
// return: exit, os.Exit say, is given the code. The function is for when the run has ended.
func (e *Ending) Watch(p edge.Process, exit func(code int)) (over func() bool) {
	return context.AfterFunc(p.Signals.Context(), func() {
		for {
			time.Sleep(stuck)
			if e.parts.open(stuck) && e.taken.CompareAndSwap(false, true) {
				exit(e.tell(p, Report{}, failure.From(p.Stopped("one that doesn't return"))))
				return
			}
			if !e.parts.exist() {
				return
			}
		}
	})
}

// Asked tells whether anybody reads the termination message.
func (e *Ending) Asked() bool { return e.Reason != nil || IsRegular(e.messages.TerminationLog) }

// Close says that nth ends by itself from here on, or must not be ended: it is writing a
// marker. Where it has been given up already, this doesn't return.
func (e *Ending) Close() {
	switch {
	case e.own:
		return
	case e.whole != nil:
		e.whole.parts.close(e.whole)
	case e.parts.exist():
		e.parts.close(e)
	case !e.taken.CompareAndSwap(false, true):
		select {}
	}
	e.own = true
}

// Reopen says that a marker is written, and that nth may be given up again.
func (e *Ending) Reopen() {
	if !e.own {
		return
	}
	e.own = false
	if e.whole != nil {
		e.whole.parts.reopen(e.whole)
		return
	}
	e.taken.Store(false)
}

// End gives a run's failure its views, and the exit code.
func (e *Ending) End(p edge.Process, r Report) int {
	e.Close()
	defer e.quit(p, r.QuitURL)
	defer r.Output.Wait(p)
	if r.Err == nil {
		return 0
	}
	f := failure.From(r.Err)
	if _, ran := Ran(r.Err); !ran && !r.OfTask && p.Signals != nil && p.Signals.Context().Err() != nil && f.Code < failure.SignalOffset {
		f = failure.From(p.Stopped(f.Tried)) // a call that the signal cut short
	}
	return e.tell(p, r, f)
}

func (e *Ending) tell(p edge.Process, r Report, f *failure.Failure) int {
	message := Message(p, r.Header, f)
	e.say(p, f, message)
	reason := readTermination(e.messages.TerminationLog)
	evidence, _ := Ran(r.Err)
	text := termination(message, evidence.Stderr)
	if reason == "" {
		writeTermination(e.messages.TerminationLog, text)
	} else {
		text = reason
	}
	if e.Reason != nil {
		e.Reason(text)
	}
	r.Fail(p, f, message, reason)
	return int(f.Code)
}

func (e *Ending) say(p edge.Process, f *failure.Failure, message string) {
	if f.Code > failure.SignalOffset && e.Unsaid != nil && e.Unsaid() {
		p.Log.Debug().Int("exit_code", int(f.Code)).Msg(message)
		return
	}
	if e.messages.LogFormat == "none" {
		screen.Tell(p.Messages(), "%s", message) // nothing is logged, but no failure is silent
	}
	p.Log.Error().Int("exit_code", int(f.Code)).Msg(message)
}

// quitDeadline bounds the call that tells a sidecar to end.
const quitDeadline = 5 * time.Second

// quit tells a mesh sidecar, which would keep the pod alive, that the run is over
// (Istio: http://127.0.0.1:15020/quitquitquit). Best effort.
func (e *Ending) quit(p edge.Process, url expand.Text) {
	if url.Value == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), quitDeadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url.Value, nil)
	if err == nil {
		var res *http.Response
		if res, err = web.Client().Do(req); err == nil {
			res.Body.Close()
		}
	}
	if err != nil {
		p.Log.Warn().Msg("tell --quit-url: " + failure.OneLine(err.Error()))
	}
}
