package shim

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"nth/shim/failure"
	"nth/shim/task"
	"nth/shim/task/httpapi"
	"nth/templates"
)

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

// header reads NAME=TEMPLATE.
func (p *parser) header(assignment string) namedTemplate {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok || name == "" {
		p.fail("--http-header", errors.New("it is not NAME=TEMPLATE"), "write --http-header 'Authorization=Bearer <<secret \"TOKEN\">>'")
	}
	return namedTemplate{name, p.one("--http-header "+name, value)}
}

// body reads CALL=TEMPLATE, the template of a JSON text.
func (p *parser) body(assignment string) namedTemplate {
	name, text, ok := strings.Cut(assignment, "=")
	more, known := told(name)
	if !ok || !known {
		p.fail("--http-body", errors.New("it is not CALL=TEMPLATE, with the CALL take, keep, done or fail"), `write --http-body 'done={"job": <<.TaskID>>}'`)
		return namedTemplate{}
	}
	t, err := templates.ParseJSON(text, more...)
	if err == nil && name == "take" && t.UsesTask() {
		err = errors.New(".Task, .TaskID, .Receipt and .Meta are of a task, and there is none yet")
	}
	if err != nil {
		p.fail("--http-body "+name, err, "")
	}
	return namedTemplate{name, t}
}

// openAPI opens a queue behind an HTTP API, whose further URLs, headers and bodies are
// flags.
func (r *run) openAPI(u *url.URL, o task.Options) (task.Source, error) {
	x := expander{fields: fields(r.id, r.RunID), sources: r.sources()}
	m := r.mapping
	s := httpapi.Settings{Take: u.String(), Keep: x.expand("--keep-url", m.keepURL).value, Done: x.expand("--done-url", m.doneURL).value,
		Fail: x.expand("--fail-url", m.failURL).value, Unfinished: x.expand("--unfinished-url", m.unfinishedURL).value, OwnID: r.Tasks.TaskID != "",
		Body: map[string]func(httpapi.Call) (string, error){}}
	var mu sync.Mutex
	var told []string // what is secret of the bodies
	o.Hide = func(s string) string {
		mu.Lock()
		defer mu.Unlock()
		return templates.Hide(r.mask(s), told)
	}
	r.item.secrets = append(r.item.secrets, x.secrets...)
	if x.err != nil {
		return nil, x.err
	}
	_, secrets, err := r.headers()
	if err != nil {
		return nil, err
	}
	r.item.secrets = append(r.item.secrets, secrets...)
	s.Headers = func() (http.Header, error) {
		all, _, err := r.headers()
		return all, err
	}
	for _, b := range m.bodies {
		s.Body[b.name] = func(c httpapi.Call) (string, error) {
			text, secrets, err := r.body(b, c, o)
			mu.Lock()
			defer mu.Unlock()
			for _, s := range secrets {
				if !slices.Contains(told, s) {
					told = append(told, s)
				}
			}
			return text, err
		}
	}
	if s.Keep == "" || s.Done == "" {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "open the queue", On: "--tasks", Cause: errors.New("an HTTP API needs --keep-url and --done-url"), Hint: "{id} in them is the task's"}
	}
	return httpapi.New(s, o)
}

// headers gives those of a request that is made now: a token in a file is replaced from
// time to time. One that isn't there is no fault of the index.
func (r *run) headers() (all http.Header, secrets []string, err error) {
	x := expander{fields: fields(r.id, r.RunID), sources: r.sources()}
	all = http.Header{}
	for _, h := range r.mapping.headers {
		all.Set(h.name, strings.TrimSpace(x.expand("--http-header "+h.name, h.Template).value))
	}
	if x.err != nil {
		if f := failure.From(x.err); f.Code == failure.BadIndex {
			f.Code = failure.Denied
		}
	}
	return all, x.secrets, x.err
}

// body gives that of one call.
func (r *run) body(b namedTemplate, c httpapi.Call, o task.Options) (string, []string, error) {
	f := fields(r.id, r.RunID)
	f.Statement = &templates.Statement{Lease: o.Lease.Seconds(), Delay: c.Delay.Seconds(), MaxAttempts: o.MaxAttempts, Reason: c.Reason, Dead: c.Dead, Release: c.Release}
	if t := c.Task; t != nil {
		f.Task = &templates.Task{ID: t.ID, Payload: string(t.Payload), Receipt: t.Receipt, Meta: t.Meta}
		f.Attempt = t.Attempt
	}
	e, err := b.Expand(f, r.sources())
	return e.Text, e.Secrets, err
}
