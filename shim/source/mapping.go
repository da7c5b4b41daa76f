// Package source opens what tasks come from: the queue, API or tables that --tasks and the
// flags beside it name, whose templates it parses.
package source

import (
	"errors"
	"strings"

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

// Prepare parses every template of a run, its own and its source's, and reconciles its
// settings. An error is a failure with exit code 64 or 78.
func Prepare(r *item.Run) (from *Mapping, err error) {
	if r.Mapping, err = item.Parse(r.Config); err != nil {
		return nil, err
	}
	if from, err = Parse(r.Config); err != nil {
		return nil, err
	}
	keepSecrets(r, from)
	return from, r.Config.Check(&r.Identity)
}

// keepSecrets lets nobody see what any template will read as a secret, whenever it does:
// a command may tell it before that.
func keepSecrets(r *item.Run, from *Mapping) {
	keep := func(list ...expand.Named) {
		for _, t := range list {
			for _, name := range t.Secrets() {
				value, _ := r.LookupEnv(name)
				r.Secrets.Add(value)
			}
		}
	}
	keep(r.Mapping.All()...)
	keep(r.Mapping.Markers())
	keep(from.All()...)
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
