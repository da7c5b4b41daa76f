package shim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
)

// toldWindow bounds the documents that are only told (failed/, started/): a run
// that is over, perhaps on its way out of a dying pod, doesn't wait longer.
const toldWindow = 5 * time.Second

func (r *run) look() error {
	if r.item.markers.value == "" {
		r.log.Info().Msg("no --markers: nothing is recorded, and every start runs the command")
		return nil
	}
	if err := r.openBook(r.item.markers.value); err != nil {
		return err
	}
	e, err := r.book.Look(r.ctx, r.header)
	if err != nil && failure.From(err).Code != failure.BadIndex {
		r.book = nil // a store that can't be read takes no record of that either
	}
	if err != nil || e == nil {
		return err
	}
	return r.alreadyDone(e)
}

// openBook opens the record, which a worker has open already.
func (r *run) openBook(url string) error {
	if r.book != nil {
		return nil
	}
	s, err := store.Open(r.ctx, url)
	if err != nil {
		return err
	}
	r.book = &marker.Book{Store: s, OnChange: r.Markers.OnChange, FanOut: strings.HasPrefix(url, "file:"), Wait: r.policy(r.Stores.StoreWait),
		Write: r.policy(r.Stores.MarkerTimeout), Told: r.policy(toldWindow), Retrying: r.retrying}
	return nil
}

// alreadyDone decides on a marker that is there: exit 0, exit 65, or run again.
func (r *run) alreadyDone(e *marker.Entry) error {
	by := e.RunID
	switch {
	case e.Source == marker.SourceMark:
		by = fmt.Sprintf("%s by hand: %s", e.MarkedBy, e.Reason)
	case e.Hostname != "":
		by += " on " + e.Hostname
	}
	since := e.Finished.UTC().Format(time.RFC3339)
	l := r.log.Info().Str("marker", r.mask(r.book.Show(r.header))).Str("outcome", e.Outcome)
	switch {
	case e.Agrees(r.header.Digest):
		note := ""
		if e.JobUID != "" && r.id.JobUID != "" && e.JobUID != r.id.JobUID {
			note = ", in an earlier Job of the same name (write <<.JobUID>> into --markers for a fresh start)"
		}
		l.Msgf("%s is %s already, since %s, by %s%s", r.header.What(), e.Outcome, since, by, note)
		return errSettled
	case r.Markers.OnChange == marker.OnChangeSkip:
		l.Msgf("%s is %s already, since %s, by %s; another command, accepted by --on-change=skip", r.header.What(), e.Outcome, since, by)
		return errSettled
	case r.Markers.OnChange == marker.OnChangeRerun && !e.CanReplace():
		return &failure.Failure{Code: failure.Setup, Tried: "prepare to replace the marker", On: r.book.Show(r.header),
			Cause: errors.New("this store can't replace a blob on condition"), Hint: "--on-change=rerun needs file://, s3://, gs:// or azblob://"}
	case r.Markers.OnChange == marker.OnChangeRerun:
		l.Msgf("%s was %s by another command, since %s, by %s; running it again", r.header.What(), e.Outcome, since, by)
		r.over = e
		return nil
	}
	return r.book.Changed(e, r.header)
}

// doneIf settles the item when its result exists, as make does with its targets.
func (r *run) doneIf() error {
	if r.item.doneIf.value == "" || r.over != nil {
		return nil
	}
	there, err := r.blobExists(r.ctx, r.item.doneIf, "look for the result of --done-if", r.Stores.StoreWait)
	if err != nil || !there {
		return err
	}
	r.log.Info().Msgf("%s is done: %s exists", r.header.What(), r.item.doneIf.shown)
	if r.book == nil {
		return errSettled
	}
	now := r.Now().UTC()
	m := marker.Marker{Header: r.header, Usage: marker.Usage{Started: now, Finished: now}, Source: marker.SourceDoneIf, Outcome: marker.Done}
	if err := r.finish(m); err != nil {
		return err
	}
	return errSettled
}

// blobExists asks for one blob, for as long as window when the store doesn't answer.
func (r *run) blobExists(ctx context.Context, url text, tried string, window time.Duration) (there bool, err error) {
	s, key, err := store.OpenObject(ctx, url.value)
	if err != nil {
		return false, err
	}
	defer s.Close()
	err = store.Retry(ctx, r.policy(window), func(ctx context.Context) (err error) {
		there, err = s.Exists(ctx, key)
		return err
	}, r.retrying)
	if err != nil {
		return false, store.Fail(err, failure.OneIndex, tried, url.shown)
	}
	return there, nil
}

// finish writes a marker, which a pending stop signal doesn't interrupt.
func (r *run) finish(m marker.Marker) error {
	r.close()
	how, other, err := r.book.Finish(context.Background(), m, r.over)
	if err != nil {
		return err
	}
	msg := fmt.Sprintf("%s is recorded as %s", r.header.What(), m.Outcome)
	switch how {
	case marker.Recovered:
		msg += " (the store had answered our own write with silence)"
	case marker.Theirs:
		msg = fmt.Sprintf("%s was recorded as %s by another run, %s, in the meantime", r.header.What(), other.Outcome, other.RunID)
	}
	r.log.Info().Str("marker", r.mask(r.book.Show(r.header))).Msg(msg)
	return nil
}
