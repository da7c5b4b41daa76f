// Package source opens what tasks come from: the queue, API or tables that --tasks and the
// flags beside it name, whose templates it parses.
package source

import (
	"errors"
	"strings"
	"sync/atomic"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/item"
	"nth/templates"
)

// Mapping is the templates by which a source is asked, parsed once.
type Mapping struct {
	tasks   *templates.Template
	groupBy expand.Named   // objects, where --tasks names many
	calls   []expand.Named // the URLs of an HTTP API, in the order of apiURLs
	headers []expand.Named
	bodies  []expand.Named
	own     []*statement // of the user's own, in the order of ownSQL
}

// Parse parses them, and refuses flags of another kind of queue than the URL's. An error is
// a failure with exit code 64 or 78.
func Parse(c *config.Config) (*Mapping, error) {
	p := &parser{}
	m := &Mapping{tasks: p.URL("--tasks", c.Tasks.URL)}
	for _, u := range apiURLs {
		m.calls = append(m.calls, expand.Named{Name: u.flag, Template: p.URL(u.flag, u.of(&c.API))})
	}
	for _, h := range c.API.HTTPHeader {
		m.headers = append(m.headers, p.header(h))
	}
	for _, b := range c.API.HTTPBody {
		m.bodies = append(m.bodies, p.body(b))
	}
	for _, s := range ownSQL {
		if sql := s.of(&c.SQL); sql != "" {
			m.own = append(m.own, p.statement(s, sql, c.Tasks.URL))
		}
	}
	m.groupBy = p.parseGroupBy(c)
	if p.Err != nil {
		return m, p.Err
	}
	return m, fitsLiteral(c)
}

// Parsed is what Prepare finds out once for runs in one process that differ by their index and
// attempt alone. The zero value is ready.
type Parsed struct{ found atomic.Pointer[parsed] }

type parsed struct {
	own     *item.Mapping
	from    *Mapping
	secrets []string // variables that any template will read
}

// Prepare parses every template of a run, its own and its source's, and reconciles its
// settings. An error is a failure with exit code 64 or 78.
func (all *Parsed) Prepare(r *item.Run) (*Mapping, error) {
	alike := r.Identity.Picked() == "" && r.Identity.Outgrown == nil // what is refused doesn't depend on the index
	p := all.found.Load()
	known := p != nil && alike
	if !known {
		var err error
		if p, err = parse(r.Config); err != nil {
			return nil, err
		}
	}
	r.Mapping = p.own
	// Nobody sees what any template will read as a secret, whenever it does: a command may tell
	// it before that.
	for _, name := range p.secrets {
		value, _ := r.LookupEnv(name)
		r.Secrets.Add(value)
	}
	if known {
		return p.from, nil
	}
	err := r.Config.Check(&r.Identity)
	if err == nil && alike {
		all.found.Store(p)
	}
	return p.from, err
}

func parse(c *config.Config) (p *parsed, err error) {
	p = &parsed{}
	if p.own, err = item.Parse(c); err != nil {
		return nil, err
	}
	if p.from, err = Parse(c); err != nil {
		return nil, err
	}
	for _, t := range append(append(p.own.All(), p.own.Markers()), p.from.All()...) {
		p.secrets = append(p.secrets, t.Secrets()...)
	}
	return p, nil
}

// Tasks is the template of --tasks.
func (m *Mapping) Tasks() expand.Named { return expand.Named{Name: "--tasks", Template: m.tasks} }

// All gives every template, by the flag that it is.
func (m *Mapping) All() []expand.Named {
	list := append([]expand.Named{}, m.headers...)
	for _, b := range m.bodies {
		list = append(list, expand.Named{Name: "--http-body " + b.Name, Template: b.Template})
	}
	for _, s := range m.own {
		list = append(list, s.values...)
	}
	return append(append(list, m.Tasks(), m.groupBy), m.calls...)
}

type parser struct{ expand.Parser }

// header reads NAME=TEMPLATE.
func (p *parser) header(assignment string) expand.Named {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok || name == "" {
		p.Fail("--http-header", errors.New("it is not NAME=TEMPLATE"), "write --http-header 'Authorization=Bearer <<secret \"TOKEN\">>'")
	}
	return expand.Named{Name: "--http-header " + name, Template: p.One("--http-header "+name, value)}
}
