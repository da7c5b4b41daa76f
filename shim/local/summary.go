package local

import (
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"nth/shim/failure"
	"nth/shim/identity"
)

// maxShown is the number of failed indexes that the summary shows with their
// reason, and maxReasons the number whose reason is kept in memory.
const (
	maxShown   = 20
	maxReasons = 1000
)

// Failure is an index that failed for good.
type Failure struct {
	Index    int64
	Attempts int
	Code     int            // of the last attempt; 128+n for a signal
	Signal   syscall.Signal // what killed nth itself; 0: nothing
	Message  string         // the last attempt's reason in one line; may be empty
}

// How tells how the last attempt ended: "exit 66", "exit 137 (SIGKILL)" where
// the command was killed, "killed by SIGKILL" where nth itself was.
func (f Failure) How() string {
	if f.Signal != 0 {
		return "killed by " + signalName(f.Signal)
	}
	how := "exit " + strconv.Itoa(f.Code)
	if n := syscall.Signal(f.Code - failure.SignalOffset); n > 0 && unix.SignalName(n) != "" {
		how += " (" + unix.SignalName(n) + ")"
	}
	return how
}

func signalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return "signal " + strconv.Itoa(int(s))
}

// Summary is how the Job ended. Every index is in exactly one of Done, Failed
// and Unfinished.
type Summary struct {
	Total      int64 // indexes that were to run
	Workers    bool  // that are workers of a queue: how many tasks they did isn't counted here
	Done       int64 // succeeded, now or, as their markers say, before
	Failed     int64 // failed for good
	Unfinished int64 // not started, stopped, or waiting for a retry when the Job ended

	Failures []Failure      // the failed indexes, in order
	FailJob  *Failure       // the one whose exit code ended the Job; nil: none
	Exceeded bool           // more than Limit indexes failed, which ended the Job
	Limit    int64          // the most failed indexes that the Job endured
	Stopped  syscall.Signal // the signal that ended the Job; 0: none
	// Unwritten is why stdout or stderr couldn't be written, which ended the Job; nil: it
	// didn't. Cut are the indexes of which only the output wasn't, failed or for a reader who
	// is gone: where there are markers, theirs say done.
	Unwritten error
	Cut       []int64
	Wall      time.Duration
}

// ExitCode is that of the whole: 0 when every index succeeded; 64 or 78 when
// that code of one index ended the Job, for it says what to repair; 128+n when
// signal n stopped it; else 1.
func (s Summary) ExitCode() int {
	switch {
	case s.Done == s.Total:
		return 0
	case s.FailJob != nil:
		return s.FailJob.Code
	case s.Stopped != 0:
		return failure.SignalOffset + int(s.Stopped)
	case s.Unwritten != nil:
		return int(failure.Unavailable)
	}
	return 1
}

// WriteTo writes the summary for people, several lines.
func (s Summary) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, s.String())
	return int64(n), err
}

// String is the summary for people, several lines.
func (s Summary) String() string {
	var b strings.Builder
	of := ""
	if s.Workers {
		of = " workers"
	}
	b.WriteString("nth local: " + itoa(s.Done) + " of " + itoa(s.Total) + of + " succeeded")
	if s.Failed > 0 {
		b.WriteString(", " + itoa(s.Failed) + " failed")
	}
	if s.Unfinished > 0 {
		b.WriteString(", " + itoa(s.Unfinished) + " not finished")
	}
	b.WriteString(", in " + s.Wall.Round(wallUnit(s.Wall)).String() + "\n")
	if why := s.ended(); why != "" {
		b.WriteString("nth local: " + why + "\n")
	}
	if len(s.Failures) == 0 {
		return b.String()
	}
	indexes := make([]int64, len(s.Failures))
	for i, f := range s.Failures {
		indexes[i] = f.Index
	}
	b.WriteString("nth local: failed indexes: " + identity.FormatList(indexes) + "\n")
	s.table(&b)
	return b.String()
}

// ended says why the Job ended early; empty: it didn't.
func (s Summary) ended() string {
	switch {
	case s.FailJob != nil:
		return "ended by index " + itoa(s.FailJob.Index) + ": " + s.FailJob.How() + " means that no index can succeed"
	case s.Exceeded:
		return "ended because more than " + itoa(s.Limit) + " indexes failed (--max-failed)"
	case s.Stopped != 0:
		return "stopped by " + signalName(s.Stopped)
	case s.Unwritten != nil:
		return "stopped, for its output can't be written: " + s.Unwritten.Error()
	}
	return ""
}

// table shows the first failed indexes, one a line: index, how, attempts, why.
func (s Summary) table(b *strings.Builder) {
	shown := s.Failures[:min(len(s.Failures), maxShown)]
	var wIndex, wHow int
	for _, f := range shown {
		wIndex, wHow = max(wIndex, len(itoa(f.Index))), max(wHow, len(f.How()))
	}
	for _, f := range shown {
		tries := " attempts"
		if f.Attempts == 1 {
			tries = " attempt "
		}
		line := "  " + padLeft(itoa(f.Index), wIndex) + "  " + f.How() +
			strings.Repeat(" ", wHow-len(f.How())) + "  " + strconv.Itoa(f.Attempts) + tries + "  " + f.Message
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if more := len(s.Failures) - len(shown); more > 0 {
		b.WriteString("  and " + strconv.Itoa(more) + " more\n")
	}
}

func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-len(s))) + s
}

func wallUnit(d time.Duration) time.Duration {
	if d < time.Minute {
		return time.Millisecond
	}
	return time.Second
}

func (j *job) summary() Summary {
	sort.Slice(j.failures, func(a, b int) bool { return j.failures[a].Index < j.failures[b].Index })
	return Summary{
		Total: j.total, Workers: j.o.Workers, Done: j.done, Failed: j.failed, Unfinished: j.total - j.done - j.failed,
		Failures: j.failures, FailJob: j.failJob, Exceeded: j.failed > j.limit, Limit: j.limit,
		Stopped: j.stopped.Signal, Unwritten: j.unwritten, Cut: slices.Sorted(slices.Values(j.cut)), Wall: j.o.clock.now().Sub(j.began),
	}
}
