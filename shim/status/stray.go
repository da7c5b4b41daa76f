package status

import (
	"context"
	"errors"
	"time"

	"nth/shim/failure"
)

// hidden refuses a look that found nothing settled where an object stands in the place of a
// directory of markers: on MinIO's single drive it hides all of them from listings, and what
// is done would be told as missing, and run again.
func (l *lister) hidden(snap *Snapshot) error {
	if c := snap.Counts(); c.Done+c.Skipped+c.Failed > 0 {
		return nil
	}
	for _, name := range []string{"done", "failed"} {
		ctx, cancel := context.WithTimeout(l.ctx, max(l.policy.PerCall, time.Second))
		there, _ := l.s.Exists(ctx, name) // the look went well: who may only list isn't refused
		cancel()
		if there {
			return &failure.Failure{Code: failure.Setup, Tried: "list", On: l.s.Show(name + "/"), Cause: errors.New("an object of the same name stands beside it, and some servers list nothing below it then"),
				Hint: "delete the object " + l.s.Show(name) + ", and look again"}
		}
	}
	return nil
}
