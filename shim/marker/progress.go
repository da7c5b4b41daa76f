package marker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"nth/shim/identity"
	"nth/shim/store"
	"nth/shim/store/contract"
)

const progressDir = "progress"

// Progress is how far a run has come with its index's shard of numbered items. Each run
// writes its own document, so that none can undo another's; what is done is the union
// of all that have the same digest and bounds.
type Progress struct {
	Version int    `json:"version"`
	Index   int64  `json:"index"`
	RunID   string `json:"run_id"`
	By      *int64 `json:"by,omitempty"` // the index whose run it is, where that one helped (--share)
	Digest  string `json:"digest"`
	Items   int64  `json:"items"` // of all indexes together
	Start   int64  `json:"start"` // the shard's first item
	End     int64  `json:"end"`   // the first one behind it
	// Done are the settled items, Skipped those of them that are bad, Failed those that
	// have failed since this run began. What the run found done is among them.
	Done    identity.List `json:"done"`
	Skipped identity.List `json:"skipped"`
	Failed  identity.List `json:"failed"`
	Updated time.Time     `json:"updated"`
	Used    Usage         `json:"used"` // by the commands of this run alone

	Broken error `json:"-"` // set: the document can't be read, and all else is empty
}

// ProgressKey gives the key of one run's document.
func ProgressKey(index int64, runID string) string { return progressFolder(index) + runID + ".json" }

// ShareFolder is where the chunks of an index's items are claimed, with --share.
func ShareFolder(index int64) string { return fmt.Sprintf("%s/%d/", shareDir, index) }

const shareDir = "share"

func progressFolder(index int64) string { return fmt.Sprintf("%s/%d/", progressDir, index) }

// Encode gives the document.
func (p Progress) Encode() ([]byte, error) { return encode(p) }

// DecodeProgress reads a document. One that contradicts itself is an error.
func DecodeProgress(body []byte) (Progress, error) {
	var p struct {
		Progress
		Index *int64 `json:"index"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&p); err != nil {
		return Progress{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Progress{}, errors.New("more than one JSON document")
	}
	switch {
	case p.Version < 1 || p.RunID == "" || p.Index == nil || *p.Index < 0:
		return Progress{}, errors.New("version, run_id or index is missing")
	case p.Start < 0 || p.End < p.Start || p.Items < p.End:
		return Progress{}, fmt.Errorf("there are no items %d to %d of %d", p.Start, p.End, p.Items)
	}
	for name, l := range map[string]identity.List{"done": p.Done, "skipped": p.Skipped, "failed": p.Failed} {
		if l.Len() > 0 && (l.At(0) < p.Start || l.Last() >= p.End) {
			return Progress{}, fmt.Errorf("%s items are outside of %d to %d", name, p.Start, p.End)
		}
	}
	p.Done = identity.Union(p.Done, p.Skipped) // each list may have been cut for its length
	p.Progress.Index = *p.Index
	return p.Progress, nil
}

// ReadProgress reads the documents of an index, of every digest: a run that was stopped
// a thousand times has left a thousand. One that can't be read has its reason in Broken:
// it is worth no failure, for its items only run again. The error is the store's own.
func ReadProgress(ctx context.Context, s *store.Store, p store.Policy, index int64, notify func(error, time.Duration)) ([]Progress, error) {
	var keys []string
	err := store.Retry(ctx, p, func(ctx context.Context) error {
		keys = nil
		return s.List(ctx, progressFolder(index), func(key string, _ int64, _ time.Time) error {
			if strings.HasSuffix(key, ".json") {
				keys = append(keys, key)
			}
			return nil
		})
	}, notify)
	if err != nil {
		return nil, err
	}
	all := make([]Progress, len(keys))
	err = store.Each(ctx, len(keys), func(ctx context.Context, k int) error {
		return store.Retry(ctx, p, func(ctx context.Context) (err error) {
			all[k], err = readProgress(ctx, s, index, keys[k])
			return err
		}, notify)
	})
	return slices.DeleteFunc(all, func(p Progress) bool { return p.RunID == "" }), err
}

// readProgress reads one document. One that was deleted meanwhile is empty.
func readProgress(ctx context.Context, s *store.Store, index int64, key string) (Progress, error) {
	body, _, err := s.Read(ctx, key)
	if kind := store.Classify(err); err != nil && kind == contract.Absent {
		return Progress{}, nil
	} else if err != nil && !kind.Final() { // that is: not for its size
		return Progress{}, err
	}
	var p Progress
	if err == nil {
		p, err = DecodeProgress(body)
	}
	if err == nil && ProgressKey(index, p.RunID) != key {
		err = errors.New("it is of another run or index")
	}
	if err != nil {
		id := strings.TrimSuffix(strings.TrimPrefix(key, progressFolder(index)), ".json")
		return Progress{Index: index, RunID: id, Broken: fmt.Errorf("%s: %w", s.Show(key), err)}, nil
	}
	return p, nil
}

// SameShard tells whether two documents are of the same work.
func (p Progress) SameShard(q Progress) bool {
	return p.Digest == q.Digest && p.Items == q.Items && p.Start == q.Start && p.End == q.End
}

// Union gives what all documents of the same work as this one say together: an item is
// failed if no run has settled it.
func (p Progress) Union(documents []Progress) Progress {
	for _, q := range documents {
		if q.Broken != nil || !p.SameShard(q) || q.RunID == p.RunID {
			continue
		}
		p.Done = identity.Union(p.Done, q.Done)
		p.Skipped = identity.Union(p.Skipped, q.Skipped)
		p.Failed = identity.Union(p.Failed, q.Failed)
		p.Used = p.Used.Plus(q.Used)
		if q.Updated.After(p.Updated) {
			p.Updated = q.Updated
		}
	}
	p.Failed = p.Failed.Without(p.Done)
	return p
}

// Latest gives the state of the work that was done last; false if there is none.
func Latest(documents []Progress) (last Progress, ok bool) {
	for _, q := range documents {
		if q.Broken == nil && (!ok || q.Updated.After(last.Updated)) {
			last, ok = q, true
		}
	}
	return last.Union(documents), ok
}

// Plus is what two runs have used together.
func (u Usage) Plus(v Usage) Usage {
	if u.Started.IsZero() || !v.Started.IsZero() && v.Started.Before(u.Started) {
		u.Started = v.Started
	}
	if v.Finished.After(u.Finished) {
		u.Finished = v.Finished
	}
	u.DurationS += v.DurationS
	u.MaxRSSBytes = max(u.MaxRSSBytes, v.MaxRSSBytes)
	u.UserS += v.UserS
	u.SystemS += v.SystemS
	return u
}
