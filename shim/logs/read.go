package logs

import (
	"context"
	"io"
	"sort"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Attempt is the log of one run of an index.
type Attempt struct {
	RunID    string
	Modified time.Time // when the store last got something of it
	Size     int64     // bytes, of all parts
	parts    []part
}

type part struct {
	number int
	key    string
}

// Attempts lists the logs of an index, the newest last.
func Attempts(ctx context.Context, s *store.Store, index int64) ([]Attempt, error) {
	prefix := Index(index, "")
	found := map[string]*Attempt{}
	err := s.List(ctx, prefix, func(key string, size int64, modified time.Time) error {
		name, number, ok := parseKey(key)
		runID := strings.TrimPrefix(name, prefix)
		if !ok || runID == "" || strings.Contains(runID, "/") {
			return nil // somebody else's
		}
		a := found[runID]
		if a == nil {
			a = &Attempt{RunID: runID}
			found[runID] = a
		}
		a.Size += size
		if modified.After(a.Modified) {
			a.Modified = modified
		}
		a.parts = append(a.parts, part{number, key})
		return nil
	})
	if err != nil {
		return nil, store.Fail(err, failure.TheJob, "list the logs", s.Show(prefix))
	}
	list := make([]Attempt, 0, len(found))
	for _, a := range found {
		sort.Slice(a.parts, func(i, j int) bool { return a.parts[i].number < a.parts[j].number })
		list = append(list, *a)
	}
	sort.Slice(list, func(i, j int) bool {
		x, y := &list[i], &list[j]
		if c := x.Modified.Compare(y.Modified); c != 0 {
			return c < 0
		}
		return x.RunID < y.RunID
	})
	return list, nil
}

// Copy writes the whole log to w. Of an attempt that still runs it is what the store
// has so far. The store is waited for this long at a time. An error of w's own is given
// back as it is.
func (a Attempt) Copy(ctx context.Context, s *store.Store, wait time.Duration, w io.Writer) error {
	for _, p := range a.parts {
		if err := copyPart(ctx, s, p.key, wait, w); err != nil {
			return err
		}
	}
	return nil
}

func copyPart(ctx context.Context, s *store.Store, key string, wait time.Duration, w io.Writer) error {
	ctx, cancel := contract.WithPatience(ctx, wait)
	defer cancel()
	r, err := s.Bucket().NewReader(ctx, key, nil)
	if err != nil {
		return store.Fail(err, failure.TheJob, "read the log", s.Show(key))
	}
	defer r.Close()
	to := &sink{w: w}
	if _, err := io.Copy(to, r); to.err != nil {
		return to.err
	} else if err != nil {
		return store.Fail(err, failure.TheJob, "read the log", s.Show(key))
	}
	return nil
}

// sink remembers whether it was the writer that failed.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (n int, err error) {
	n, s.err = s.w.Write(p)
	return n, s.err
}
