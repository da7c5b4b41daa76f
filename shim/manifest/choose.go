package manifest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/place"
	"nth/shim/status"
	"nth/shim/store"
)

// choose finds the indexes of a repair: those of --indexes, or what the store says.
func (j *job) choose(w World) (err error) {
	if !j.repairs() {
		return nil
	}
	if j.indexes = j.Index.Indexes; j.indexes == "" {
		if j.indexes, err = j.ask(w); err != nil {
			return err
		}
	}
	list, err := identity.ParseList(j.indexes)
	if err != nil {
		return err
	}
	j.indexes, j.completions = list.String(), list.Len() // as any nth reads it
	if len(j.indexes)+len("NTH_INDEXES=") > maxText {
		return contradiction("the list of indexes", fmt.Errorf("it has %d bytes, and no variable holds more than %d", len(j.indexes), maxText),
			"start the whole Job again: an index that is done is skipped in no time")
	}
	return nil
}

// patience is how long a store is asked that doesn't answer.
const patience = 5 * time.Second

// ask lists the markers. It needs their URL as the pods have it. An index that runs now is
// left out: it has its pod.
func (j *job) ask(w World) (string, error) {
	ctx := context.Background()
	s, err := place.Find(ctx, place.Markers{URL: j.Markers.URL, Completions: j.Index.Completions, Job: j.Index.Job,
		Usage: "give --markers URL", Hint: "give --indexes, for no list tells what is done"}, w.Process, j.Stores.StoreTimeout)
	if err != nil {
		return "", err
	}
	defer s.Close()
	p := store.Policy{Window: patience, PerCall: j.Stores.StoreTimeout, Pieces: true}
	of, err := status.Indexes(j.Index.Completions, "")
	if err != nil {
		return "", err
	}
	o := status.Options{Store: s, Of: of, Policy: p, Job: j.Index.Job, Kubernetes: j.first}
	if j.Reason != "" {
		o.Read = math.MaxInt32 // what the listings don't tell
	}
	seen, snap, err := status.Look(ctx, o)
	if err != nil {
		return "", err
	}
	why, reasons := map[int64]string{}, map[string]bool{}
	for _, f := range seen.Failures {
		if !f.Again {
			why[f.Index], reasons[f.Reason] = f.Reason, true
		}
	}
	var repaired []int64
	for at, state := range snap.States {
		index := of.At(int64(at))
		if (state == status.Failed || !j.Failed && (state == status.Missing || state == status.Started)) && (j.Reason == "" || why[index] == j.Reason) {
			repaired = append(repaired, index)
		}
	}
	if len(repaired) == 0 {
		return "", &failure.Failure{Code: nothing, Tried: "find what is to be repaired", On: s.Show(""), Cause: j.nothing(reasons)}
	}
	return identity.FormatList(repaired), nil
}

// nothing says that there is nothing to repair, and what there would be.
func (j *job) nothing(reasons map[string]bool) error {
	if j.Reason == "" || len(reasons) == 0 {
		return errors.New("there is nothing")
	}
	return fmt.Errorf("nothing has failed with the reason %q; there are %s", j.Reason, strings.Join(slices.Sorted(maps.Keys(reasons)), ", "))
}

// nothing is the exit code where no manifest is needed.
const nothing failure.Code = 1
