package identity

import (
	"cmp"
	"fmt"
	"slices"
)

// telling is where in this environment a row's number stands.
type telling struct {
	row      *Platform
	variable string
	value    string
	base     int64 // the value's number at index 0
	ok       bool  // it says that this is an array; else the rest says nothing
}

// tell finds the row's number. Where the environment tells only half of it, that is an
// error: the half that is there may be a number of something else.
func (p *Platform) tell(env lookup) (t telling, err error) {
	t = telling{row: p, variable: p.Variable, base: p.Base}
	if p.NamedBy != "" {
		err = t.named(env)
		t.ok = t.ok && err == nil
		return t, err
	}
	t.value, t.ok = env(p.Variable)
	if t.ok = t.ok && !slices.Contains(p.NotArray, t.value); t.ok || p.Else == "" {
		return t, nil
	}
	if value, ok := env(p.Else); ok {
		t.variable, t.value, t.ok = p.Else, value, true
	}
	return t, nil
}

// named follows the name that a variable holds, and adds the offset that another one does.
func (t *telling) named(env lookup) error {
	p := t.row
	name, says := env(p.NamedBy)
	_, set := env(p.Variable)
	says = says && name != ""
	if !says && set {
		return setup("read the index from", p.NamedBy, fmt.Errorf("%s is set, and this doesn't say that it holds the index", p.Variable),
			"set it as "+p.Title+"s do, or give --index-env "+p.Variable)
	}
	if !says {
		return nil
	}
	t.variable = name
	if t.value, t.ok = env(name); !t.ok {
		return setup("read the index from", name, fmt.Errorf("%s names it, and it is not set", p.NamedBy), "start it as a "+p.Title+", or give --index or --index-env")
	}
	if _, err := parseIndex(t.value); err != nil && name != p.Variable { // it may be anything, a secret too
		return setup("read the index from", name, fmt.Errorf("%s names it, and it holds no whole number from 0", p.NamedBy), "start it as a "+p.Title+", or give --index or --index-env")
	}
	if text, ok := env(p.Offset); ok && text != "" {
		offset, err := parseIndex(text)
		if err != nil {
			return setup("read the index from", p.Offset, err, "correct or unset it, or give --index or --index-env")
		}
		t.base = -offset
	}
	return nil
}

// Told is the variable by which a task is told its index, or the name of its variable.
func (p *Platform) Told() string { return cmp.Or(p.NamedBy, p.Variable) }

// Numbers says, for people, which numbers it holds.
func (p *Platform) Numbers() string {
	numbers := "as the user chose"
	if p.Fixed {
		numbers = fmt.Sprintf("from %d", p.Base)
	}
	switch {
	case p.NamedBy != "":
		return numbers + ", in the one it names"
	case p.Else != "":
		return "the user's, else " + p.Else
	}
	return numbers
}

// arrays gives the rows whose variables say that this is an array of theirs, also where
// one tells only half of it. A row whose variable is named by another one is left out: its
// number is a part of that one's index.
func arrays(env lookup) (rows []telling, err error) {
	var named string
	for i := range Platforms {
		t, wrong := Platforms[i].tell(env)
		if err = cmp.Or(err, wrong); t.ok {
			rows = append(rows, t)
		}
		if t.ok && t.row.NamedBy != "" {
			named = t.variable
		}
	}
	return slices.DeleteFunc(rows, func(t telling) bool { return t.variable == named && t.row.NamedBy == "" }), err
}
