// Package forecast tells of a Job's runs, before there are any, what each of them would
// refuse: the mistakes that are the same for all are found once, and nothing is begun.
package forecast

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

// Same is what is said of a Job where Forecast.UsesIndex is false.
const Same = "the command doesn't use the index: every index would run the same (write <<.Index>> into it; fine only if it reads JOB_COMPLETION_INDEX itself)"

// Foresee expands a configuration as the runs will that Kubernetes gives these numbers,
// as far as it can be done here: what a variable or a file holds is known there only.
// The error is the failure that such a run would end with.
func Foresee(c config.Config, numbers ...int64) (*Forecast, error) {
	nowhere := edge.World{LookupEnv: func(string) (string, bool) { return "", false }}
	process := edge.NewProcess(nowhere)
	defer process.Stores.Close()
	return foresee(c, numbers, func(number int64) *foreseen {
		there := func(name string) (string, bool) {
			return strconv.FormatInt(number, 10), name == "JOB_COMPLETION_INDEX"
		}
		return &foreseen{Run: item.Run{Process: process, Config: &c}, there: there}
	})
}

// Here is Foresee for runs on this machine, where everything is known; env gives what the
// run of a number has in its environment. What would be wrong with that index alone isn't
// told: it fails by itself, and the others don't.
func Here(c config.Config, p edge.Process, env func(number int64) func(string) (string, bool), numbers ...int64) (*Forecast, error) {
	f, err := foresee(c, numbers, func(number int64) *foreseen {
		r := item.Run{Process: p, Config: &c}
		r.LookupEnv = env(number)
		return &foreseen{Run: r, there: r.LookupEnv, here: true}
	})
	if err != nil && !forAll(err) {
		return &Forecast{UsesIndex: true}, nil
	}
	return f, err
}

// forAll tells whether an error is every index's, and not one that ends with a further try.
func forAll(err error) bool {
	code := failure.From(err).Code
	return code == failure.Usage || code == failure.Setup || code == failure.Denied
}

// foreseen is a run that isn't made.
type foreseen struct {
	item.Run
	there func(string) (string, bool) // tells the index
	here  bool                        // and the variables are what they will be
}

func foresee(c config.Config, numbers []int64, of func(number int64) *foreseen) (*Forecast, error) {
	if _, err := c.Process.SignalConfig(); err != nil {
		return nil, err
	}
	f := &Forecast{UsesIndex: c.Source() != config.NoSource || c.Mapping.Items > 0}
	for _, number := range numbers {
		r := of(number)
		if err := f.add(r); err != nil {
			return nil, err
		}
		f.UsesIndex = f.UsesIndex || r.Mapping.UsesIndex()
	}
	return f, nil
}

// add foresees one run.
func (f *Forecast) add(r *foreseen) (err error) {
	if r.Identity, err = identity.Resolve(r.Config.Index, r.there, r.Hostname); err != nil {
		return err
	}
	from, err := new(source.Parsed).Prepare(&r.Run)
	if err != nil {
		return err
	}
	at, err := representative(&r.Run)
	if err != nil {
		return err
	}
	x := &guesser{foreseen: r, f: f, at: at, tasks: r.Config.Source() != config.NoSource}
	for _, t := range append(r.Mapping.All(), from.All()...) {
		x.expand(t)
	}
	x.markers()
	x.data()
	if tasks := x.expand(from.Tasks()); x.err == nil && r.Config.Source() == config.Queue && !x.guessed {
		q, err := from.Open(&r.Run, tasks, nil)
		if x.err = x.wrong(err); err == nil {
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
func (x *guesser) markers() {
	r, t := x.foreseen, x.Mapping.Markers()
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
	x.opens(t.Name, x.f.Markers)
}

// wrong leaves of an error what is so everywhere: a malformed URL. Settings that don't
// suffice here may be in the container's environment, unless that is here.
func (x *guesser) wrong(err error) error {
	if err == nil {
		return nil
	}
	if failure.From(err).Code == failure.Usage || x.here && forAll(err) {
		return err
	}
	return nil
}

// guesser expands templates where the variables and the files that they name may not be.
type guesser struct {
	*foreseen
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
	e, err := t.Expand(x.at, templates.Sources{LookupEnv: x.lookup, ReadFile: x.file})
	x.Secrets.Add(e.Secrets...)
	if err == nil || x.err != nil {
		return e.Text
	}
	if f := failure.Expansion(t.Name, err); forAll(f) || !x.guessed && !x.here {
		x.err = f
	}
	x.guessed = true // nothing is to be opened by it
	return ""
}

func (x *guesser) lookup(name string) (string, bool) {
	if x.here {
		return x.LookupEnv(name)
	}
	x.read(name)
	return guess, true
}

// file reads a file that is here. What isn't an ordinary one can perhaps be read only once.
func (x *guesser) file(path string) ([]byte, error) {
	if x.here {
		if info, err := x.Stat(context.Background(), path); err != nil || info.Mode().IsRegular() {
			return x.ReadFile(path)
		}
	}
	x.guessed = true
	return []byte(guess), nil
}

// read notes a variable that was read.
func (x *guesser) read(name string) {
	x.guessed = true
	if !slices.Contains(x.f.Variables, name) {
		x.f.Variables = append(x.f.Variables, name)
	}
}
