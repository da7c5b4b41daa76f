package status

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/logs"
	"nth/shim/place"
	"nth/shim/screen"
	"nth/shim/store"
)

// outputs are what nth run --logs has kept of one index.
type outputs struct {
	store    *store.Store
	wait     time.Duration // for an answer of it
	attempts []logs.Attempt
}

// outputs finds them under the URL that is given, else where the newest of the item's
// documents says. Nil without an error: nobody knows where.
func (p *parsed) outputs(ctx context.Context, i *Item, w World) (*outputs, error) {
	var s *store.Store
	var err error
	if p.LogsURL != "" {
		s, err = p.open(ctx, "--logs-url", p.LogsURL, w)
	} else if dir := i.logsURL(); dir != "" {
		if s, err = w.Stores.Open(ctx, p.withParameters(dir)); err == nil {
			err = place.There(ctx, s, p.StoreTimeout)
		}
	}
	if s == nil || err != nil {
		return nil, err
	}
	o := &outputs{store: s, wait: p.StoreTimeout}
	err = store.Retry(ctx, p.policy(), func(ctx context.Context) (err error) {
		o.attempts, err = logs.Attempts(ctx, s, i.Index)
		return err
	}, nil)
	return o, fail(err, "list the logs", s.Show(""))
}

// logsURL is what nth run was given: a document has the address of the log itself.
func (i *Item) logsURL() string {
	for _, address := range i.logs() {
		if dir, _, ok := strings.Cut(address, "/"+logs.Index(i.Index, "")); ok {
			return dir
		}
	}
	return ""
}

// withParameters gives a URL the parameters of --markers, where both are of one kind of
// store: a document has none, and an endpoint or region is most often the same. A directory's
// are its own.
func (p parsed) withParameters(address string) string {
	markers, err := url.Parse(p.Markers)
	if scheme, _, _ := strings.Cut(address, ":"); err != nil || scheme != markers.Scheme || scheme == "file" || markers.RawQuery == "" {
		return address
	}
	return address + "?" + markers.RawQuery
}

// addLogs tells of them.
func (i *Item) addLogs(o *outputs) {
	if o == nil {
		return
	}
	for _, a := range o.attempts {
		i.Logs = append(i.Logs, ItemLog{a.RunID, a.Modified.UTC(), a.Size})
	}
}

// print writes the outputs as they are, the oldest first. What is which stands on
// stderr where there are several.
func (o *outputs) print(ctx context.Context, i *Item, w World) error {
	if o == nil || len(o.attempts) == 0 {
		why, hint := "there are none", "nth run --logs URL keeps them"
		if o == nil {
			why, hint = "its documents don't say where they are", "give --logs-url URL, as nth run had it with --logs"
		}
		return &failure.Failure{Code: failure.NoInput, Tried: "print the logs", On: fmt.Sprintf("of index %d", i.Index), Cause: errors.New(why), Hint: hint}
	}
	for _, a := range o.attempts {
		if len(o.attempts) > 1 {
			screen.Tell(w.Stderr, "nth: run %s, %s, until %s", a.RunID, size(a.Size), a.Modified.UTC().Format("2006-01-02 15:04:05Z"))
		}
		if err := a.Copy(ctx, o.store, o.wait, w.Stdout); err != nil {
			return fail(err, "print the logs", o.store.Show(""))
		}
	}
	return nil
}
