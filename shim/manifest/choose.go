package manifest

import (
	"context"
	"errors"
	"fmt"
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
	seen, err := status.Scan(ctx, s, of, p, nil)
	if err != nil {
		return "", err
	}
	var repaired []int64
	for at, state := range seen.States {
		if state == status.Failed || !j.Failed && (state == status.Missing || state == status.Started) {
			repaired = append(repaired, of.At(int64(at)))
		}
	}
	if len(repaired) == 0 {
		return "", &failure.Failure{Code: nothing, Tried: "find what is to be repaired", On: s.Show(""), Cause: errors.New("there is nothing")}
	}
	return identity.FormatList(repaired), nil
}

// nothing is the exit code where no manifest is needed.
const nothing failure.Code = 1
