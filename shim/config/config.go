// Package config is what one run is told: the flags of `nth run` in sections, of which
// each part of nth is handed its own, and the table of which flags go together.
package config

import (
	"time"

	"nth/shim/identity"
)

// Config is all of it. Each field of a section is a flag, and each flag has an
// environment variable, NTH_ and its name in upper snake case. A list in a variable has
// one value a line.
type Config struct {
	Index    identity.Settings `embed:""`
	Mapping  Mapping           `embed:""`
	Data     Data              `embed:""`
	Markers  Markers           `embed:""`
	Stores   Stores            `embed:""`
	Tasks    Tasks             `embed:""`
	API      API               `embed:""`
	SQL      SQL               `embed:""`
	Process  Process           `embed:""`
	Messages Messages          `embed:""`

	// Command is what follows the flags; it is no flag itself.
	Command []string `kong:"-"`
}

// Mapping is how an index becomes work.
type Mapping struct {
	Env         []string      `group:"Mapping" sep:"\n" placeholder:"NAME=TEMPLATE" help:"Set a variable of the command. Repeatable."`
	Items       int64         `group:"Mapping" placeholder:"N" help:"Share N items out: .Shard is the part of this index."`
	Each        bool          `group:"Mapping" help:"Run the command for every item of this index's shard: of --items, or the rows or objects of --tasks."`
	Jobs        *int          `group:"Mapping" placeholder:"N" help:"How many items (--each) or a queue's tasks run at the same time (default 1)."`
	Share       bool          `group:"Mapping" help:"With --each: who is done with its own items helps the slower ones (--lease). Needs --markers."`
	KeepGoing   bool          `group:"Mapping" help:"With --each: run the other items too when one has failed."`
	Require     []string      `group:"Mapping" sep:"\n" placeholder:"URL|PATH" help:"Must exist before the command runs, else exit 66: a path or a store URL; below a URL with a slash at its end, anything. Or a server: tcp://host:port accepts a connection, http(s)://… answers a GET with 2xx; out of reach it is 69. Repeatable."`
	RequireWait time.Duration `group:"Mapping" default:"0s" placeholder:"D" help:"Wait this long for what --require names; missing after that is exit 69."`
}

// Markers is what is kept of an item, and what it means.
type Markers struct {
	URL           string        `name:"markers" group:"Markers" placeholder:"URL" help:"Where completion markers are kept: file:///dir, s3://bucket/prefix, gs://… or azblob://…. A finished index is not run again."`
	OnChange      string        `group:"Markers" default:"fail" enum:"fail,skip,rerun" help:"What to do when an index was done by another command: fail, skip or rerun."`
	DoneIf        string        `group:"Markers" placeholder:"URL" help:"The index is done if this blob exists, as with make."`
	DoneExitCodes []int         `group:"Markers" default:"0" placeholder:"CODES" help:"Exit codes of the command that are success."`
	SkipExitCodes []int         `group:"Markers" placeholder:"CODES" help:"Exit codes of the command that settle the item as bad: never tried again, nth exits 0."`
	DigestExtra   []string      `group:"Markers" sep:"\n" placeholder:"TEXT" help:"Text that belongs to the command's identity, such as an image digest. Repeatable."`
	RecordStart   bool          `group:"Markers" help:"Record that the index was started, so that an attempt that was killed outright leaves a trace."`
	Claim         time.Duration `group:"Markers" placeholder:"TTL" help:"Keep two pods of one index from working at the same time: a lease beside the markers, renewed every third of this time. From 1s to 24h; less than 15s is for tests, a minute is a good choice."`
	ClaimWait     time.Duration `group:"Markers" default:"0s" placeholder:"D" help:"How long another pod that has claimed the index is waited for, then exit 75; 0: without limit."`
	Success       string        `group:"Markers" placeholder:"URL" help:"Write this document when the last index is done: counts, a digest of all markers, times. nth wait --success waits for it."`
	Logs          string        `group:"Markers" placeholder:"URL" help:"Keep all that the command writes to stdout and stderr in a store: uploaded while it runs, and passed through."`
}

// Stores is how long stores are waited for.
type Stores struct {
	StoreWait     time.Duration `group:"Stores" default:"1m" placeholder:"D" help:"Retry the first access to a store for this long."`
	StoreTimeout  time.Duration `group:"Stores" default:"30s" placeholder:"D" help:"Deadline of a single call to a store; of a long answer, of each piece."`
	MarkerTimeout time.Duration `group:"Stores" default:"2m" placeholder:"D" help:"Retry writing the marker for this long."`
}

// Tasks is where work comes from when it isn't the index itself, and when a worker ends.
type Tasks struct {
	URL         string         `name:"tasks" group:"Tasks" placeholder:"URL" help:"Take tasks from this queue, one after the other, until none is left; the index is the worker's. Or a file of rows (.csv, .jsonl, …), many objects (s3://bucket/in/, s3://bucket/in/*.gz), or an HTTP URL with <<.Index>>: the one item of the index."`
	Exclude     []string       `name:"tasks-exclude" group:"Tasks" sep:"\n" placeholder:"GLOB" help:"With many objects: leave those out that match, in any part of the key or, with a slash, in all of it; none: nothing (default, which it replaces: .* _* *.tmp *.part *.partial *.filepart *.crdownload). Repeatable."`
	GroupBy     string         `group:"Tasks" placeholder:"TEMPLATE" help:"With many objects: make one item of those for which this gives the same, such as pairs of files: <<index .Task.files 0>>."`
	Lease       time.Duration  `group:"Tasks" default:"1m" placeholder:"D" help:"How long a silent worker keeps its task; renewed every third of it."`
	MaxAttempts *int           `group:"Tasks" placeholder:"N" help:"Put a task aside after this many failures or dead workers (default 5; 0: never; with SQS what its redrive policy says, with RabbitMQ only beside dead=)."`
	TaskID      string         `group:"Tasks" name:"task-id" placeholder:"TEMPLATE" help:"What names a task for its marker, such as <<.Task.id>>, instead of the queue's own ID."`
	TaskStdin   bool           `group:"Tasks" help:"Give the payload to the command on stdin."`
	OnFailure   string         `group:"Tasks" default:"continue" enum:"continue,stop" help:"When a task has failed: continue with the next, or stop with its exit code."`
	MaxTasks    int            `group:"Tasks" placeholder:"N" help:"Exit 0 after this many tasks; 0: without end."`
	MaxRuntime  *time.Duration `group:"Tasks" placeholder:"D" help:"Take no task after this long, and exit 0; 0: without end (default: until shortly before $SLURM_JOB_END_TIME, if that is set)."`
	Drain       time.Duration  `group:"Tasks" placeholder:"D" help:"After a stop signal let the task go on for this long before the signal is passed on; a second one is at once."`
	IdleTimeout time.Duration  `group:"Tasks" placeholder:"D" help:"How long the queue must have been empty."`
}

// API is what an HTTP API is told beside the URL of its tasks.
type API struct {
	KeepURL       string   `group:"HTTP API" name:"keep-url" placeholder:"URL" help:"Of an HTTP API: POST here to keep a task; {id} is the task's. Another method may stand before it: PUT URL, and before the next two."`
	DoneURL       string   `group:"HTTP API" name:"done-url" placeholder:"URL" help:"Of an HTTP API: POST here when a task is done."`
	FailURL       string   `group:"HTTP API" name:"fail-url" placeholder:"URL" help:"Of an HTTP API: POST here when a task has failed."`
	UnfinishedURL string   `group:"HTTP API" name:"unfinished-url" placeholder:"URL" help:"Of an HTTP API: GET tells whether an unfinished task was last taken by this index."`
	HTTPHeader    []string `group:"HTTP API" name:"http-header" sep:"\n" placeholder:"NAME=TEMPLATE" help:"Of an HTTP API: a header of every request, made anew for each: <<file \"PATH\">> may change. Repeatable."`
	HTTPBody      []string `group:"HTTP API" name:"http-body" sep:"\n" placeholder:"CALL=TEMPLATE" help:"Of an HTTP API: the JSON that it is sent at a CALL: take, keep, done or fail; each << >> is a value in it. Repeatable."`
}

// SQL is how tasks are taken from tables of one's own in PostgreSQL or MariaDB.
type SQL struct {
	TakeSQL       string `group:"SQL" name:"take-sql" placeholder:"SQL" help:"Of PostgreSQL or MariaDB, tables of your own: take one task, giving id, payload, attempt; each << >> is a parameter."`
	KeepSQL       string `group:"SQL" name:"keep-sql" placeholder:"SQL" help:"Beside --take-sql: keep a task for .Lease seconds more; changes a row if it is still ours."`
	DoneSQL       string `group:"SQL" name:"done-sql" placeholder:"SQL" help:"Beside --take-sql: a task is done."`
	FailSQL       string `group:"SQL" name:"fail-sql" placeholder:"SQL" help:"Beside --take-sql: give a task back that has failed, or, where .Dead, put it aside."`
	UnfinishedSQL string `group:"SQL" name:"unfinished-sql" placeholder:"SQL" help:"Beside --take-sql: whether an unfinished task was last taken by this index."`
}

// Process is how the command is run, stopped and judged.
type Process struct {
	SignalTarget        string        `group:"Command" default:"child" enum:"child,group" help:"Who gets signals: the command (child) or its whole process group (group)."`
	Signal              []string      `group:"Command" placeholder:"FROM=TO" help:"Forward a signal as another (TERM=INT) or drop it (HUP=)."`
	StopSignals         []string      `group:"Command" placeholder:"SIGNALS" help:"Signals that mean stop (default TERM,INT,QUIT,HUP; in Grid Engine USR2 too)."`
	StopGrace           time.Duration `group:"Command" default:"0s" placeholder:"D" help:"SIGKILL to the command's group this long after the first stop signal; 0: no limit, or 30s for a stop that nth itself begins."`
	SweepGrace          time.Duration `group:"Command" default:"5s" placeholder:"D" help:"How long what the command left behind may take to end before SIGKILL."`
	ExitZeroAfterSignal string        `group:"Command" default:"failed" enum:"failed,done" help:"What exit 0 after a stop signal means: failed (128+n, no marker) or done."`
	Timeout             time.Duration `group:"Command" default:"0s" placeholder:"D" help:"Stop the command after this long, exit 124; 0: never."`
	Retries             int           `group:"Command" default:"0" placeholder:"N" help:"Run a command that has failed again in the same run, up to N times: after 1s, and twice as long each time up to 1m. Not after a stop signal, and not for what ends the index anyway (exit codes 64, 65, 66, 78)."`
	StderrTail          *int          `group:"Command" placeholder:"BYTES" help:"Keep the end of the command's stderr for the records (default 4096 with --markers or a termination log, else 0)."`
	ReserveExitCodes    bool          `group:"Command" help:"A command's own exit code 64-78, 126 or 127 leaves nth as 1, so that it is never mistaken for nth's."`
}

// Messages is what is told to whom.
type Messages struct {
	QuitURL        string `group:"Messages" name:"quit-url" placeholder:"URL" help:"POST to this URL at the end, for a sidecar that must be told."`
	TerminationLog string `group:"Messages" default:"/dev/termination-log" placeholder:"PATH" help:"An existing, empty file that gets one short message on failure."`
	LogLevel       string `group:"Messages" default:"info" enum:"debug,info,warn,error" help:"debug, info, warn or error."`
	LogFormat      string `group:"Messages" default:"auto" enum:"auto,json,console,none" help:"json, console, none, or auto: console on a terminal."`
}

// DefaultTerminationLog is Kubernetes' default terminationMessagePath.
const DefaultTerminationLog = "/dev/termination-log"
