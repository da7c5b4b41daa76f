package source

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/httpapi"
	"nth/templates"
)

// apiURLs are the calls of an HTTP API beside that of --tasks.
var apiURLs = []struct {
	flag string
	of   func(*config.API) string
	to   func(*httpapi.Settings) *string
}{
	{"--keep-url", func(a *config.API) string { return a.KeepURL }, func(s *httpapi.Settings) *string { return &s.Keep }},
	{"--done-url", func(a *config.API) string { return a.DoneURL }, func(s *httpapi.Settings) *string { return &s.Done }},
	{"--fail-url", func(a *config.API) string { return a.FailURL }, func(s *httpapi.Settings) *string { return &s.Fail }},
	{"--unfinished-url", func(a *config.API) string { return a.UnfinishedURL }, func(s *httpapi.Settings) *string { return &s.Unfinished }},
}

// told gives what the body of a call to an HTTP API may name beside the fields of every
// template, and whether there is such a call.
func told(call string) (more []string, known bool) {
	switch call {
	case "take", "keep":
		return []string{"Lease"}, true
	case "done":
		return nil, true
	case "fail":
		return []string{"Delay", "Reason", "MaxAttempts", "Dead", "Release"}, true
	}
	return nil, false
}

// body reads CALL=TEMPLATE, the template of a JSON text.
func (p *parser) body(assignment string) expand.Named {
	name, text, ok := strings.Cut(assignment, "=")
	more, known := told(name)
	if !ok || !known {
		p.Fail("--http-body", errors.New("it is not CALL=TEMPLATE, with the CALL take, keep, done or fail"), `write --http-body 'done={"job": <<.TaskID>>}'`)
		return expand.Named{Name: name, Template: p.One("--http-body", "")}
	}
	t, err := templates.ParseJSON(text, more...)
	if err == nil && name == "take" && t.UsesTask() {
		err = errors.New(".Task, .TaskID, .Receipt and .Meta are of a task, and there is none yet")
	}
	if err != nil {
		p.Fail("--http-body "+name, err, "")
	}
	return expand.Named{Name: name, Template: t}
}

// openAPI opens a queue behind an HTTP API, whose further URLs, headers and bodies are
// flags.
func (o *opener) openAPI(u *url.URL, opts task.Options) (task.Source, error) {
	s := httpapi.Settings{Take: u.String(), OwnID: o.Config.Tasks.TaskID != "",
		Body: map[string]func(httpapi.Call) (string, error){}}
	x := o.Expander(o.Fields(), o.Secrets)
	for i, call := range o.mapping.calls {
		*apiURLs[i].to(&s) = x.Named(call).Value
	}
	if x.Err != nil {
		return nil, x.Err
	}
	if _, err := o.Headers(); err != nil {
		return nil, err
	}
	s.Headers = o.Headers
	for _, b := range o.mapping.bodies {
		s.Body[b.Name] = func(c httpapi.Call) (string, error) { return o.body(b, c, opts) }
	}
	if s.Keep == "" || s.Done == "" {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "open the queue", On: "--tasks", Cause: errors.New("an HTTP API needs --keep-url and --done-url"), Hint: "{id} in them is the task's"}
	}
	return httpapi.New(s, opts)
}

// Headers gives those of a request that is made now: a token in a file is replaced from
// time to time. An error is a failure; that a file isn't there is no fault of the index.
func (c Caller) Headers() (http.Header, error) {
	x := c.Expander(c.Fields(), c.keep)
	all := http.Header{}
	for _, h := range c.mapping.headers {
		value := strings.TrimSpace(x.Named(h).Value) // a file's last line ends too
		if what := contract.Control(value); what != "" && x.Err == nil {
			x.Err = c.uncontrolled(h, what)
		}
		all.Set(strings.TrimPrefix(h.Name, "--http-header "), value)
	}
	if x.Err != nil {
		if f := failure.From(x.Err); f.Code == failure.BadIndex {
			f.Code = failure.Denied
		}
	}
	return all, x.Err
}

// uncontrolled is the failure of a header that can't be sent, by the name of the variable
// that is to blame, if one is.
func (c Caller) uncontrolled(h expand.Named, what string) error {
	f := &failure.Failure{Code: failure.Setup, Tried: "make", On: h.Name, Cause: errors.New("it " + what), Hint: contract.HintControl}
	for _, name := range h.Variables() {
		value, _ := c.LookupEnv(name)
		if what := contract.Control(value); what != "" {
			f.Cause = fmt.Errorf("the variable %s %s", name, what)
		}
	}
	return f
}

// body gives that of one call.
func (o *opener) body(b expand.Named, c httpapi.Call, opts task.Options) (string, error) {
	f := o.Fields()
	f.Statement = &templates.Statement{Lease: opts.Lease.Seconds(), Delay: c.Delay.Seconds(), MaxAttempts: opts.MaxAttempts, Reason: c.Reason, Dead: c.Dead, Release: c.Release}
	if t := c.Task; t != nil {
		f.Kind, f.Task = templates.TaskItem, &templates.Task{ID: t.ID, Payload: string(t.Payload), Receipt: t.Receipt, Meta: t.Meta}
		f.Attempt = t.Attempt
	}
	e, err := b.Expand(f, o.Sources())
	o.keep.Add(e.Secrets...)
	if err != nil {
		err = ofTask(failure.Expansion("", err))
	}
	return e.Text, err
}

// ofTask leaves an error that is the task's fault as it is, and makes any other, which
// every task would meet, one of the kind that sources know for it.
func ofTask(f *failure.Failure) error {
	if f.Code == failure.BadIndex {
		return f.Cause
	}
	kind := contract.Invalid
	switch f.Code {
	case failure.Unavailable: // a file that can't be read now
		kind = contract.Unreachable
	case failure.Denied:
		kind = contract.Denied
	}
	return &contract.Error{Kind: kind, Cause: f.Cause}
}
