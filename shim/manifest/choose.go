package manifest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/store"
	"nth/templates"
)

// choose finds the indexes of a repair: those of --indexes, or what the store says.
func (j *job) choose(w World) (err error) {
	given := 0
	for _, is := range []bool{j.Indexes != "", j.Missing, j.Failed} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return contradiction("--indexes, --missing and --failed", errors.New("each says which indexes are repaired"), "give one of them")
	case j.Kind != "job":
		return contradiction("--kind="+j.Kind, errors.New("a repair is made once"), "take it away")
	case j.IsQueue():
		return contradiction("--tasks", errors.New("a queue's tasks have no indexes"), "start the workers again: what is done isn't done twice")
	}
	if j.indexes = j.Indexes; j.indexes == "" {
		if j.indexes, err = j.ask(w); err != nil {
			return err
		}
	}
	if len(j.indexes)+len("NTH_INDEXES=") > maxText {
		return contradiction("the list of indexes", fmt.Errorf("it has %d bytes, and no variable holds more than %d", len(j.indexes), maxText),
			"start the whole Job again: an index that is done is skipped in no time")
	}
	return nil
}

// patience is how long a store is asked that doesn't answer.
const patience = 5 * time.Second

// ask lists the markers. It needs their URL as the pods have it.
func (j *job) ask(w World) (string, error) {
	if j.Markers == "" {
		return "", usage("--markers", errors.New("which indexes are done is known there only"), "give --markers URL")
	}
	t, err := templates.Parse(j.Markers)
	if err != nil {
		return "", &failure.Failure{Code: failure.Usage, Tried: "parse", On: "--markers", Cause: err}
	}
	if t.UsesIndex() {
		return "", contradiction("--markers", errors.New("each index has its own URL, so that no list tells what is done"), "give --indexes")
	}
	x, err := t.Expand(templates.Fields{Completions: j.Completions, Attempt: 1, Job: j.Job, Platform: "kubernetes"}, templates.Sources{LookupEnv: w.LookupEnv, ReadFile: os.ReadFile})
	if err != nil {
		return "", failure.Expansion("--markers", err)
	}
	list, err := j.look(x.Text)
	if f, ok := errors.AsType[*failure.Failure](err); ok && f.Cause != nil {
		hide := func(s string) string { return templates.Hide(s, x.Secrets) }
		return "", &failure.Failure{Code: f.Code, Tried: f.Tried, On: hide(f.On), Cause: errors.New(hide(f.Cause.Error())), Hint: f.Hint}
	}
	return list, err
}

// look gives the list of what the store at a URL says is to be repaired.
func (j *job) look(url string) (string, error) {
	ctx := context.Background()
	s, err := store.Open(ctx, url)
	if err != nil {
		return "", err
	}
	defer s.Close()
	settled, failed := map[int64]bool{}, map[int64]bool{}
	for prefix, found := range map[string]map[int64]bool{"done/": settled, "skipped/": settled, "failed/": failed} {
		if err := j.list(ctx, s, prefix, found); err != nil {
			return "", err
		}
	}
	repaired := gaps(settled, j.total)
	if j.Failed {
		for i := range settled {
			delete(failed, i)
		}
		repaired = identity.FormatList(keys(failed))
	}
	if repaired == "" {
		return "", &failure.Failure{Code: nothing, Tried: "find what is to be repaired", On: s.Show(""), Cause: errors.New("there is nothing")}
	}
	return repaired, nil
}

// nothing is the exit code where no manifest is needed.
const nothing failure.Code = 1

func (j *job) list(ctx context.Context, s *store.Store, prefix string, found map[int64]bool) error {
	err := store.Retry(ctx, store.Policy{Window: patience}, func(ctx context.Context) error {
		return s.List(ctx, prefix, func(key string, _ int64, _ time.Time) error {
			number, ok := strings.CutSuffix(strings.TrimPrefix(key, prefix), ".json")
			if n, err := strconv.ParseInt(number, 10, 64); ok && err == nil && n >= 0 && n < j.total {
				found[n] = true
			}
			return nil
		})
	}, nil)
	if err != nil {
		return store.Fail(err, "list", s.Show(prefix))
	}
	return nil
}

func keys(of map[int64]bool) []int64 {
	list := make([]int64, 0, len(of))
	for i := range of {
		list = append(list, i)
	}
	slices.Sort(list)
	return list
}

// gaps gives the indexes of 0 to total-1 that are not among those found.
func gaps(found map[int64]bool, total int64) string {
	var parts []string
	next := int64(0)
	for _, i := range append(keys(found), total) {
		switch i - next {
		case 0:
		case 1:
			parts = append(parts, strconv.FormatInt(next, 10))
		case 2:
			parts = append(parts, fmt.Sprintf("%d,%d", next, next+1))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", next, i-1))
		}
		next = i + 1
	}
	return strings.Join(parts, ",")
}
