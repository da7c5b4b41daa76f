package record

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nth/shim/failure"
	"nth/shim/marker"
)

// Verdict is what the record says of an item.
type Verdict struct {
	Settled bool          // there is nothing left to do
	over    *marker.Entry // the marker of another command that is to be replaced; nil: there is none
}

// Again tells whether the item was done by another command, and is done again.
func (v Verdict) Again() bool { return v.over != nil }

// Over is the marker of another command that is to be replaced; nil: there is none.
func (v Verdict) Over() *marker.Entry { return v.over }

// Look asks whether an item is done already. An error is a failure with exit code 65, 69,
// 77 or 78. A store that can't be read takes no record of that either: the record that is
// given back is the one to go on with.
func (r Record) Look(ctx context.Context, h marker.Header) (Verdict, Record, error) {
	if r.book == nil {
		return Verdict{}, r, nil
	}
	if err := r.book.Open(ctx, h); err != nil {
		return Verdict{}, Record{}, err
	}
	e, err := r.book.Look(ctx, h)
	switch {
	case err != nil && failure.From(err).Code != failure.BadIndex:
		return Verdict{}, Record{}, err
	case err != nil || e == nil:
		return Verdict{}, r, err
	}
	v, err := r.already(e, h)
	return v, r, err
}

// already decides on a marker that is there.
func (r Record) already(e *marker.Entry, h marker.Header) (Verdict, error) {
	by := e.RunID
	switch {
	case e.Source == marker.SourceMark:
		by = fmt.Sprintf("%s by hand: %s", e.MarkedBy, e.Reason)
	case e.Hostname != "":
		by += " on " + e.Hostname
	}
	since := e.Finished.UTC().Format(time.RFC3339)
	l := r.Log.Info().Str("marker", r.book.Show(h)).Str("outcome", e.Outcome)
	onChange := r.book.OnChange
	switch {
	case e.Agrees(h.Digest):
		note := ""
		if e.JobUID != "" && h.JobUID != "" && e.JobUID != h.JobUID {
			note = ", in an earlier Job of the same name (write <<.JobUID>> into --markers for a fresh start)"
		}
		l.Msgf("%s is %s already, since %s, by %s%s", h.What(), e.Outcome, since, by, note)
		return Verdict{Settled: true}, nil
	case onChange == marker.OnChangeSkip:
		l.Msgf("%s is %s already, since %s, by %s; another command, accepted by --on-change=skip", h.What(), e.Outcome, since, by)
		return Verdict{Settled: true}, nil
	case onChange == marker.OnChangeRerun && !e.CanReplace():
		return Verdict{}, &failure.Failure{Code: failure.Setup, Tried: "prepare to replace the marker", On: r.book.Show(h),
			Cause: errors.New("this store can't replace a blob on condition"), Hint: "--on-change=rerun needs file://, s3://, gs:// or azblob://"}
	case onChange == marker.OnChangeRerun:
		l.Msgf("%s was %s by another command, since %s, by %s; running it again", h.What(), e.Outcome, since, by)
		return Verdict{over: e}, nil
	}
	return Verdict{}, r.book.Changed(e, h)
}
