package shim

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"nth/shim/failure"
	"nth/templates"
)

// mapping is everything of a configuration that depends on the index, parsed once.
type mapping struct {
	command []*templates.Template
	env     []namedTemplate
	require []*templates.Template
	markers *templates.Template
	logs    *templates.Template
	doneIf  *templates.Template
	quitURL *templates.Template
	items   int64 // that are shared out
	tasks   *templates.Template
	taskID  *templates.Template // nil: the queue's own

	// Of an HTTP API.
	keepURL, doneURL, failURL, unfinishedURL *templates.Template
	headers, bodies                          []namedTemplate

	// Of PostgreSQL; nil where it isn't given.
	takeSQL, keepSQL, doneSQL, failSQL, unfinishedSQL *statement
}

type namedTemplate struct {
	name string
	*templates.Template
}

// item is a mapping at one index.
type item struct {
	command, stableCommand []string
	env, stableEnv         []string // NAME=VALUE
	require                []text
	markers, logs, doneIf  text
	quitURL                text
	secrets                []string
}

// text is a URL or path with the form in which it may be shown.
type text struct{ value, shown string }

// parseMapping parses every template of the configuration: exit code 64 for one
// that no index could expand, and for a command that is missing.
func parseMapping(c *Config) (*mapping, error) {
	if len(c.Command) == 0 || c.Command[0] == "" {
		return nil, &failure.Failure{Code: failure.Usage, Tried: "find the command",
			Cause: errors.New("none was given"), Hint: "put it after the flags: nth run [flags] -- COMMAND [ARG...]"}
	}
	m := &mapping{items: c.Mapping.Items}
	p := parser{}
	m.command = p.all("COMMAND", c.Command)
	m.require = p.all("--require", c.Mapping.Require)
	m.markers = p.one("--markers", c.Markers.URL)
	m.logs = p.one("--logs", c.Markers.Logs)
	m.doneIf = p.one("--done-if", c.Markers.DoneIf)
	m.quitURL = p.one("--quit-url", c.Messages.QuitURL)
	m.tasks = p.one("--tasks", c.Tasks.URL)
	m.keepURL, m.doneURL = p.one("--keep-url", c.API.KeepURL), p.one("--done-url", c.API.DoneURL)
	m.failURL, m.unfinishedURL = p.one("--fail-url", c.API.FailURL), p.one("--unfinished-url", c.API.UnfinishedURL)
	for _, h := range c.API.HTTPHeader {
		m.headers = append(m.headers, p.header(h))
	}
	for _, b := range c.API.HTTPBody {
		m.bodies = append(m.bodies, p.body(b))
	}
	m.takeSQL, m.keepSQL = p.statement("--take-sql", c.SQL.TakeSQL, "Lease", "MaxAttempts", "Retry"), p.statement("--keep-sql", c.SQL.KeepSQL, "Lease")
	m.doneSQL, m.failSQL = p.statement("--done-sql", c.SQL.DoneSQL), p.statement("--fail-sql", c.SQL.FailSQL, "Delay", "Reason", "MaxAttempts", "Dead", "Release")
	m.unfinishedSQL = p.statement("--unfinished-sql", c.SQL.UnfinishedSQL)
	if c.Tasks.TaskID != "" {
		m.taskID = p.one("--task-id", c.Tasks.TaskID)
	}
	for _, assignment := range c.Mapping.Env {
		name, value, ok := strings.Cut(assignment, "=")
		if !ok || name == "" {
			p.fail("--env", fmt.Errorf("%q is not NAME=TEMPLATE", assignment), "write --env NAME=VALUE")
			continue
		}
		m.env = append(m.env, namedTemplate{name, p.one("--env "+name, value)})
	}
	return m, p.err
}

// parser keeps the first error, so that a list of templates reads as a list.
type parser struct{ err error }

func (p *parser) fail(flag string, cause error, hint string) {
	if p.err == nil {
		p.err = &failure.Failure{Code: failure.Usage, Tried: "parse", On: flag, Cause: cause, Hint: hint}
	}
}

func (p *parser) one(flag, word string) *templates.Template {
	t, err := templates.Parse(word)
	if err != nil {
		p.fail(flag, err, "")
	}
	return t
}

func (p *parser) all(flag string, words []string) []*templates.Template {
	list := make([]*templates.Template, len(words))
	for i, w := range words {
		list[i] = p.one(flag, w)
	}
	return list
}

// usesIndex tells whether the command or one of its variables depends on the index.
func (m *mapping) usesIndex() bool {
	for _, t := range m.command {
		if t.UsesIndex() {
			return true
		}
	}
	for _, e := range m.env {
		if e.UsesIndex() {
			return true
		}
	}
	return false
}

// expand gives the item of one index. Nothing of it is used when any part fails:
// a half-expanded command is never run.
func (m *mapping) expand(f templates.Fields, s templates.Sources) (*item, error) {
	x := &expander{fields: f, sources: s}
	it := &item{}
	for i, t := range m.command {
		e := x.expand(fmt.Sprintf("word %d of the command", i), t)
		it.command = append(it.command, e.value)
		it.stableCommand = append(it.stableCommand, e.shown)
	}
	for _, n := range m.env {
		e := x.expand("--env "+n.name, n.Template)
		it.env = append(it.env, n.name+"="+e.value)
		it.stableEnv = append(it.stableEnv, n.name+"="+e.shown)
	}
	return it.places(m, x)
}

// expandPlaces gives an item without its command: what is the same for a whole shard.
func (m *mapping) expandPlaces(f templates.Fields, s templates.Sources) (*item, error) {
	return (&item{}).places(m, &expander{fields: f, sources: s})
}

// places expands every URL and path.
func (it *item) places(m *mapping, x *expander) (*item, error) {
	for _, t := range m.require {
		it.require = append(it.require, x.expand("--require", t))
	}
	it.markers = x.expand("--markers", m.markers)
	it.logs = x.expand("--logs", m.logs)
	it.doneIf = x.expand("--done-if", m.doneIf)
	it.quitURL = x.expand("--quit-url", m.quitURL)
	// A secret within another would leave the rest of it to be seen.
	slices.SortFunc(x.secrets, func(a, b string) int { return len(b) - len(a) })
	it.secrets = slices.Compact(x.secrets)
	if x.err != nil {
		return nil, x.err
	}
	return it, nil
}

type expander struct {
	fields  templates.Fields
	sources templates.Sources
	secrets []string
	err     error
}

func (x *expander) expand(what string, t *templates.Template) text {
	e, err := t.Expand(x.fields, x.sources)
	if err != nil && x.err == nil {
		x.err = failure.Expansion(what, err)
	}
	x.secrets = append(x.secrets, e.Secrets...)
	return text{value: e.Text, shown: e.Stable}
}
