// Package identity answers the first question of a run: which index am I? A
// wrong answer makes a wrong item "done", so what isn't certain is an error.
package identity

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"nth/shim/failure"
)

// Settings are the flags that bear on the index.
type Settings struct {
	Index       *string // nil: not given
	IndexEnv    string
	Indexes     string
	IndexOffset int64
	Platform    string
	Completions *int64
	Job, JobUID string
	// The two annotations of a Job with backoffLimitPerIndex, as they came.
	IndexFailures, IndexIgnoredFailures string
}

// Identity is who a run is.
type Identity struct {
	Index, RawIndex int64
	Completions     *int64 // nil: not known
	Attempt         int    // from 1
	Job, JobUID     string
	Platform        string // the row's name, "flag" for --index, "variable" for --index-env
	Variable        string // where the number was read
	Hostname        string
	Warnings        []string

	platform *Platform
	rewrites []string // NAME=VALUE of variables that would tell the command another index
}

// Resolve finds the index: --index, --index-env, then the platforms' variables in
// the order of the table. An error is a failure with exit code 64 (no such
// platform), 65 (beyond the last index) or 78.
func Resolve(s Settings, lookup func(string) (string, bool), hostname string) (Identity, error) {
	id := Identity{Completions: s.Completions, Attempt: 1, Job: s.Job, JobUID: s.JobUID, Hostname: hostname}
	if err := s.contradictions(); err != nil {
		return id, err
	}
	if err := id.find(s, lookup); err != nil {
		return id, err
	}
	if err := id.selectFrom(s); err != nil {
		return id, err
	}
	if id.platform != nil {
		id.describe(s, lookup)
	}
	id.rewrite(s, lookup)
	id.compareHostname()
	return id, id.bound(lookup)
}

func setup(tried, on string, cause error, hint string) error {
	return &failure.Failure{Code: failure.Setup, Tried: tried, On: on, Cause: cause, Hint: hint}
}

func (s Settings) contradictions() error {
	switch {
	case s.Indexes == "":
	case s.Index != nil:
		return setup("reconcile", "--index and --indexes", errors.New("each names the item"), "give one of them")
	case s.IndexOffset != 0:
		return setup("reconcile", "--index-offset and --indexes", errors.New("the list already says which item it is"), "give one of them")
	}
	if s.Completions != nil && *s.Completions < 1 {
		return setup("read", "--completions", fmt.Errorf("%d is less than 1", *s.Completions), "give the number of indexes of the whole Job")
	}
	return nil
}

// find reads the number where it stands.
func (id *Identity) find(s Settings, lookup func(string) (string, bool)) error {
	switch {
	case s.Index != nil:
		id.Platform, id.Variable = "flag", "--index"
		return id.read(*s.Index)
	case s.IndexEnv != "":
		id.Platform, id.Variable = "variable", s.IndexEnv
		value, ok := lookup(s.IndexEnv)
		if !ok {
			return setup("read the index from", s.IndexEnv, errors.New("the variable is not set"), "set it, or correct --index-env")
		}
		return id.read(value)
	case s.Platform != "":
		return id.forced(s.Platform, lookup)
	}
	return id.detect(s, lookup)
}

func (id *Identity) read(value string) error {
	n, err := parseIndex(value)
	if err != nil {
		return setup("read the index from", id.Variable, err, "it must hold this run's number")
	}
	id.RawIndex, id.Index = n, n
	return nil
}

func (id *Identity) forced(name string, lookup func(string) (string, bool)) error {
	for i := range Platforms {
		p := &Platforms[i]
		if p.Name != name {
			continue
		}
		if value, ok := p.value(lookup); ok {
			return id.use(p, value)
		}
		return setup("read the index from", p.Variable, fmt.Errorf("--platform %s was given, and its variable is not set", name),
			"run it as an array there, or give --index")
	}
	return &failure.Failure{Code: failure.Usage, Tried: "find", On: "--platform " + name, Cause: errors.New("there is no such platform"),
		Hint: "the platforms are " + platformNames()}
}

// value gives the variable's value where it says that this is an array.
func (p *Platform) value(lookup func(string) (string, bool)) (string, bool) {
	value, ok := lookup(p.Variable)
	for _, not := range p.NotArray {
		if value == not {
			return "", false
		}
	}
	return value, ok
}

func (id *Identity) use(p *Platform, value string) error {
	id.Platform, id.Variable, id.platform = p.Name, p.Variable, p
	if err := id.read(value); err != nil {
		return err
	}
	if p.Fixed {
		if id.Index -= p.Base; id.Index < 0 {
			return setup("read the index from", p.Variable, fmt.Errorf("%d, but %s counts from %d", id.RawIndex, p.Title, p.Base),
				"give --index if the number is your own")
		}
	}
	return nil
}

func (id *Identity) detect(s Settings, lookup func(string) (string, bool)) error {
	for i := range Platforms {
		p := &Platforms[i]
		value, ok := p.value(lookup)
		if !ok {
			continue
		}
		if id.platform == nil {
			if err := id.use(p, value); err != nil {
				return err
			}
			continue
		}
		var other Identity
		if err := other.use(p, value); err != nil {
			return err
		}
		if other.Index != id.Index {
			return setup("choose between", id.Variable+" and "+p.Variable,
				fmt.Errorf("%s says index %d and %s says index %d", id.platform.Title, id.Index, p.Title, other.Index),
				fmt.Sprintf("choose with --platform %s or --platform %s, or give --index", id.Platform, p.Name))
		}
	}
	if id.platform == nil {
		return noIndex(lookup)
	}
	return nil
}

func noIndex(lookup func(string) (string, bool)) error {
	hint := "run it as an indexed job or array, or give --index"
	if _, ok := lookup("KUBERNETES_SERVICE_HOST"); ok {
		hint = "this is Kubernetes: completionMode: Indexed may be missing from the Job; or give --index"
	}
	names := make([]string, len(Platforms))
	for i, p := range Platforms {
		names[i] = p.Variable
	}
	return setup("find the index", "", errors.New("none of these variables is set: "+strings.Join(names, ", ")), hint)
}

// selectFrom applies --indexes and --index-offset.
func (id *Identity) selectFrom(s Settings) error {
	number := id.Index
	switch {
	case s.Indexes != "" && id.platform != nil && !id.platform.Fixed:
		return setup("use", "--indexes", fmt.Errorf("on %s the user picks the numbers", id.platform.Title), "name the indexes in the array itself")
	case s.Indexes != "":
		list, err := ParseList(s.Indexes)
		if err != nil {
			return err
		}
		if s.Completions != nil && list.Last() >= *s.Completions {
			return setup("use", "--indexes", fmt.Errorf("%d is beyond the last index, %d", list.Last(), *s.Completions-1), "correct the list or --completions")
		}
		if id.Index >= list.Len() {
			return setup("use", "--indexes", fmt.Errorf("the list has %d indexes, and this is number %d of them, counted from 0", list.Len(), id.Index),
				"give the Job as many completions as the list has indexes")
		}
		id.Index = list.At(id.Index)
	case s.IndexOffset != 0:
		if id.Index += s.IndexOffset; id.Index < 0 || (s.IndexOffset > 0 && id.Index < number) {
			return setup("use", "--index-offset", fmt.Errorf("%d%+d is no index", number, s.IndexOffset), "correct the offset")
		}
	}
	return nil
}

// rewrite finds the variables that hold another number than this item's: the
// platform's own where it was changed, and with --index or --index-env each
// platform's that is set.
func (id *Identity) rewrite(s Settings, lookup func(string) (string, bool)) {
	set := func(name string, base int64) {
		now := strconv.FormatInt(id.Index+base, 10)
		if was, _ := lookup(name); was != now {
			id.rewrites = append(id.rewrites, name+"="+now)
		}
	}
	if s.Index == nil && s.IndexEnv != "" {
		set(s.IndexEnv, 0)
	}
	for i := range Platforms {
		p := &Platforms[i]
		if _, array := p.value(lookup); array && (id.platform == nil || id.platform == p) {
			set(p.Variable, p.Base)
		}
	}
}

// describe reads what else the platform tells.
func (id *Identity) describe(s Settings, lookup func(string) (string, bool)) {
	p := id.platform
	number := func(name string) (int64, bool) {
		value, ok := lookup(name)
		if name == "" || !ok {
			return 0, false
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			id.warn("%s holds %q, which is no number: ignored", name, value)
		}
		return n, err == nil
	}
	if n, ok := number(p.Count); ok && id.Completions == nil && n > 0 {
		id.Completions = &n
	}
	if n, ok := number(p.Attempt); ok {
		id.Attempt = max(int(n)-p.First+1, 1)
	}
	if job, ok := lookup(p.Job); ok && p.Job != "" && id.Job == "" {
		id.Job = job
	}
	if p.Variable == "JOB_COMPLETION_INDEX" {
		id.Attempt += id.failures("NTH_INDEX_FAILURES", s.IndexFailures) + id.failures("NTH_INDEX_IGNORED_FAILURES", s.IndexIgnoredFailures)
	}
}

func (id *Identity) failures(name, value string) int {
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		id.warn("%s holds %q, which is no number of failures: counted as 0", name, value)
		return 0
	}
	return n
}

func (id *Identity) warn(format string, args ...any) {
	id.Warnings = append(id.Warnings, fmt.Sprintf(format, args...))
}

// compareHostname notices a pod whose name says another index. The name decides
// nothing: anyone may set a host name.
func (id *Identity) compareHostname() {
	if id.Variable != "JOB_COMPLETION_INDEX" {
		return
	}
	at := strings.LastIndexByte(id.Hostname, '-')
	if at < 0 {
		return
	}
	if n, err := parseIndex(id.Hostname[at+1:]); err == nil && n != id.RawIndex {
		id.warn("the host name %s ends in %d, and JOB_COMPLETION_INDEX is %d: the variable counts", id.Hostname, n, id.RawIndex)
	}
}

// bound refuses an index beyond the last: exit code 65, for an elastic Job may
// have grown or shrunk. Where the user picks the numbers, the count is no bound.
func (id *Identity) bound(lookup func(string) (string, bool)) error {
	last, known, of := int64(0), false, ""
	switch {
	case id.platform != nil && !id.platform.Fixed:
		if id.platform.Last != "" && len(id.rewrites) == 0 {
			value, _ := lookup(id.platform.Last)
			n, err := strconv.ParseInt(value, 10, 64)
			last, known, of = n, err == nil, id.platform.Last+" is "+value
		}
	case id.Completions != nil:
		last, known, of = *id.Completions-1, true, fmt.Sprintf("there are %d completions", *id.Completions)
	}
	if known && id.Index > last {
		return &failure.Failure{Code: failure.BadIndex, Tried: "accept", On: fmt.Sprintf("index %d", id.Index),
			Cause: fmt.Errorf("%s, so the last index is %d", of, last), Hint: "correct --completions, or the size of the Job"}
	}
	return nil
}
