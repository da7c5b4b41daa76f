package marker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// What to do when the marker of an item was written for another command
// (--on-change).
const (
	OnChangeFail  = "fail"
	OnChangeSkip  = "skip"
	OnChangeRerun = "rerun"
)

// Book is the record of one Job run, kept under one URL.
type Book struct {
	Store    *store.Store
	OnChange string
	// Wait bounds the first access, Write that of a marker, Told that of every
	// document which is only told.
	Wait, Write, Told store.Policy
	// FanOut keeps the documents of tasks in directories of their keys' first digits.
	FanOut bool
	// Retrying is called before each new try; it may be nil.
	Retrying func(err error, wait time.Duration)
}

// Entry is a marker as it was read, with the version that it had.
type Entry struct {
	Marker
	token contract.Token
}

// Open makes the directory of the markers where there is none, before anything is done: who
// finds it missing has found nothing of what was done before. What went wrong is a failure
// with exit code 69 or 77.
func (b *Book) Open(ctx context.Context, of Header) error {
	return describe(store.Retry(ctx, b.Wait, b.Store.Make, b.Retrying), "read the marker", b.Show(of))
}

// Look reads the marker of an item. Nil without an error means that the store
// was asked and has none: every other answer is an error, exit code 65, 69 or 77.
func (b *Book) Look(ctx context.Context, of Header) (*Entry, error) {
	var entry *Entry
	err := store.Retry(ctx, b.Wait, func(ctx context.Context) (err error) {
		entry, err = b.read(ctx, of)
		return err
	}, b.Retrying)
	if store.Classify(err) == contract.Absent && err != nil {
		return nil, nil
	}
	return entry, describe(err, "read the marker", b.Show(of))
}

// describe gives a store's error as a failure; what is one already stays.
func describe(err error, tried, on string) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	return store.Fail(err, failure.OneIndex, tried, on)
}

func (b *Book) read(ctx context.Context, of Header) (*Entry, error) {
	body, token, err := b.Store.Read(ctx, b.key(doneDir, of))
	if err != nil {
		return nil, err
	}
	m, err := DecodeOf(body, of)
	if err != nil {
		return nil, &broken{contract.Malformed, &failure.Failure{Code: failure.BadIndex, Tried: "read the marker", On: b.Show(of),
			Cause: fmt.Errorf("not a marker: %w", err),
			Hint:  "look at it, then delete it to run the item again, or write it anew"}}
	}
	return &Entry{Marker: *m, token: token}, nil
}

// broken is an answer that no second try would change.
type broken struct {
	kind contract.Kind
	*failure.Failure
}

func (e *broken) Unwrap() []error {
	return []error{e.Failure, &contract.Error{Kind: e.kind, Cause: e.Failure}}
}

// Agrees tells whether the marker is of the same content. One written by hand
// without a digest vouches for whatever the item is.
func (e *Entry) Agrees(digest string) bool {
	return e.Digest == digest || (e.Source == SourceMark && e.Digest == "")
}

// CanReplace tells whether the store named the version that was read, without
// which the marker can't be replaced safely.
func (e *Entry) CanReplace() bool { return e.token != "" }

// Changed is the failure for a marker of another command, exit code 65.
func (b *Book) Changed(e *Entry, now Header) *failure.Failure {
	return &failure.Failure{Code: failure.BadIndex, Tried: "trust the marker", On: b.Show(e.Header),
		Cause: fmt.Errorf("it is of another command: %s", difference(e.Header, now)),
		Hint:  "--on-change=rerun runs the item again, --on-change=skip takes the old result for it; or use another --markers URL"}
}

// difference tells what changed, first of all in the command itself.
func difference(was, now Header) string {
	if a, b := was.Shard.bounds(), now.Shard.bounds(); a != b {
		return fmt.Sprintf("it was of %s, and this index is of %s now", a, b)
	}
	if said := changed(was.Objects, now.Objects); said != "" {
		return said
	}
	before, after := strings.Join(was.Command, " "), strings.Join(now.Command, " ")
	said, others := "", "--env"
	if a, b := was.Manifest, now.Manifest; a != nil && b != nil && *a != *b {
		its, is := "row was", "is"
		if now.Shard != nil {
			its, is = "items were", "are"
		}
		said = fmt.Sprintf("; its %s of version %s of %s, and %s of version %s", its, a.Version, a.URL, is, b.Version)
		if a.URL != b.URL {
			said += " of " + b.URL
		}
		if now.Shard != nil && before == after {
			before, _ = apart(before, before)
			return fmt.Sprintf("%s, by the same command %q", said[2:], before)
		}
		others = "what else the row says, --env"
	}
	if before != after {
		before, after = apart(before, after)
		return fmt.Sprintf("was %q, now %q", before, after) + said
	}
	if len(was.Command) != len(now.Command) {
		return fmt.Sprintf("the same text in %d words, now in %d: %q", len(was.Command), len(now.Command), after)
	}
	after, _ = apart(after, after)
	return fmt.Sprintf("the same command %q, but %s, --digest-extra, or a URL of --input, --output, --stdin or --stdout differs", after, others) + said
}

// apart cuts two texts to where they differ, for a message has no room for a script.
func apart(a, b string) (shortA, shortB string) {
	const before, most = 40, 200
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	if same == len(a) && same == len(b) {
		same = 0
	}
	cut := func(s string) string {
		from, end := max(0, min(same-before, len(s)-most)), len(s)
		if from+most < end {
			end = from + most
		}
		short := strings.ToValidUTF8(s[from:end], "")
		if from > 0 {
			short = "…" + short
		}
		if end < len(s) {
			short += "…"
		}
		return short
	}
	return cut(a), cut(b)
}

// changed tells of the first object that is another one, or of another version; "" for none.
func changed(was, now []Object) string {
	for i := range min(len(was), len(now)) {
		a, b := was[i], now[i]
		switch {
		case a.URL != b.URL:
			return fmt.Sprintf("it was of the object %s, and this index has %s now", a.URL, b.URL)
		case a != b:
			return fmt.Sprintf("the object %s has changed: its version was %s, of %d bytes, and is %s now, of %d", a.URL, a.ETag, a.Size, b.ETag, b.Size)
		}
	}
	if len(was) != len(now) && len(was) > 0 {
		return fmt.Sprintf("it was of %d objects, and this index has %d now", len(was), len(now))
	}
	return ""
}

// Settled tells how Finish ended well.
type Settled int

// A marker was written, was found to be our own from an earlier try whose reply
// was lost, or another run of the same content had written one before.
const (
	Written Settled = iota
	Recovered
	Theirs
)

// Finish records a settled item: create if absent, or, where over is given, a
// replacement of just that version. It tries until the write policy's window is
// over. What went wrong is a failure with exit code 73, or 65 where another
// run's marker with other content was first.
func (b *Book) Finish(ctx context.Context, m Marker, over *Entry) (Settled, *Entry, error) {
	body, err := encode(m)
	if err != nil {
		return Written, nil, err
	}
	settled, other := Written, (*Entry)(nil)
	err = store.Retry(ctx, b.Write, func(ctx context.Context) error {
		settled, other, over, err = b.write(ctx, m, body, over)
		return err
	}, b.Retrying)
	if err == nil {
		b.unskip(ctx, m, over, other)
		return settled, other, nil
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return settled, other, f
	}
	return settled, other, notRecorded(err, b.Show(m.Header))
}

func notRecorded(err error, on string) *failure.Failure {
	f := store.Fail(err, failure.OneIndex, "write the marker", on)
	f.Code = failure.NotRecorded
	f.Cause = fmt.Errorf("the work is done but not recorded: %w", f.Cause)
	return f
}

// write makes one try, and when the condition failed finds out who was first.
func (b *Book) write(ctx context.Context, m Marker, body []byte, over *Entry) (Settled, *Entry, *Entry, error) {
	var err error
	if over == nil {
		err = b.Store.Create(ctx, b.key(doneDir, m.Header), body)
	} else {
		err = b.Store.Replace(ctx, b.key(doneDir, m.Header), body, over.token)
	}
	if err == nil || store.Classify(err) != contract.Exists {
		return Written, nil, over, err
	}
	there, err := b.read(ctx, m.Header)
	switch {
	case err != nil && store.Classify(err) == contract.Absent:
		// Deleted between our write and our look: there is nothing to lose to.
		return Written, nil, nil, &contract.Error{Kind: contract.Conflict, Cause: errors.New("the marker came and went")}
	case err != nil:
		return Written, nil, over, err
	case there.RunID == m.RunID:
		return Recovered, nil, over, nil
	case there.Agrees(m.Digest):
		return Theirs, there, over, nil
	case b.OnChange == OnChangeSkip:
		return Theirs, there, over, nil
	case b.OnChange == OnChangeRerun && over == nil && there.CanReplace():
		return Written, nil, there, &contract.Error{Kind: contract.Conflict, Cause: errors.New("another run's marker of another command was first")}
	}
	return Written, there, over, &broken{contract.Exists, b.Changed(there, m.Header)}
}

// Show gives the URL of an item's marker for messages, without credentials.
func (b *Book) Show(of Header) string { return b.Store.Show(b.key(doneDir, of)) }
