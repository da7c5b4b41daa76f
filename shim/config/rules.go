package config

import (
	"errors"

	"nth/shim/failure"
	"nth/shim/identity"
)

// Commands is a set of nth's commands.
type Commands uint

// The commands that are told what the table of rules is about.
const (
	ForRun Commands = 1 << iota
	ForPlan
	ForLocal
	ForManifest
	ForStatus
	ForReset
	ForMark
	ForCheck
	ForWait

	runs   = ForRun | ForPlan | ForLocal | ForManifest // they take the flags of nth run
	chosen = ForReset | ForMark                        // they are told which indexes are meant
	anyOne = runs | chosen | ForStatus | ForCheck | ForWait
)

// Told is what a command was told.
type Told struct {
	For     Commands // the one
	*Config          // of those that take the flags of nth run, else nil
	Store   *Store   // of the others
	// Completions are how many indexes there are, counted from 0, as far as that is known.
	Completions *int64
	// Identity is who a run is; nil: a command isn't one.
	Identity *identity.Identity
	// Said are the command's flags that say something, with what they say, as flags.Said
	// gives them. A run needs none: no flag of its own is refused for its name.
	Said map[string]string
}

// Check refuses what a command can't be told, by the first rule of the table that is
// broken: exit code 64 for what says nothing by itself, 78 for a contradiction. What a
// command can't do is refused, never dropped.
func Check(t Told) error {
	for _, part := range table() {
		for i := range part {
			if err := part[i].refuse(&t); err != nil {
				return err
			}
		}
	}
	return nil
}

// Check refuses what a run can't be told that has this index.
func (c *Config) Check(id *identity.Identity) error {
	t := Told{For: ForRun, Config: c, Completions: id.Total(), Identity: id}
	if id.Outgrown != nil {
		t.Completions = id.Outgrown // what the others are told
	}
	if err := Check(t); err != nil || !c.Mapping.Each && c.Mapping.Items == 0 {
		return err
	}
	if c.Mapping.Each {
		return id.Bounded("--each")
	}
	return id.Bounded("--items")
}

// table is every rule, in the order in which they are asked: of several that are broken
// always the same one is told.
func table() [][]rule { return [][]rule{refusals, values, pairs, views} }

// rule is one way in which a command is told what it can't do. What is wrong is found by
// one of three functions, and the text is the same for all.
type rule struct {
	of Commands // that have this rule

	wrong  func(*Told) bool
	detail func(*Told) string // instead: what is wrong, with the value in it; or ""
	flag   func(*Told) string // instead: which flag it is, of several; or ""

	on   string       // the flags that are told
	why  string       // what is wrong with them
	hint string       // the cure
	code failure.Code // 0: a contradiction
}

func (r *rule) refuse(t *Told) error {
	if r.of&t.For == 0 {
		return nil
	}
	on, why, broken := r.on, r.why, false
	switch {
	case r.detail != nil:
		why = r.detail(t)
		broken = why != ""
	case r.flag != nil:
		on = r.flag(t)
		broken = on != ""
	default:
		broken = r.wrong(t)
	}
	if !broken {
		return nil
	}
	f := &failure.Failure{Code: r.code, Tried: "read", On: on, Cause: errors.New(why), Hint: r.hint}
	if f.Code == 0 {
		f.Code, f.Tried = failure.Setup, "reconcile"
	}
	return f
}

// says tells whether one of the flags says something.
func (t *Told) says(flags ...string) bool { return t.count(flags...) > 0 }

// count is how many of the flags say something.
func (t *Told) count(flags ...string) (n int) {
	for _, flag := range flags {
		if _, ok := t.Said[flag]; ok {
			n++
		}
	}
	return n
}
