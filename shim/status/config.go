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

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/flags"
	"nth/shim/store"
)

// Config is what `nth status` is told: a flag each. What nth run knows too has the
// same name there, and the same meaning.
type Config struct {
	config.Store `embed:"" set:"wait=30s"`

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
	Used      bool          `group:"View" env:"-" help:"Read the markers too, and tell what items took, time, CPU and memory, and what to request by that."`
	Read      string        `group:"View" env:"-" default:"1000" placeholder:"N|all" help:"How many documents of a kind are read at most: failure records, markers for --used, checkpoints of shards."`
	MaxFailed string        `group:"View" placeholder:"N|N%" help:"Exit 0 also when so many indexes have failed (default 0)."`
	Watch     bool          `group:"View" env:"-" help:"Look again and again until nothing is left to do; a grid on a terminal, else a line each time."`
	Interval  time.Duration `group:"View" env:"-" default:"5s" placeholder:"D" help:"With --watch: the time from look to look."`
}

// World is what a look touches besides its store.
type World struct {
	edge.Process
	Stdin, Stdout *os.File
}

// parsed is what the flags say.
type parsed struct {
	Config
	called    string // the command
	read      int64
	maxFailed func(total int64) int64
	lists     []State
	queue     bool  // the markers are of a queue's tasks
	said      int64 // how many indexes there are by a document of one of them; 0: it was told elsewhere
}

// parse refuses what makes no sense: exit code 64, or 78 for a contradiction.
func (c Config) parse(rest []string) (p parsed, err error) {
	p.Config, p.called = c, Spec.Name
	if len(rest) > 0 {
		return p, usage("COMMAND", errors.New("nothing is run here"), "nth status --markers URL")
	}
	if err := config.Check(config.Told{For: config.ForStatus, Store: &c.Store, Completions: c.Completions, Said: flags.Said(c)}); err != nil {
		return p, err
	}
	if p.read, err = parseRead(c.Read); err != nil {
		return p, usage("--read", err, "give a number, or all")
	}
	if p.maxFailed, err = tolerated(c.MaxFailed); err != nil {
		return p, err
	}
	p.lists, err = parseStates(c.List)
	return p, err
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

// policy is for every call to the store.
func (c Config) policy() store.Policy {
	return store.Policy{Window: c.StoreWait, PerCall: c.StoreTimeout, Pieces: true}
}
