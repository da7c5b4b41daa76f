package identity

import (
	"fmt"
	"strings"

	"nth/shim/failure"
)

// mostAttempts bounds what is believed, so that sums stay within 32 bits.
const mostAttempts = 1 << 29

// describe reads what else the platform tells.
func (id *Identity) describe(s Settings, env lookup) {
	p := id.platform
	// With --indexes, or with an offset where the platform counts from 0, the array
	// is a part of the Job: its size isn't the Job's.
	part := s.Indexes != "" || p.Fixed && s.IndexOffset != 0
	if n, ok := id.number(p.Count, 1, env); ok {
		if id.Completions == nil && !part {
			id.Completions, id.sized = &n, !p.Fixed
		}
		if p.Fixed {
			id.limit = &limit{n - 1 + p.Base, p.Count, n}
		}
	}
	if n, ok := id.number(p.Last, 0, env); ok {
		id.limit = &limit{n, p.Last, n}
	}
	if n, ok := id.number(p.Attempt, int64(p.First), env); ok {
		id.Attempt = int(min(n, mostAttempts)) - p.First + 1
	}
	if job, ok := env(p.Job); ok && p.Job != "" && id.Job == "" {
		if p.JobEnd != "" {
			job, _, _ = strings.Cut(job, p.JobEnd)
		}
		id.Job = job
	}
	if p == kubernetes {
		id.Attempt += id.failures("NTH_INDEX_FAILURES", s.IndexFailures) + id.failures("NTH_INDEX_IGNORED_FAILURES", s.IndexIgnoredFailures)
		id.compareHostname(env)
	}
}

// number reads a variable that the index doesn't depend on, so that a malformed
// one is a warning.
func (id *Identity) number(name string, least int64, env lookup) (int64, bool) {
	value, _ := env(name)
	if name == "" || value == "" {
		return 0, false
	}
	n, err := parseIndex(value)
	if err != nil || n < least {
		id.warn("%s is %s, which is no whole number from %d: ignored", name, short(value), least)
		return 0, false
	}
	return n, true
}

// failures reads a count of failures.
func (id *Identity) failures(name, value string) int {
	if value == "" {
		return 0
	}
	n, err := parseIndex(value)
	if err != nil {
		id.warn("%s is %s, which is no number of failures: counted as 0; does it come from the pod's annotation?", name, short(value))
		return 0
	}
	return int(min(n, mostAttempts))
}

func (id *Identity) warn(format string, args ...any) {
	id.Warnings = append(id.Warnings, fmt.Sprintf(format, args...))
}

// compareHostname notices a pod whose name says another index. The name decides
// nothing: anyone may set a host name. Outside Kubernetes (node-7), and where the
// Job's name is known and the host is called otherwise, the number means nothing.
// A Job's name may be longer than the 63 bytes that a host name may have.
func (id *Identity) compareHostname(env lookup) {
	at := strings.LastIndexByte(id.Hostname, '-')
	if at < 0 || !onKubernetes(env) || id.Job != "" && !strings.HasPrefix(id.Job, id.Hostname[:at]) {
		return
	}
	if n, err := parseIndex(id.Hostname[at+1:]); err == nil && n != id.RawIndex {
		id.warn("the host name %s ends in %d, and %s is %d: the variable counts; does the pod's template set it?",
			id.Hostname, n, id.Variable, id.RawIndex)
	}
}

// Total is how many indexes the whole Job has, counted from 0; nil: that isn't known.
// The size of an array whose numbers the user picked isn't that: they may begin anywhere,
// have gaps, or be the one number that is run again.
func (id *Identity) Total() *int64 {
	if id.sized {
		return nil
	}
	return id.Completions
}

// Picked is where the user picked the numbers, for people; "": the platform did.
func (id *Identity) Picked() string {
	if id.platform == nil || id.platform.Fixed {
		return ""
	}
	return id.platform.Title
}

// Among tells whether the index is one of 0 to Total-1, so that it has a part of what all
// of them share. Where the user picked the numbers nothing else sees to that.
func (id *Identity) Among() bool {
	n := id.Total()
	return n != nil && id.Index >= 0 && id.Index < *n
}

// limit is the greatest number that the platform gives, and what says so.
type limit struct {
	last     int64
	variable string
	value    int64
}

// bound refuses an index beyond the last: exit code 65. --completions bounds the item,
// what the platform says bounds its own number. Where the user picks the numbers no count
// is a bound, for they may begin anywhere and have gaps: only the greatest is.
func (id *Identity) bound(s Settings, env lookup) error {
	numbered := id.platform != nil && !id.platform.Fixed
	switch last := id.limit; {
	case s.Completions != nil && !numbered:
		switch {
		case id.Index < *s.Completions:
		case id.elastic(s, env):
			id.outgrow(*s.Completions)
		default:
			return beyond(fmt.Sprintf("index %d", id.Index), fmt.Errorf("there are %d completions, so the last index is %d", *s.Completions, *s.Completions-1),
				"correct --completions, which counts the indexes of the whole Job, or --index-offset, or the size of the Job")
		}
	case last != nil && id.RawIndex > last.last:
		return beyond(fmt.Sprintf("%s=%d", id.Variable, id.RawIndex), fmt.Errorf("%s=%d, so the last one is %d", last.variable, last.value, last.last),
			"correct the size of the array, or unset the variable that is wrong, or give --index")
	}
	return nil
}

// elastic tells whether the index is Kubernetes' own, and the number of completions is a
// pod template's. Kubernetes gives no index that its Job hasn't, and lets a Job grow while
// its template can't be changed: so a number there that is too small is an old one. By hand,
// outside of a pod, it is what somebody has just said.
func (id *Identity) elastic(s Settings, env lookup) bool {
	_, written := env("NTH_COMPLETIONS") // as nth manifest does
	return id.platform == kubernetes && (written || onKubernetes(env)) && s.Indexes == "" && s.IndexOffset == 0
}

// outgrow forgets a number of completions that is an old one: how many there are by now,
// nobody tells a pod, and nothing may be calculated from the old one.
func (id *Identity) outgrow(completions int64) {
	id.Outgrown, id.Completions = &completions, nil
	id.warn("index %d is beyond the last one, %d, of the %d completions that the pod template tells: taken as the index of a Job that has grown since, whose completions aren't known here",
		id.Index, completions-1, completions)
}

// Bounded refuses an index that lies beyond the completions, for what shares something out
// among them: exit code 65.
func (id *Identity) Bounded(what string) error {
	if id.Outgrown == nil {
		return nil
	}
	return &failure.Failure{Code: failure.BadIndex, Tried: "share out", On: fmt.Sprintf("%s among %d completions", what, *id.Outgrown),
		Cause: fmt.Errorf("index %d is beyond the last one, %d", id.Index, *id.Outgrown-1),
		Hint:  "a Job that shares out can't grow, for the parts of the others would be other ones: start a new Job with the new number, and markers of its own"}
}

func beyond(on string, cause error, hint string) error {
	return &failure.Failure{Code: failure.BadIndex, Tried: "accept", On: on, Cause: cause, Hint: hint}
}
