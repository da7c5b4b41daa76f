package identity

import (
	"errors"
	"fmt"
	"strings"
)

// find reads the number where it stands.
func (id *Identity) find(s Settings, env lookup) error {
	switch {
	case s.Index != nil:
		id.Platform, id.Variable = "flag", "--index"
		id.tellers, _ = arrays(env)
		return id.read(*s.Index, "give a whole number from 0 with --index or NTH_INDEX")
	case s.IndexEnv != "":
		id.Platform, id.Variable = "variable", s.IndexEnv
		id.tellers, _ = arrays(env)
		value, ok := env(s.IndexEnv)
		if !ok {
			return setup("read the index from", s.IndexEnv, errors.New("the variable is not set"), "set it, or correct --index-env")
		}
		return id.read(value, "set it to this run's number, or correct --index-env")
	case s.Platform != "":
		return id.forced(platformNamed(s.Platform), env)
	}
	return id.detect(env)
}

func (id *Identity) read(value, hint string) error {
	n, err := parseIndex(value)
	if err != nil {
		return setup("read the index from", id.Variable, err, hint)
	}
	id.RawIndex, id.Index = n, n
	return nil
}

// forced reads the index of one platform.
func (id *Identity) forced(p *Platform, env lookup) error {
	told, err := p.tell(env)
	switch {
	case err != nil:
		return err
	case told.ok:
		return id.use(told, env)
	}
	cause := fmt.Errorf("--platform %s was given, and its variable is not set", p.Name)
	if found, set := env(p.Told()); set {
		cause = fmt.Errorf("--platform %s was given, and %s means there that this is no array", p.Name, short(found))
	}
	return setup("read the index from", p.Told(), cause, p.missing(env))
}

// missing says what to do where the platform should have told the index.
func (p *Platform) missing(env lookup) string {
	if p == kubernetes && onKubernetes(env) {
		return "completionMode: Indexed may be missing from the Job; or give --index or --index-env"
	}
	return "start it as one task of an array there, or give --index or --index-env"
}

func onKubernetes(env lookup) bool {
	_, ok := env("KUBERNETES_SERVICE_HOST")
	return ok
}

// use takes the row's number.
func (id *Identity) use(t telling, env lookup) error {
	p := t.row
	id.Platform, id.Variable, id.platform, id.tellers = p.Name, t.variable, p, []telling{t}
	hint := "correct or unset it, or choose with --platform, --index-env or --index"
	if p == kubernetes && onKubernetes(env) {
		hint = "completionMode: Indexed may be missing from the Job, which then must not set the variable itself; or give --index"
	}
	if err := id.read(t.value, hint); err != nil {
		return err
	}
	if p.Fixed && id.RawIndex < p.Base {
		return setup("read the index from", t.variable, fmt.Errorf("it is %d, but %s counts from %d", id.RawIndex, p.Title, p.Base),
			"if something else set it and counts from 0, give --index-env "+t.variable)
	}
	if id.Index -= t.base; id.Index < 0 { // so is a sum that doesn't fit
		return setup("read the index from", t.variable, fmt.Errorf("%d and the %d of %s are too large together", id.RawIndex, -t.base, p.Offset), hint)
	}
	return nil
}

// detect takes the first row that tells an index. Rows that tell another one are
// an error: a guess would give each task the same index, and all but one would
// be skipped as done.
func (id *Identity) detect(env lookup) error {
	rows, err := arrays(env)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return noIndex(env)
	}
	for _, t := range rows {
		p := t.row
		var other Identity
		if err := other.use(t, env); err != nil {
			return err
		}
		switch {
		case id.platform == nil:
			id.Index, id.RawIndex, id.Platform, id.Variable, id.platform = other.Index, other.RawIndex, other.Platform, other.Variable, p
		case other.Index != id.Index:
			return setup("choose between", id.Variable+" and "+t.variable,
				fmt.Errorf("%s=%d is index %d of %s, and %s=%d is index %d of %s", id.Variable, id.RawIndex, id.Index, id.platform.Title,
					t.variable, other.RawIndex, other.Index, p.Title),
				fmt.Sprintf("choose with --platform %s or --platform %s, or give --index", id.Platform, p.Name))
		}
	}
	id.tellers = rows
	return nil
}

func noIndex(env lookup) error {
	names := make([]string, len(Platforms))
	var found []string
	for i, p := range Platforms {
		names[i] = p.Told()
		if value, ok := env(p.Told()); ok {
			found = append(found, fmt.Sprintf("; %s is %s: no array", p.Told(), short(value)))
		}
	}
	hint := "run it as an indexed job or array, or give --index or --index-env"
	if onKubernetes(env) {
		hint = "this is Kubernetes: completionMode: Indexed may be missing from the Job; or give --index or --index-env"
	}
	return setup("find the index", "", errors.New("none of these variables tells it: "+strings.Join(names, ", ")+strings.Join(found, "")), hint)
}
