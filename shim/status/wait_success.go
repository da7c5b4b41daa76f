package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/place"
	"nth/shim/screen"
	"nth/shim/store"
	"nth/shim/success"
)

// openEnd opens the place of the document that tells of the Job's end, if one is named.
func (j *waiter) openEnd(ctx context.Context) error {
	if j.c.Success == "" {
		return nil
	}
	url, err := place.Expand(place.Markers{URL: j.c.Success, Completions: j.Completions, Job: j.Job, JobUID: j.JobUID,
		Usage: "nth wait --success URL", Hint: "the document is of the whole Job"}, j.w.Process)
	if f, ok := errors.AsType[*failure.Failure](err); ok && f.On == "--markers" {
		f.On = "--success"
	}
	if err != nil {
		return err
	}
	at, key, err := j.w.Stores.OpenObject(ctx, url)
	if err != nil {
		return store.Of("--success", err)
	}
	j.end = &success.Job{At: at, Key: key, Policy: j.policy(), Mine: success.Document{Nth: j.w.Version, Job: j.Job, JobUID: j.JobUID, RunID: j.w.RunID}}
	j.place = at.Show(key)
	return nil
}

// readEnd asks for the document.
func (j *waiter) readEnd(ctx context.Context) (over bool, err error) {
	d, err := j.end.Read(ctx)
	if err != nil {
		return false, store.Fail(err, failure.TheJob, "read", j.place)
	}
	j.document = d
	return d != nil, nil
}

// writeEnd writes the document where no run did, for its last one was killed, or some have
// failed and may; what another one has written meanwhile stays.
func (j *waiter) writeEnd(ctx context.Context) error {
	whole := identity.Whole(j.o.Of.Last() + 1)
	if j.code(j.snap.Counts(), j.snap, nil) != 0 || j.o.Of.Len() != whole.Len() {
		return nil
	}
	j.end.Markers, j.end.N = j.o.Store, whole.Len()
	found, err := j.end.List(ctx)
	if err == nil && found.Missing.Without(j.snap.List(Failed)).Len() == 0 {
		_, err = j.end.Write(ctx, found, found.Missing)
	}
	if err != nil {
		return store.Fail(err, failure.TheJob, "write", j.place)
	}
	return nil
}

// ended tells what came of the Job, and gives the exit code.
func (j *waiter) ended() int {
	if d := j.document; d != nil {
		line := fmt.Sprintf("%d of %d settled", d.Done+d.Skipped, d.Completions)
		if d.Skipped > 0 {
			line += fmt.Sprintf(", %d of them skipped", d.Skipped)
		}
		if d.Failed > 0 {
			line += fmt.Sprintf(", %d failed: %s", d.Failed, cutList(d.FailedList, maxSaid))
		}
		screen.Tell(j.w.Stdout, "%s, %s", line, d.Written.UTC().Format(time.RFC3339))
		if d.Failed > j.maxFailed(d.Completions) {
			return 1
		}
		return 0
	}
	screen.Tell(j.w.Stdout, "%s", j.summary())
	j.doubt(j.snap, j.w.Stderr)
	return j.code(j.snap.Counts(), j.snap, nil)
}
