// Package failure is the one way in which nth fails: what was tried, on what,
// why it went wrong, what to do about it, and the exit code that follows. The
// log line, the termination message and the exit code are views of it.
package failure

import (
	"errors"
	"strings"

	"nth/shim/screen"
)

// Text is an error that is a constant: nothing has to be made for it at the start, also in
// packages that are compiled without inlining.
type Text string

func (t Text) Error() string { return string(t) }

// Code is an exit code of nth's own. The numbers are those of sysexits(3),
// chosen by what they mean for a Job: a Kubernetes pod failure policy can tell
// "this index can never succeed" from "no index can" by them.
type Code int

// The exit codes of nth's own failures.
const (
	Usage        Code = 64  // EX_USAGE: bad flag, bad template
	BadIndex     Code = 65  // EX_DATAERR: bad for this index alone
	NoInput      Code = 66  // EX_NOINPUT: a required input is missing
	Unavailable  Code = 69  // EX_UNAVAILABLE: the store or queue can't be reached
	Bug          Code = 70  // EX_SOFTWARE: a bug in nth
	NotRecorded  Code = 73  // EX_CANTCREAT: the command succeeded, its marker could not be written
	Held         Code = 75  // EX_TEMPFAIL: another pod holds this index
	Denied       Code = 77  // EX_NOPERM: the store refuses these credentials
	Setup        Code = 78  // EX_CONFIG: set up wrongly for every index
	Timeout      Code = 124 // as timeout(1): the command ran longer than --timeout
	NotRunnable  Code = 126 // as sh(1): found, but can't be executed
	NotFound     Code = 127 // as sh(1): not found
	SignalOffset      = 128 // 128+n: ended by signal n
)

// Failure is an error with everything that a person needs to act on it.
type Failure struct {
	Code  Code   // the exit code
	Tried string // what was tried, as a verb phrase: "read the marker"
	On    string // on what: a URL without credentials, a variable, a path; may be empty
	Cause error  // why it failed; may be nil
	Hint  string // what to do about it; may be empty
}

// Error gives the whole failure in one line: "read the marker s3://b/done/3.json: access denied (grant s3:GetObject)".
func (f *Failure) Error() string {
	var b strings.Builder
	b.WriteString(f.Tried)
	if f.On != "" {
		b.WriteString(" " + f.On)
	}
	if f.Cause != nil {
		b.WriteString(": " + f.Cause.Error())
	}
	if f.Hint != "" {
		b.WriteString(" (" + f.Hint + ")")
	}
	return OneLine(b.String())
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// From finds the failure in err; an error that is none is a bug of nth's, exit code 70.
func From(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Code: Bug, Tried: "run", Cause: err, Hint: "this is a bug in nth: please report it"}
}

// OneLine gives a text in one line that is safe to print, for a failure is told to people,
// and quotes what a server, a file or a command has said.
func OneLine(s string) string { return screen.Line(s) }
