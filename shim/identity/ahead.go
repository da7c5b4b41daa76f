package identity

import (
	"slices"
	"strconv"
)

// Runs is the runs of a Job before there are any: who each of them will be.
type Runs struct {
	settings Settings
	hostname string
	variable string // in which each finds its number
	namedBy  string // in which each finds that variable's name; "": none
	first    int64  // the number of the first one
	list     List   // of --indexes
	len      int64
	known    bool // the platform is
}

// Foresee refuses what every run will refuse: an error is a failure with exit code 64 or
// 78. Where no platform is named, the numbers are as Kubernetes gives them.
func Foresee(s Settings, hostname string) (Runs, error) {
	if err := s.contradictions(); err != nil {
		return Runs{}, err
	}
	r := Runs{settings: s, hostname: hostname, variable: s.IndexEnv, known: s.IndexEnv != "" || s.Platform != ""}
	var p *Platform
	if s.IndexEnv == "" {
		if p = platformNamed(s.Platform); p == nil {
			p = kubernetes
		}
		r.settings.Platform, r.variable, r.namedBy, r.first = p.Name, p.Variable, p.NamedBy, p.begin(s.IndexOffset)
	}
	var err error
	if r.list, err = s.list(p); err != nil {
		return Runs{}, err
	}
	if r.len = r.list.Len(); s.Indexes == "" && s.Completions != nil {
		r.len = *s.Completions
	}
	return r, nil
}

// Len is how many there are; 0: these settings don't tell.
func (r *Runs) Len() int64 { return r.len }

// At gives the k-th run, from 0. An error is what that run will fail with: exit code 65 or
// 78.
func (r *Runs) At(k int64) (Identity, error) {
	id := Outside(r.settings, r.hostname)
	number := strconv.FormatInt(r.first+k, 10)
	env := func(name string) (string, bool) {
		if name == r.namedBy {
			return r.variable, name != ""
		}
		return number, name == r.variable
	}
	err := id.find(r.settings, env)
	if !r.known {
		id.Platform = ""
	}
	if err != nil {
		return id, err
	}
	if err := id.selectFrom(r.settings, r.list); err != nil {
		return id, err
	}
	return id, id.bound(r.settings, env)
}

// begin is the number of the first run. Where the user picks the numbers it is the first
// that is one, and that the offset makes an index of: an array of --index-offset -1 begins
// at 1.
func (p *Platform) begin(offset int64) int64 {
	if p.Fixed {
		return p.Base
	}
	n := max(0, -offset)
	for slices.Contains(p.NotArray, strconv.FormatInt(n, 10)) {
		n++
	}
	return n
}
