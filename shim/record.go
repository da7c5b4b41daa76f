package shim

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"nth/shim/failure"
	"nth/shim/marker"
)

func (r *run) usage() marker.Usage {
	res := r.result
	return marker.Usage{
		Started: res.Started.UTC(), Finished: res.Ended.UTC(), DurationS: res.Ended.Sub(res.Started).Seconds(),
		MaxRSSBytes: res.MaxRSS, UserS: res.User.Seconds(), SystemS: res.System.Seconds(),
	}
}

// recordMarker writes the marker of a success, and for a skipped item first the
// entry that lists it as such.
func (r *run) recordMarker() error {
	if r.book == nil {
		return nil
	}
	m := marker.Marker{Header: r.header, Usage: r.usage(), ExitCode: r.result.ExitCode, Source: marker.SourceRun, Outcome: r.outcome}
	if m.Outcome == marker.Skipped {
		if err := r.book.WriteSkipped(context.Background(), m); err != nil {
			return err
		}
	}
	return r.finish(m)
}

// recordFailure keeps the failure for `nth status`. It is best effort, decides
// nothing and can't change the exit code. A stop before the command existed is no
// failure of the item.
func (r *run) recordFailure(f *failure.Failure, message, reason string) {
	if r.book == nil || (!r.ran && f.Code > failure.SignalOffset) {
		return
	}
	doc := r.failureDocument(f, message)
	doc.Reason = r.mask(reason)
	if r.ran {
		doc.Usage = r.usage()
		doc.Stderr = r.stderr()
		doc.TimedOut, doc.OOMKilled = r.result.TimedOut, r.result.OOMKilled
		doc.Signal, doc.StopSignal = signalName(r.result.Signal), signalName(r.result.Stop)
		if r.result.Signal == 0 {
			doc.CommandCode = &r.result.ExitCode
		}
	}
	if r.shard != nil && r.ran {
		r.shard.describe(&doc)
	}
	if err := r.book.WriteFailure(context.Background(), doc); err != nil {
		r.log.Warn().Msg("record the failure: " + r.said(err))
	}
}

// recordDead adds to a task's record that it was put aside.
func (r *run) recordDead(f *failure.Failure, message string) {
	if r.book == nil {
		return
	}
	if err := r.book.WriteDead(context.Background(), r.failureDocument(f, message)); err != nil {
		r.log.Warn().Msg("record that the task was put aside: " + r.said(err))
	}
}

func (r *run) failureDocument(f *failure.Failure, message string) marker.Failure {
	now := r.Now().UTC()
	return marker.Failure{Header: r.header, Usage: marker.Usage{Started: now, Finished: now}, ExitCode: int(f.Code), Message: message}
}

// stderr gives the end of the command's stderr as valid UTF-8 without secrets.
// More was kept than is shown, so that no piece of a secret is left at the cut.
func (r *run) stderr() string {
	tail := string(r.result.Stderr)
	if r.result.StderrTruncated {
		cut := min(len(tail), r.longestSecret())
		for _, secret := range r.item.secrets {
			for from := 0; ; {
				at := strings.Index(tail[from:], secret)
				if at < 0 || from+at >= cut {
					break
				}
				cut, from = max(cut, from+at+len(secret)), from+at+1
			}
		}
		tail = tail[cut:]
	}
	tail = strings.ToValidUTF8(r.mask(tail), "\uFFFD")
	return lastBytes(tail, r.stderrTail()-r.longestSecret())
}

func (r *run) longestSecret() int {
	n := 0
	for _, s := range r.item.secrets {
		n = max(n, len(s))
	}
	return n
}

// lastBytes gives at most n bytes from the end of valid UTF-8, cut between characters.
func lastBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[len(s)-max(n, 0):]
	for len(s) > 0 && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return s
}

// message is a failure as a person reads it, in one line: "nth: index 42: …".
func (r *run) message(f *failure.Failure) string {
	text := f.Error()
	if r.header.RunID != "" { // the index is known
		text = fmt.Sprintf("index %d: %s", r.header.Index, text)
		if r.header.Task != nil {
			text = fmt.Sprintf("index %d: %s: %s", r.header.Index, r.header.What(), f.Error())
		}
	}
	return "nth: " + r.mask(text)
}
