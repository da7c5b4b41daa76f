// Package source opens what tasks come from: the queue, API or tables that --tasks and the
// flags beside it name, whose templates it parses.
package source

import (
	"errors"
	"strings"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/templates"
)

// Mapping is the templates by which a source is asked, parsed once.
type Mapping struct {
	tasks   *templates.Template
	calls   []expand.Named // the URLs of an HTTP API, in the order of apiURLs
	headers []expand.Named
	bodies  []expand.Named
	own     []*statement // of the user's own, in the order of ownSQL
}

// Parse parses them. An error is a failure with exit code 64.
func Parse(c *config.Config) (*Mapping, error) {
	p := &parser{}
	m := &Mapping{tasks: p.One("--tasks", c.Tasks.URL)}
	for _, u := range apiURLs {
		m.calls = append(m.calls, expand.Named{Name: u.flag, Template: p.One(u.flag, u.of(&c.API))})
	}
	for _, h := range c.API.HTTPHeader {
		m.headers = append(m.headers, p.header(h))
	}
	for _, b := range c.API.HTTPBody {
		m.bodies = append(m.bodies, p.body(b))
	}
	for _, s := range ownSQL {
		if sql := s.of(&c.SQL); sql != "" {
			m.own = append(m.own, p.statement(s, sql))
		}
	}
	return m, p.Err
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
	return append(append(list, m.Tasks()), m.calls...)
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
