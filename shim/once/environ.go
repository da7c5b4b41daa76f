package once

import "strings"

// Overlay sets the assignments in environ, each variable once, later ones first
// choice, as env(1) does.
func Overlay(environ, assignments []string) []string {
	if len(assignments) == 0 {
		return environ
	}
	set := map[string]string{}
	for _, a := range assignments {
		name, _, _ := strings.Cut(a, "=")
		set[name] = a
	}
	out := make([]string, 0, len(environ)+len(assignments))
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if _, overridden := set[name]; !overridden {
			out = append(out, e)
		}
	}
	for _, a := range assignments {
		name, _, _ := strings.Cut(a, "=")
		if set[name] == a {
			out = append(out, a)
			delete(set, name)
		}
	}
	return out
}
