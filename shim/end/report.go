// Package end is the end of a run: whatever it did, and however far it came, its failure
// has four views (the record, the log line, the termination message, the exit code), made
// here and nowhere else.
package end

import (
	"errors"

	"nth/shim/edge"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/output"
	"nth/shim/record"
)

// Report is what a run, or one item of it, has come to.
type Report struct {
	Err     error         // nil: all is well
	Header  marker.Header // of documents about it; without a RunID nothing is known yet
	Record  record.Record // where its failure is kept
	Output  *output.Keeper
	QuitURL expand.Text
	OfTask  bool // a worker's: the command of a task ran, and no signal has cut a call short
}

// Evidence is what is known of a command that ran. A failure that came after it carries
// it along, as an *Error.
type Evidence struct {
	marker.Usage
	Judged      bool   // the command was found to have succeeded: what failed is something else
	Log         string // URL of the kept output
	Stderr      string // its end, as it may be shown
	Signal      string // that ended it
	Stop        string // the first stop signal while it ran
	Retries     int    // how often it had failed before in the same run
	Code        *int   // its own exit code; nil: a signal ended it, or it is of several
	TimedOut    bool
	LeaseLost   bool // nth stopped it, for the lease was lost
	OOMKilled   bool
	ItemsFailed string // of a shard, as ranges
	FirstFailed string // the first of them, as a person calls it
}

// Error is an error after a command ran.
type Error struct {
	Err      error
	Evidence Evidence
}

// Error is that of the cause.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// After gives an error with what is known of the command that ran before it; nil stays nil.
func After(err error, e Evidence) error {
	if err == nil {
		return nil
	}
	return &Error{err, e}
}

// Ran tells what is known of the command that ran before an error; false: none did.
func Ran(err error) (Evidence, bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Evidence, true
	}
	return Evidence{}, false
}

// document is the record of a failure.
func (r Report) document(p edge.Process, f *failure.Failure, message, reason string) marker.Failure {
	doc := r.Record.Failure(r.Header, f, message)
	doc.Reason = p.Secrets.Hide(reason)
	if e, ran := Ran(r.Err); ran {
		doc.Usage, doc.Log = e.Usage, e.Log
		doc.Stderr, doc.ItemsFailed, doc.FirstFailed = e.Stderr, e.ItemsFailed, e.FirstFailed
		doc.TimedOut, doc.LeaseLost, doc.OOMKilled = e.TimedOut, e.LeaseLost, e.OOMKilled
		doc.Retries = e.Retries
		doc.Signal, doc.StopSignal, doc.CommandCode = e.Signal, e.Stop, e.Code
	}
	return doc
}

// Fail keeps a failure in the record, unless it is none of the item's: a stop before the
// command existed, or that somebody else works at it.
func (r Report) Fail(p edge.Process, f *failure.Failure, message, reason string) {
	if _, ran := Ran(r.Err); !ran && (f.Code > failure.SignalOffset || f.Code == failure.Held) {
		return
	}
	r.Record.Failed(r.document(p, f, message, reason))
}
