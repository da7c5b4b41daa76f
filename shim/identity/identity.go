// Package identity answers the first question of a run: which index am I? A
// wrong answer makes a wrong item "done", so what isn't certain is an error.
//
// Resolve finds the number in the flags or in the table of Platforms, and
// Identity.Environment hands it on to the command.
package identity

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"nth/shim/failure"
)

// Settings are the flags that bear on the index, and those that say where it runs.
type Settings struct {
	Index       *string `group:"Index" placeholder:"N" help:"The index, instead of the platform's variable."`
	Completions *int64  `group:"Index" word:"auto" placeholder:"N|auto" help:"How many indexes the whole Job has; auto, of nth plan, local and manifest: one for each row or object of --tasks."`
	Indexes     string  `group:"Index" placeholder:"LIST" help:"Run only these: the platform's number k selects the k-th of the list, such as 7,42,90-99."`
	IndexOffset int64   `group:"Index" placeholder:"N" help:"Added to the index, such as -1 for a Slurm array that begins at 1."`
	IndexEnv    string  `group:"Index" placeholder:"NAME" help:"Read the index from this variable."`
	Platform    string  `group:"Index" placeholder:"NAME" help:"Read the index of this platform only."`
	Job         string  `group:"Index" placeholder:"NAME" help:"Name of the Job."`
	JobUID      string  `group:"Set by nth manifest" name:"job-uid" placeholder:"UID" help:"Unique ID of the Job, which a re-created Job of the same name doesn't share."`
	Pod         string  `group:"Set by nth manifest" placeholder:"NAME" help:"The pod's name, for the records (else the host's)."`
	Node        string  `group:"Set by nth manifest" placeholder:"NAME" help:"Name of the node, for the records."`
	// The two annotations of a Job with backoffLimitPerIndex, as they came. The
	// downward API gives "" for an annotation that isn't there.
	IndexFailures        string `group:"Set by nth manifest" placeholder:"N" help:"Failures of this index so far: annotation job-index-failure-count."`
	IndexIgnoredFailures string `group:"Set by nth manifest" placeholder:"N" help:"Its ignored failures: annotation job-index-ignored-failure-count."`
}

// Auto is a number of indexes that is still to be counted.
const Auto = math.MinInt64

// Identity is who a run is.
type Identity struct {
	Index    int64 // the item: from 0 where the platform fixes the numbering, else as the user chose it
	RawIndex int64 // the number as it stood in Variable
	// Completions is what the command is told of how many indexes there are; nil: not
	// known. Where the user picks the numbers it may be the array's size: see Total.
	Completions *int64
	// Outgrown is the number of completions that this index lies beyond, for its Job has
	// grown since that was written; Completions isn't known then. nil: it doesn't.
	Outgrown    *int64
	Attempt     int // from 1; it may go back
	Job, JobUID string
	Platform    string // the row's name, "flag" for --index, "variable" for --index-env
	Variable    string // where the number was read
	Hostname    string
	// Slot is the place that this run has among those that run at the same time; 0 where
	// nobody says.
	Slot     int64
	Warnings []string

	platform *Platform // nil: the number came from --index or --index-env
	limit    *limit    // nil: the platform tells none
	sized    bool      // Completions is the size of an array whose numbers the user picked
	tellers  []telling // the rows whose variables must tell the command this index
	rewrites []string  // NAME=VALUE of variables that would tell it another one
}

// Outside is who a process is that is none of a Job's runs: it has no index.
func Outside(s Settings, hostname string) Identity {
	return Identity{Completions: s.Completions, Attempt: 1, Job: s.Job, JobUID: s.JobUID, Hostname: hostname}
}

// lookup gives a variable of nth's own environment, as os.LookupEnv.
type lookup = func(name string) (string, bool)

// Resolve finds the index: --index, --index-env, then the platforms' variables in
// the order of the table. An error is a failure with exit code 64 (no such
// platform), 65 (beyond the last index) or 78.
func Resolve(s Settings, env func(name string) (string, bool), hostname string) (Identity, error) {
	id := Outside(s, hostname)
	if err := s.contradictions(); err != nil {
		return id, err
	}
	if err := id.find(s, env); err != nil {
		return id, err
	}
	if err := id.place(env); err != nil {
		return id, err
	}
	list, err := s.list(id.platform)
	if err != nil {
		return id, err
	}
	if err := id.selectFrom(s, list); err != nil {
		return id, err
	}
	id.rewrite(s, env)
	if id.platform != nil {
		id.describe(s, env)
	}
	return id, id.bound(s, env)
}

func setup(tried, on string, cause error, hint string) error {
	return &failure.Failure{Code: failure.Setup, Tried: tried, On: on, Cause: cause, Hint: hint}
}

func (s Settings) contradictions() error {
	if s.Platform != "" && platformNamed(s.Platform) == nil {
		return &failure.Failure{Code: failure.Usage, Tried: "find", On: "--platform " + short(s.Platform), Cause: errors.New("there is no such platform"),
			Hint: "the platforms are " + platformNames()}
	}
	switch {
	case s.Indexes == "":
	case s.Index != nil:
		return setup("reconcile", "--index and --indexes", errors.New("each names the item"), "give one of them")
	case s.IndexOffset != 0:
		return setup("reconcile", "--index-offset and --indexes", errors.New("the list already says which item it is"), "give one of them")
	}
	if s.Completions != nil && *s.Completions == Auto {
		return &failure.Failure{Code: failure.Usage, Tried: "read", On: "--completions auto", Cause: errors.New("nth plan, local and manifest count, and tell the runs"),
			Hint: "give the number of indexes of the whole Job"}
	}
	if s.Completions != nil && *s.Completions < 1 {
		return setup("read", "--completions", fmt.Errorf("%d is less than 1", *s.Completions), "give the number of indexes of the whole Job")
	}
	return nil
}

// list reads --indexes, where the number comes from p; nil: from no platform.
func (s Settings) list(p *Platform) (List, error) {
	if s.Indexes == "" {
		return List{}, nil
	}
	if p != nil && !p.Fixed {
		return List{}, setup("use", "--indexes", fmt.Errorf("on %s the user picks the numbers", p.Title),
			"take --indexes away, and name the indexes in the array itself")
	}
	list, err := ParseList(s.Indexes)
	if err == nil && s.Completions != nil && list.Last() >= *s.Completions {
		err = setup("use", "--indexes", fmt.Errorf("%d is beyond the last index, %d", list.Last(), *s.Completions-1), "correct the list or --completions")
	}
	return list, err
}

// selectFrom applies --indexes, which is this list, and --index-offset.
func (id *Identity) selectFrom(s Settings, list List) error {
	number := id.Index
	switch {
	case s.Indexes != "":
		if number >= list.Len() {
			return setup("use", "--indexes", fmt.Errorf("the list has %d indexes, and this is number %d of them, counted from 0", list.Len(), number),
				"give the Job as many completions as the list has indexes")
		}
		id.Index = list.At(number)
	case s.IndexOffset != 0:
		if id.Index += s.IndexOffset; id.Index < 0 { // so is a sum that doesn't fit
			return setup("use", "--index-offset", fmt.Errorf("%d%+d is no index", number, s.IndexOffset), "correct the offset, or the numbers of the array")
		}
	}
	return nil
}

// parseIndex reads a base-10 index: digits alone, with neither sign nor space.
func parseIndex(s string) (int64, error) {
	if s == "" {
		return 0, errors.New("it is empty")
	}
	if strings.Trim(s, "0123456789") != "" {
		return 0, fmt.Errorf("%s is not a whole number from 0 in base 10", short(s))
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is too large", short(s))
	}
	return n, nil
}

// short quotes what was found, which may be as long as an environment may be.
func short(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}
