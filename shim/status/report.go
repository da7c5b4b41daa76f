// Package status tells from a Job's markers what is done, what failed and why, what is
// running and what is missing. A Snapshot is what listings told; a Report is that and
// the documents that were read, as programs and people get it. Nothing is written.
package status

import (
	"time"

	"nth/shim/identity"
)

// State is what is known of one index, in one letter, as the report's grid has it.
type State byte

// The states, from the weakest to the strongest: what is done stays done, whatever else
// is recorded of it.
const (
	Missing State = '.' // no trace of it
	Started State = 'b' // it began, and left no further trace: it may be alive or not
	Failed  State = 'f' // its last attempt failed
	Running State = 'r' // by a claim that is alive, or as Kubernetes tells
	Skipped State = 's' // settled as bad
	Done    State = 'd'
)

// Snapshot is what the listings of one look told, and the same for every index: memory
// is a few bytes an index.
type Snapshot struct {
	At  time.Time     // when it was begun, by this machine's clock
	Of  identity.List // the indexes that there should be
	Len int64         // how many they are; states and dates are by their position in Of
	// States is the letter of each.
	States []State
	// Settled is when the store dated its marker, in seconds since 1970; 0: not settled.
	Settled []int64
	// Failures are the dates of all failure records, also of what was done since.
	Failures map[int64]time.Time
	// Others are markers of indexes that there should not be, such as an elastic Job's
	// from before it shrank.
	Others []int64
	// Tasks counts a queue's tasks; nil: there are none.
	Tasks *Tasks
	// FailedTasks are the keys of the records of its failed ones.
	FailedTasks []string
	// Shards are the indexes that have checkpoints.
	Shards []int64
	// Requests is how many pages of listings it took.
	Requests int
}

// Report is one look at a Job. Its JSON is for programs: fields are added, not changed.
type Report struct {
	Version     int       `json:"version"` // of this document: 1
	Nth         string    `json:"nth"`
	Markers     string    `json:"markers"` // the URL, without credentials
	Job         string    `json:"job,omitempty"`
	At          time.Time `json:"at"`
	Completions int64     `json:"completions"` // how many indexes there should be
	Counts      Counts    `json:"counts"`
	// Lists are in Kubernetes' form, such as 0-3,7.
	Lists Lists `json:"lists"`
	// Rate is how many indexes were settled in a second lately, and Left how long the
	// rest takes at that, in seconds; 0: not known.
	Rate float64 `json:"rate_per_s,omitempty"`
	Left float64 `json:"left_s,omitempty"`
	// Groups are the failures by what they have in common, largest first.
	Groups []Group `json:"groups"`
	// Failures are those whose records were read, by index; Unread are the others.
	Failures []Failure `json:"failures"`
	Unread   int64     `json:"failures_unread,omitempty"`
	// Used is what settled items took, as far as their markers were read.
	Used  *Used  `json:"used,omitempty"`
	Tasks *Tasks `json:"tasks,omitempty"`
	// TaskFailures are the failed tasks whose records were read, TasksUnread the others.
	TaskFailures []TaskFailure `json:"task_failures,omitempty"`
	TasksUnread  int64         `json:"task_failures_unread,omitempty"`
	Shards       []Shard       `json:"shards,omitempty"`
	Kubernetes   *Kubernetes   `json:"kubernetes,omitempty"` // --kubernetes
	// Rerun are the command lines, without the script, that run again what is left of a
	// Slurm or Grid Engine array.
	Rerun []string `json:"rerun,omitempty"`
}

// Counts are how many indexes are in each state. Skipped ones are not among the done.
type Counts struct {
	Done    int64 `json:"done"`
	Skipped int64 `json:"skipped"`
	Failed  int64 `json:"failed"`
	Running int64 `json:"running"`
	Started int64 `json:"started"`
	Missing int64 `json:"missing"`
	Others  int64 `json:"others,omitempty"` // markers of indexes that there should not be
}

// Lists are the indexes in each state.
type Lists struct {
	Done    string `json:"done"`
	Skipped string `json:"skipped"`
	Failed  string `json:"failed"`
	Running string `json:"running"`
	Started string `json:"started"`
	Missing string `json:"missing"`
	Others  string `json:"others,omitempty"`
}

// Group is failures that have one reason.
type Group struct {
	Reason  string `json:"reason"` // as --reason takes it: "exit-3", "SIGSEGV", "oom", "timeout", "lease-lost", "nth-66"
	Text    string `json:"text"`   // for people: "exit code 3: disk full on /scratch"
	Count   int64  `json:"count"`
	Indexes string `json:"indexes"` // of those that were read
	Example int64  `json:"example"` // one of them
}

// Failure is one index's last failure, from its record.
type Failure struct {
	Index     int64     `json:"index"`
	Item      string    `json:"item,omitempty"`         // the first of the objects that it is made of, and how many more; with --each that which failed first
	Items     string    `json:"items_failed,omitempty"` // with --each, their numbers as ranges
	Reason    string    `json:"reason"`                 // of its group
	Text      string    `json:"text"`                   // how it ended: "exit code 3", "killed by SIGKILL: out of memory"
	ExitCode  int       `json:"exit_code"`
	Signal    string    `json:"signal,omitempty"`
	OOMKilled bool      `json:"oom_killed,omitempty"`
	TimedOut  bool      `json:"timed_out,omitempty"`
	Dead      bool      `json:"dead,omitempty"` // a task that was put aside
	Failures  int       `json:"failures"`       // so far, a lower bound
	At        time.Time `json:"at"`
	DurationS float64   `json:"duration_s"`
	Memory    int64     `json:"max_rss_bytes"`
	Pod       string    `json:"pod,omitempty"`
	Node      string    `json:"node,omitempty"`
	RunID     string    `json:"run_id"`
	Last      string    `json:"last"`   // the line of stderr that says why
	Stderr    string    `json:"stderr"` // its end, as it was recorded
	Message   string    `json:"message"`
	Log       string    `json:"log,omitempty"` // where --logs has all of it
	Again     bool      `json:"started_again,omitempty"`
	From      origin    `json:"-"` // the array that the index is of
}

// Tasks are a queue's, by the records that their workers left.
type Tasks struct {
	Done    int64 `json:"done"`
	Skipped int64 `json:"skipped"`
	Failed  int64 `json:"failed"` // and not done since
	Dead    int64 `json:"dead"`   // of those, as far as their records were read: put aside
}

// TaskFailure is a task's last failure, from its record. The index is that of the worker
// that had it.
type TaskFailure struct {
	Task    string `json:"task"` // its ID
	Queue   string `json:"queue"`
	Attempt int    `json:"attempt"` // which delivery it was
	// Command is the one that was run, or would have been, secrets by name.
	Command []string `json:"command,omitempty"`
	Failure
}

// Shard is the part of one index, worked through item by item.
type Shard struct {
	Index   int64     `json:"index"`
	Items   int64     `json:"items"`
	Done    int64     `json:"done"`
	Skipped int64     `json:"skipped"`
	Failed  int64     `json:"failed"`
	Helped  int64     `json:"helped,omitempty"` // how many others have done, with --share
	Updated time.Time `json:"updated"`
}

// Kubernetes is the Job's own view beside the markers'.
type Kubernetes struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	Completed string `json:"completed"`
	Failed    string `json:"failed"`
	// Condition is why the Job has ended: "Failed: MaxFailedIndexesExceeded"; empty: it
	// has not.
	Condition string `json:"condition,omitempty"`
	// Conditions are the others that hold: "Suspended: JobSuspended", or what it ends
	// with while its pods still do, "FailureTarget: DeadlineExceeded".
	Conditions    []string `json:"conditions,omitempty"`
	Notes         []string `json:"notes,omitempty"` // what its state explains
	Disagreements []string `json:"disagreements"`
	Waiting       []string `json:"waiting,omitempty"` // why pods don't run: "pods of 5-9: ImagePullBackOff"
}
