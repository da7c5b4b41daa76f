package status

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/local"
	"nth/shim/store"
	"nth/templates"
)

// Config is what `nth status` is told: a flag each. What nth run knows too has the
// same name there, and the same meaning.
type Config struct {
	Markers      string        `group:"Store" placeholder:"URL" help:"Where the markers are, as nth run is given it; of templates, what needs no index."`
	StoreWait    time.Duration `group:"Store" default:"30s" placeholder:"D" help:"Try a store that doesn't answer for this long."`
	StoreTimeout time.Duration `group:"Store" default:"30s" placeholder:"D" help:"Deadline of a single call to the store."`

	Completions *int64 `group:"Indexes" placeholder:"N" help:"How many indexes the whole Job has (default: what one of the documents says)."`
	Indexes     string `group:"Indexes" placeholder:"LIST" help:"Look at these only, such as 7,42,90-99; where the user picks the numbers, all that there should be."`
	Job         string `group:"Indexes" placeholder:"NAME" help:"Name of the Job, for <<.Job>> in the URL, and to choose one from --kubernetes."`
	JobName     string `name:"job-name" env:"-" hidden:""` // what --job was called before
	JobUID      string `group:"Indexes" name:"job-uid" placeholder:"UID" help:"Unique ID of the Job, for <<.JobUID>> in the URL."`
	Kubernetes  string `group:"Indexes" env:"-" placeholder:"FILE|-" help:"Put Kubernetes' own view beside the markers': the output of kubectl get job,pods -o json."`

	Format    string        `group:"View" env:"-" default:"text" enum:"text,json,html" help:"text, json, or html: one page for a browser, without a network."`
	List      []string      `group:"View" env:"-" placeholder:"STATES" help:"Print only the list of the indexes that are done, skipped, failed, running, started or missing, or unfinished: all but done and skipped. Exit 0."`
	Reason    string        `group:"View" env:"-" placeholder:"REASON" help:"Of the failures only those of one reason, such as oom, timeout, SIGSEGV, exit-3 or nth-66."`
	Index     *int64        `group:"View" env:"-" placeholder:"N" help:"Tell all that is known of one index."`
	Logs      bool          `group:"View" env:"-" help:"With --index: print the outputs that nth run --logs has kept of it, the oldest attempt first. Exit 0."`
	LogsURL   string        `group:"View" name:"logs-url" env:"NTH_LOGS" placeholder:"URL" help:"Where --logs has kept them (default: where the item's documents say)."`
	Used      bool          `group:"View" env:"-" help:"Read the markers too, and tell what items took: time, CPU and memory."`
	Read      string        `group:"View" env:"-" default:"1000" placeholder:"N|all" help:"How many documents of a kind are read at most: failure records, markers for --used, checkpoints of shards."`
	MaxFailed string        `group:"View" placeholder:"N|N%" help:"Exit 0 also when so many indexes have failed (default 0)."`
	Watch     bool          `group:"View" env:"-" help:"Look again and again until nothing is left to do; a grid on a terminal, else a line each time."`
	Interval  time.Duration `group:"View" env:"-" default:"5s" placeholder:"D" help:"With --watch: the time from look to look."`
}

// World is what a look touches besides its store.
type World struct {
	Sources         templates.Sources
	Hostname, RunID string
	Version         string
	Stdin           *os.File
	Stdout, Stderr  *os.File
}

// parsed is what the flags say.
type parsed struct {
	Config
	read      int64
	maxFailed func(total int64) int64
	lists     []State
	secrets   []string // in URLs
	queue     bool     // the markers are of a queue's tasks
}

// parse refuses what makes no sense: exit code 64, or 78 for a contradiction.
func (c Config) parse(rest []string) (p parsed, err error) {
	p.Config = c
	switch {
	case len(rest) > 0:
		return p, usage("COMMAND", errors.New("nothing is run here"), "nth status --markers URL")
	case c.StoreWait < 0 || c.StoreTimeout <= 0 || c.Interval <= 0:
		return p, usage("--store-wait, --store-timeout and --interval", errors.New("a duration is not positive"), "give one such as 30s")
	case c.Index != nil && *c.Index < 0:
		return p, usage("--index", errors.New("it is negative"), "")
	}
	if p.read, err = parseRead(c.Read); err != nil {
		return p, usage("--read", err, "give a number, or all")
	}
	limit, err := local.ParseMaxFailed(c.MaxFailed)
	if err != nil {
		return p, usage("--max-failed", err, "")
	}
	p.maxFailed = func(total int64) int64 {
		if c.MaxFailed == "" {
			return 0
		}
		return limit.Of(total)
	}
	if p.lists, err = parseStates(c.List); err != nil {
		return p, err
	}
	return p, c.contradictions()
}

func parseRead(s string) (int64, error) {
	if s == "all" {
		return math.MaxInt32, nil
	}
	n, err := strconv.ParseUint(s, 10, 31)
	return int64(n), err
}

// parseStates reads the states of --list.
func parseStates(names []string) (list []State, err error) {
	known := []string{}
	for _, s := range states {
		if s.State != 0 {
			known = append(known, s.name)
		}
	}
	for _, name := range names {
		at := slices.Index(known, name)
		switch {
		case name == "unfinished":
			list = append(list, Failed, Running, Started, Missing)
		case at < 0:
			return nil, usage("--list", fmt.Errorf("there is no state %q", name), "give "+strings.Join(known, ", ")+" or unfinished, with commas between several")
		default:
			list = append(list, states[at].State)
		}
	}
	return list, nil
}

// contradictions are pairs of flags of which one has no meaning beside the other.
func (c Config) contradictions() error {
	listed := len(c.List) > 0
	for _, pair := range []struct {
		both bool
		on   string
		why  string
	}{
		{c.Watch && (listed || c.Index != nil || c.Format != "text" || c.Used || c.Reason != ""), "--watch", "it has a view of its own: leave out --list, --index, --format, --used and --reason"},
		{c.Watch && c.Kubernetes == "-", "--watch and --kubernetes -", "stdin can be read once; give a file that you keep up to date"},
		{c.Index != nil && (listed || c.Reason != "" || c.Used || c.Indexes != ""), "--index", "it shows one index: leave out --list, --reason, --used and --indexes"},
		{c.Index != nil && c.Format == "html", "--index and --format=html", "the page is of the whole Job; it tells of each index"},
		{c.Logs && c.Index == nil, "--logs", "it needs --index N"},
		{c.Logs && c.Format != "text", "--logs and --format", "outputs are printed as they are"},
		{listed && (c.Format != "text" || c.Used), "--list", "it prints the list alone: leave out --format and --used"},
		{listed && c.Reason != "" && !slices.Equal(c.List, []string{"failed"}), "--reason and --list", "only the failed have a reason: --list failed"},
	} {
		if pair.both {
			return &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: pair.on, Cause: errors.New(pair.why)}
		}
	}
	return nil
}

// policy is for every call to the store.
func (c Config) policy() store.Policy {
	return store.Policy{Window: c.StoreWait, PerCall: c.StoreTimeout}
}
