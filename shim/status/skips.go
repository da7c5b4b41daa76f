package status

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"nth/shim/marker"
	"nth/shim/store"
)

// sameRun is how far apart a run's entry as skipped and its marker are dated when all is
// well: it writes them one after the other, and stores' dates may be in whole seconds.
const sameRun = 2 * time.Second

// doubtful tells whether a marker may be of another run than the entry as skipped: it may
// have settled the item as done since, or before.
func doubtful(marker, skipped time.Time) bool { return marker.Sub(skipped).Abs() > sameRun }

// outcomes reads the doubtful markers, which decide. They are few: whoever replaces a
// skipped marker by a done one takes the entry away.
func (c *scan) outcomes(l *lister) error {
	var at []int64
	for _, k := range slices.Sorted(maps.Keys(c.skips)) {
		if c.snap.States[k]&isDone != 0 && doubtful(time.Unix(0, c.snap.Settled[k]), c.skips[k]) {
			at = append(at, k)
		}
	}
	tasks := c.tasks.doubtful
	done := make([]bool, len(at)+len(tasks))
	err := store.Each(l.ctx, len(done), func(ctx context.Context, i int) error {
		key := ""
		if i < len(at) {
			key = marker.Key("done", c.snap.Of.At(at[i]))
		} else {
			key = tasks[i-len(at)]
		}
		body, err := read(ctx, l.s, l.policy, key)
		var doc struct{ Outcome string }
		done[i] = err == nil && json.Unmarshal(body, &doc) == nil && doc.Outcome == marker.Done
		return err
	})
	for i, d := range done {
		switch {
		case !d:
		case i < len(at):
			c.snap.States[at[i]] &^= isSkipped
		default:
			c.tasks.passed--
		}
	}
	return err
}
