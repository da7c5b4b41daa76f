package plan

import (
	"context"
	"slices"
	"strconv"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/source"
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
func Foresee(c config.Config, numbers ...int64) (*Forecast, error) {
	if _, err := c.Process.SignalConfig(); err != nil {
		return nil, err
	}
	f := &Forecast{UsesIndex: c.Source() != config.NoSource || c.Mapping.Items > 0}
	nowhere := edge.World{LookupEnv: func(string) (string, bool) { return "", false }}
	process := edge.NewProcess(nowhere)
	defer process.Stores.Close()
	for _, number := range numbers {
		r := &item.Run{Process: process, Config: &c}
		if err := f.foresee(r, number); err != nil {
			return nil, err
		}
		f.UsesIndex = f.UsesIndex || r.Mapping.UsesIndex()
	}
	return f, nil
}

func (f *Forecast) foresee(r *item.Run, number int64) (err error) {
	there := func(name string) (string, bool) {
		return strconv.FormatInt(number, 10), name == "JOB_COMPLETION_INDEX"
	}
	if r.Identity, err = identity.Resolve(r.Config.Index, there, ""); err != nil {
		return err
	}
	from, err := source.Prepare(r)
	if err != nil {
		return err
	}
	at, err := representative(r)
	if err != nil {
		return err
	}
	x := &guesser{f: f, at: at, tasks: r.Config.Source() != config.NoSource}
	for _, t := range append(r.Mapping.All(), from.All()...) {
		x.expand(t)
	}
	x.markers(r)
	if tasks := x.expand(from.Tasks()); x.err == nil && r.Config.Source() == config.Queue && !x.guessed {
		q, err := from.Open(r, tasks)
		if x.err = wrong(err); err == nil {
			_ = q.Close() // nothing was asked
		}
	}
	return x.err
}

// representative gives the fields of one item that stands for all.
func representative(r *item.Run) (at templates.Fields, err error) {
	at = r.Fields()
	at.Statement = &templates.Statement{}
	if at.Shard, err = expand.Shard(r.Mapping.Items, r.Identity); err != nil {
		return at, err
	}
	if r.Config.Mapping.Each {
		if at.Shard == nil {
			at.Shard = &templates.Shard{}
		}
		at.Item = &at.Shard.Start
	}
	return at, nil
}

// markers foresees where the markers are, and of what that depends.
func (x *guesser) markers(r *item.Run) {
	t := r.Mapping.Markers()
	x.f.Markers = x.expand(t)
	known := !x.guessed
	other := func() bool { return x.expand(t) != x.f.Markers }
	x.at.Job += "x"
	x.f.NamesJob = other()
	x.at.Job, x.at.JobUID = r.Identity.Job, x.at.JobUID+"x"
	x.f.NamesUID = other()
	x.at.JobUID = r.Identity.JobUID
	if x.err != nil || r.Config.Markers.URL == "" || !known {
		return
	}
	s, err := r.Stores.Open(context.Background(), x.f.Markers)
	if x.err = wrong(err); err == nil {
		s.Close()
	}
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

func (x *guesser) expand(t expand.Named) string {
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
	if f := failure.Expansion(t.Name, err); f.Code != failure.BadIndex || !x.guessed {
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
