package shim

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/store"
	"nth/templates"
)

// Forecast is what can be told of a Job's runs before there are any.
type Forecast struct {
	Markers   string   // the URL, at the last number asked for
	NamesJob  bool     // and differs with the Job's name
	NamesUID  bool     // or with its unique ID
	UsesIndex bool     // the command or a variable of it does, or the item is told elsewhere
	Variables []string // that templates read with env and secret
}

// Foresee expands a configuration as the runs will that Kubernetes gives these numbers,
// as far as it can be done here: what a variable or a file holds is known there only.
// The error is the failure that such a run would end with.
func Foresee(c Config, numbers ...int64) (*Forecast, error) {
	if _, err := c.Process.SignalConfig(); err != nil {
		return nil, err
	}
	f := &Forecast{UsesIndex: c.Tasks.URL != "" || c.Mapping.Items > 0}
	for _, number := range numbers {
		r := run{Config: c, World: World{LookupEnv: func(string) (string, bool) { return "", false }}}
		if err := r.foresee(f, number); err != nil {
			return nil, err
		}
		f.UsesIndex = f.UsesIndex || r.mapping.usesIndex()
	}
	return f, nil
}

func (r *run) foresee(f *Forecast, number int64) (err error) {
	there := func(name string) (string, bool) {
		return strconv.FormatInt(number, 10), name == "JOB_COMPLETION_INDEX"
	}
	if r.id, err = identity.Resolve(r.Config.Index, there, ""); err != nil {
		return err
	}
	if err := r.parse(); err != nil {
		return err
	}
	at := fields(r.id, r.RunID)
	at.Statement = &templates.Statement{}
	at.Shard = shardOf(r.mapping.items, r.id)
	if r.Mapping.Each { // the first item stands for all
		if at.Shard == nil {
			at.Shard = &templates.Shard{}
		}
		at.Item = &at.Shard.Start
	}
	x := guesser{f: f, at: at, tasks: r.Tasks.URL != ""}
	for _, t := range r.mapping.all() {
		x.expand(t.name, t.Template)
	}
	f.Markers = x.expand("--markers", r.mapping.markers)
	known := !x.guessed
	other := func() bool { return x.expand("--markers", r.mapping.markers) != f.Markers }
	x.at.Job += "x"
	f.NamesJob = other()
	x.at.Job, x.at.JobUID = r.id.Job, x.at.JobUID+"x"
	f.NamesUID = other()
	if x.err == nil && r.Markers.URL != "" && known {
		s, err := store.Open(context.Background(), f.Markers)
		if x.err = wrong(err); err == nil {
			s.Close()
		}
	}
	if tasks := x.expand("--tasks", r.mapping.tasks); x.err == nil && (r.Source() == config.Queue) && !x.guessed {
		r.item = &item{}
		x.err = wrong(r.openSource(&worker{}, tasks))
	}
	return x.err
}

// wrong leaves of an error what is so everywhere: a malformed URL. Settings that don't
// suffice here may be in the container's environment.
func wrong(err error) error {
	if err != nil && failure.From(err).Code == failure.Usage {
		return err
	}
	return nil
}

// guesser expands templates where the variables and the files that they name are not.
type guesser struct {
	f       *Forecast
	at      templates.Fields
	tasks   bool // come from elsewhere, and may be anything
	guessed bool // the last expansion holds a guess
	err     error
}

// guess stands for what isn't known. It is a number, for templates that calculate.
const guess = "1"

func (x *guesser) expand(what string, t *templates.Template) string {
	x.guessed = false
	if x.tasks && t.UsesTask() {
		for _, name := range t.Variables() {
			x.read(name)
		}
		return ""
	}
	e, err := t.Expand(x.at, templates.Sources{
		LookupEnv: func(name string) (string, bool) { x.read(name); return guess, true },
		ReadFile:  func(string) ([]byte, error) { x.guessed = true; return []byte(guess), nil },
	})
	if err == nil || x.err != nil {
		return e.Text
	}
	if f := failure.Expansion(what, err); f.Code != failure.BadIndex || !x.guessed {
		x.err = f
	}
	return ""
}

// read notes a variable that was read.
func (x *guesser) read(name string) {
	x.guessed = true
	if !slices.Contains(x.f.Variables, name) {
		x.f.Variables = append(x.f.Variables, name)
	}
}

// all gives every template but that of the markers' URL, by the flag or the word that it is.
func (m *mapping) all() (list []namedTemplate) {
	for i, t := range m.command {
		list = append(list, namedTemplate{fmt.Sprintf("word %d of the command", i), t})
	}
	for _, e := range m.env {
		list = append(list, namedTemplate{"--env " + e.name, e.Template})
	}
	for _, h := range m.headers {
		list = append(list, namedTemplate{"--http-header " + h.name, h.Template})
	}
	for _, b := range m.bodies {
		list = append(list, namedTemplate{"--http-body " + b.name, b.Template})
	}
	for _, s := range []*statement{m.takeSQL, m.keepSQL, m.doneSQL, m.failSQL, m.unfinishedSQL} {
		if s != nil {
			list = append(list, s.named()...)
		}
	}
	for _, t := range m.require {
		list = append(list, namedTemplate{"--require", t})
	}
	return append(list, namedTemplate{"--logs", m.logs}, namedTemplate{"--done-if", m.doneIf}, namedTemplate{"--quit-url", m.quitURL}, namedTemplate{"--tasks", m.tasks},
		namedTemplate{"--keep-url", m.keepURL}, namedTemplate{"--done-url", m.doneURL}, namedTemplate{"--fail-url", m.failURL},
		namedTemplate{"--unfinished-url", m.unfinishedURL})
}
