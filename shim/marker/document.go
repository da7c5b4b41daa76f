// Package marker keeps the record of one Job run: which items are done, which
// failed and why. A marker exists if and only if its item is done; every other
// document is only told, never trusted.
package marker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Version is the version of the documents that this nth writes.
const Version = 1

// The two outcomes of a settled item, and the ways in which it was settled.
const (
	Done    = "done"
	Skipped = "skipped"

	SourceRun    = "run"
	SourceMark   = "mark"
	SourceDoneIf = "done-if"
)

// Header says which run of which item a document is of.
type Header struct {
	Version     int      `json:"version"`
	Job         string   `json:"job"`
	JobUID      string   `json:"job_uid"`
	Index       int64    `json:"index"`
	Completions *int64   `json:"completions"`
	Attempt     int      `json:"attempt"`
	RunID       string   `json:"run_id"`
	Command     []string `json:"command"` // stable form, secrets by name
	Digest      string   `json:"digest"`
	Platform    string   `json:"platform"`
	IndexOffset int64    `json:"index_offset,omitempty"` // what was added to the platform's number
	Hostname    string   `json:"hostname"`
	Node        string   `json:"node"`
	Nth         string   `json:"nth"`            // version of the writer
	Task        *Task    `json:"task,omitempty"` // nil: the document is of the index itself
	// Manifest is that of which the item is a row, if it is one.
	Manifest *Manifest `json:"manifest,omitempty"`
	// Objects are those that the item is made of, where it is made of some.
	Objects []Object `json:"objects,omitempty"`
	// Log is the URL of the first part of what the command wrote, without credentials.
	Log string `json:"log,omitempty"`
	// Shard is the part of numbered items that the document is of, with --each.
	Shard *Shard `json:"shard,omitempty"`
}

// Shard is an index's part of numbered items.
type Shard struct {
	Items   int64 `json:"items"` // of all indexes together
	Start   int64 `json:"start"` // the first one
	End     int64 `json:"end"`   // the first one behind it
	Skipped int64 `json:"skipped,omitempty"`
}

func (s *Shard) bounds() string {
	if s == nil {
		return "no items"
	}
	return fmt.Sprintf("items %d to before %d of %d", s.Start, s.End, s.Items)
}

// Manifest is a file of items, and the version of it that was read.
type Manifest struct {
	URL     string `json:"url"`     // without credentials
	Version string `json:"version"` // as the store names it
}

// Object is one that an item is made of, and the version of it that was there.
type Object struct {
	URL  string `json:"url"` // without credentials
	ETag string `json:"etag,omitempty"`
	Size int64  `json:"size"`
}

// Task says which task of which queue a document is of.
type Task struct {
	Key     string `json:"key"` // names the documents; task.Key
	ID      string `json:"id"`
	Source  string `json:"source"`
	Queue   string `json:"queue"`
	Attempt int    `json:"attempt"` // which delivery it was
}

// What names the item for a person.
func (h Header) What() string {
	if h.Task != nil {
		return fmt.Sprintf("task %q", h.Task.ID)
	}
	return fmt.Sprintf("index %d", h.Index)
}

// Usage is what the command used by wait4's own figures. The memory is never less
// than what nth itself had resident when it forked (about 12 MB): Linux counts
// the process before its exec too.
type Usage struct {
	Started     time.Time `json:"started"` // UTC
	Finished    time.Time `json:"finished"`
	DurationS   float64   `json:"duration_s"`
	MaxRSSBytes int64     `json:"max_rss_bytes"`
	UserS       float64   `json:"user_s"`
	SystemS     float64   `json:"system_s"`
}

// Marker is the completion marker, done/<index>.json.
type Marker struct {
	Header
	Usage
	ExitCode int    `json:"exit_code"`
	Source   string `json:"source"`
	Outcome  string `json:"outcome"`
	Retries  int    `json:"retries,omitempty"` // how often the command had failed before in the same run
	// Who wrote a marker by hand, and why.
	MarkedBy string `json:"marked_by,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Outputs are what was published, where something was.
	Outputs []Output `json:"outputs,omitempty"`
}

// Output is an object that a marker vouches for.
type Output struct {
	URL      string `json:"url"` // without credentials
	Size     int64  `json:"size"`
	Checksum string `json:"checksum"` // "crc32c:1a2b3c4d"
}

// Failure is the record of the last failure, failed/<index>.json. It decides
// nothing; its count is a lower bound, for the last writer wins.
type Failure struct {
	Header
	Usage
	ExitCode    int    `json:"exit_code"`         // what nth exited with
	CommandCode *int   `json:"command_exit_code"` // the command's own; null when it never ran or a signal ended it
	Signal      string `json:"signal,omitempty"`  // that ended the command
	StopSignal  string `json:"stop_signal,omitempty"`
	TimedOut    bool   `json:"timed_out,omitempty"`
	LeaseLost   bool   `json:"lease_lost,omitempty"` // nth stopped it, for another may have the claim
	OOMKilled   bool   `json:"oom_killed,omitempty"`
	Dead        bool   `json:"dead,omitempty"`    // a task that was put aside, for it has had all its attempts
	Retries     int    `json:"retries,omitempty"` // of the command, in the same run
	Failures    int    `json:"failures"`
	Message     string `json:"message"`
	Stderr      string `json:"stderr"`                        // its last bytes
	Reason      string `json:"termination_message,omitempty"` // what the command itself left in the termination log
	ItemsFailed string `json:"items_failed,omitempty"`        // of a shard, as ranges; all else is of the first one
	FirstFailed string `json:"first_failed,omitempty"`        // its number and, where it is made of objects, its name
}

// Key gives the key of an index's document in one of the directories of the contract.
func Key(dir string, index int64) string { return dir + "/" + strconv.FormatInt(index, 10) + ".json" }

// The directories of an item's documents.
const (
	doneDir    = "done"
	failedDir  = "failed"
	skippedDir = "skipped"
	startedDir = "started"
	commitDir  = "commit"
	stagingDir = "staging"
)

// Dirs are the directories in which documents are.
var Dirs = []string{doneDir, failedDir, skippedDir, startedDir, progressDir, commitDir, stagingDir, "claim"}

// CommitKey gives the key of the document that says whose outputs an item has.
func (b *Book) CommitKey(h Header) string { return b.key(commitDir, h) }

// StagingKey gives the key of the document that says where a run's outputs are staged.
func (b *Book) StagingKey(h Header) string {
	return strings.TrimSuffix(b.key(stagingDir, h), ".json") + "/" + h.RunID + ".json"
}

// key gives the key of an item's document. Tasks may be millions, which no directory
// of a file system likes.
func (b *Book) key(dir string, h Header) string {
	switch {
	case h.Task == nil:
		return Key(dir, h.Index)
	case b.FanOut:
		return dir + "/tasks/" + h.Task.Key[:2] + "/" + h.Task.Key + ".json"
	}
	return dir + "/tasks/" + h.Task.Key + ".json"
}

// Decode reads a marker of the index: see DecodeOf.
func Decode(body []byte, index int64) (*Marker, error) { return DecodeOf(body, Header{Index: index}) }

// DecodeOf reads a marker of an item. A marker that is cut short, is no JSON
// document, or speaks of another item is an error: it is neither done nor not
// done, and only a person can tell. Unknown fields are left alone, for a later
// nth may have written them.
func DecodeOf(body []byte, of Header) (*Marker, error) {
	var m struct {
		Marker
		Index *int64 `json:"index"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&m); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("cut short after %d bytes", len(body))
		}
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document")
	}
	switch {
	case m.Version < 1 || m.RunID == "" || m.Index == nil:
		return nil, errors.New("no marker of nth's: version, run_id or index is missing")
	case (m.Task == nil) != (of.Task == nil) || of.Task != nil && m.Task.ID != of.Task.ID || of.Task == nil && *m.Index != of.Index:
		m.Marker.Index = *m.Index
		return nil, fmt.Errorf("it speaks of %s", m.What())
	case m.Outcome != Done && m.Outcome != Skipped:
		return nil, fmt.Errorf("outcome %q is neither done nor skipped", m.Outcome)
	}
	m.Marker.Index = *m.Index
	return &m.Marker, nil
}

func encode(doc any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(doc)
	return b.Bytes(), err
}
