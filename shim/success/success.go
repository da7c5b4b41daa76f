// Package success writes one document when the last index of a Job is done, by whoever
// finds that out: one listing for the whole Job, and one question for each index.
//
// # Who looks
//
// Beside the markers stands one pointer, settled/N.json of a Job of N indexes. It names the
// index that is waited for; without it that is the last one. A run that has written its
// marker reads the pointer. If another index is named, it is done: that one will look. If
// its own is, it looks for an index that isn't done yet (by asking for some at random, then
// by one listing, after which it is known which ones were missing), names that one by a
// conditional write, and then asks for its marker once more: if it is there by now, its run
// may have read the pointer before, and the search goes on. Where nothing is missing all
// markers are listed, and the document is created if there is none.
//
// # Never too early
//
// The document is created after a listing that showed each marker, and by nothing else.
// The pointer decides only who makes it.
//
// # Always
//
// Let all N markers be written, and let every run that was killed or failed behind its
// marker be started again, as platforms do with what didn't exit with 0. A start that finds
// its marker there (or another run's, that was first) believes no pointer: it asks for the
// marker of the index that is named, and where that is done takes over. Names are given
// only to what isn't done, so there is a last one, w, given by a run of d; if none was ever
// given it is N-1. A run of w that reads the pointer after that finds itself named, or takes
// over, and can't leave before the document is there, for nothing is missing any more that
// it could name. If no run of w reads it after that, w's marker was written before it was
// named, and d, which asks for it after naming, finds it there and goes on; or was killed
// before it asked, is started again, and takes over. Stores must answer reads and listings
// with all that was written before, as all of them do today. Two runs of one index do no
// harm: of two that replace one version of the pointer, one fails, and reads it anew.
//
// Whose last run is never started again leaves the document to `nth wait`, which writes it
// too.
package success

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"gocloud.dev/blob"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Store is what is asked of a place of blobs; a *store.Store is one.
type Store interface {
	Read(ctx context.Context, key string) ([]byte, contract.Token, error)
	Exists(ctx context.Context, key string) (bool, error)
	Swap(ctx context.Context, key string, body []byte, old contract.Token) (contract.Token, error)
	Create(ctx context.Context, key string, body []byte) error
	ListUnder(ctx context.Context, how *blob.ListOptions, visit func(*blob.ListObject) error) error
	Show(key string) string
}

// Job is one whose end is told.
type Job struct {
	Markers Store
	N       int64 // its indexes are 0 to N-1
	At      Store // where the document is
	Key     string
	Policy  store.Policy
	Mine    Document // who writes it, and of which Job

	samples int64 // how many indexes are asked for before all are listed; 0: enough
}

// enough finds an index by chance, where more than a few percent are left.
const enough = 64

// tries bounds the listings of one search: a store whose listings and answers disagree for
// ever isn't one that can be asked.
const tries = 10

// pointer is the document that names who is waited for.
type pointer struct {
	Version int    `json:"version"`
	Next    int64  `json:"next"`
	Open    string `json:"open,omitempty"` // what a listing didn't show, and wasn't found since; "": nobody has listed
	RunID   string `json:"run_id"`         // who wrote it

	token contract.Token // "": there is none
}

// After is called when the marker of an index is there. Own says that this run has written
// it, and nobody else before. It tells whether this is the run that wrote the document. The
// error is the store's.
func (j *Job) After(ctx context.Context, index int64, own bool) (wrote bool, err error) {
	p, err := j.read(ctx)
	if err != nil {
		return false, err
	}
	if p.Next != index {
		if own {
			return false, nil
		}
		if done, err := j.done(ctx, p.Next); err != nil || !done {
			return false, err
		}
	}
	return j.search(ctx, p)
}

// search names an index that isn't done, or writes the document.
func (j *Job) search(ctx context.Context, p pointer) (wrote bool, err error) {
	for listed := 0; listed < tries; {
		next, open, err := j.missing(ctx, p)
		if err != nil {
			return false, err
		}
		if next < 0 {
			listed++
			found, err := j.List(ctx)
			if err != nil {
				return false, err
			}
			if found.Missing.Len() == 0 {
				return j.Write(ctx, found, identity.List{})
			}
			p.Open = found.Missing.String()
			continue
		}
		p.Next, p.Open = next, open
		if p, err = j.name(ctx, p); err != nil {
			return false, err
		}
		if done, err := j.done(ctx, p.Next); err != nil || !done {
			return false, err
		}
	}
	return false, &contract.Error{Kind: contract.Unreachable, Cause: errors.New("its listings don't show what it says is there")}
}

// missing gives an index that isn't done, -1 where none is found, and what of a listing is
// left to be asked for.
func (j *Job) missing(ctx context.Context, p pointer) (next int64, open string, err error) {
	if samples := cmp.Or(j.samples, enough); p.Open == "" && j.N > samples {
		for range samples {
			next = rand.Int64N(j.N)
			if done, err := j.done(ctx, next); err != nil || !done {
				return next, "", err
			}
		}
		return -1, "", nil
	}
	list := identity.Whole(j.N)
	if p.Open != "" {
		if list, err = identity.ParseList(p.Open); err != nil || list.Last() >= j.N {
			return -1, "", nil // it is no document of ours, which may name any number of indexes: list anew
		}
	}
	for k := list.Len() - 1; k >= 0; k-- { // the last ones began last
		next = list.At(k)
		if done, err := j.done(ctx, next); err != nil || !done {
			return next, list.Pick(func(at int64) bool { return at <= k }).String(), err
		}
	}
	return -1, "", nil
}

func (j *Job) key() string { return fmt.Sprintf("settled/%d.json", j.N) }

// read gives the pointer.
func (j *Job) read(ctx context.Context) (p pointer, err error) {
	var body []byte
	err = j.retry(ctx, func(ctx context.Context) (err error) {
		body, p.token, err = j.Markers.Read(ctx, j.key())
		return err
	})
	switch {
	case err != nil && store.Classify(err) == contract.Absent:
		return pointer{Version: 1, Next: j.N - 1}, nil
	case err != nil:
		return p, err
	}
	if err := json.Unmarshal(body, &p); err != nil || p.Next < 0 || p.Next >= j.N {
		return p, &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf("%s is no document of nth's", j.Markers.Show(j.key())), Hint: "delete it"}
	}
	return p, nil
}

// name writes the pointer, if it still is the version that was read, and gives what is
// there then.
func (j *Job) name(ctx context.Context, p pointer) (pointer, error) {
	p.RunID = j.Mine.RunID
	body, err := json.Marshal(p)
	if err != nil {
		return p, err
	}
	err = j.retry(ctx, func(ctx context.Context) error {
		_, err := j.Markers.Swap(ctx, j.key(), body, p.token)
		return err
	})
	if err != nil && store.Classify(err) != contract.Exists {
		return p, err
	}
	p, err = j.read(ctx) // also for its version; or another's, or our own whose answer was lost
	if err == nil && p.token == "" {
		err = &contract.Error{Kind: contract.Unsupported, Cause: errors.New("this store can't replace a blob on condition")}
	}
	return p, err
}

// done asks for one marker.
func (j *Job) done(ctx context.Context, index int64) (done bool, err error) {
	return done, j.retry(ctx, func(ctx context.Context) (err error) {
		done, err = j.Markers.Exists(ctx, marker.Key("done", index))
		return err
	})
}

func (j *Job) retry(ctx context.Context, call func(context.Context) error) error {
	return store.Retry(ctx, j.Policy, call, nil)
}

// Document is what is written, once.
type Document struct {
	Version     int       `json:"version"` // of this document: 1
	Nth         string    `json:"nth"`
	Job         string    `json:"job"`
	JobUID      string    `json:"job_uid"`
	Markers     string    `json:"markers"` // their URL, without credentials
	Completions int64     `json:"completions"`
	Done        int64     `json:"done"`
	Skipped     int64     `json:"skipped"`
	Failed      int64     `json:"failed"`                   // and endured, by --max-failed of nth wait
	FailedList  string    `json:"failed_indexes,omitempty"` // 3,7-9
	Digest      string    `json:"digest"`                   // of all markers' keys and versions
	First       time.Time `json:"first_marker"`             // by the store's dates
	Last        time.Time `json:"last_marker"`
	Written     time.Time `json:"written"`
	RunID       string    `json:"run_id"` // who has written it
}

// Write creates the document, if there is none, of what was listed; what is missing has
// failed.
func (j *Job) Write(ctx context.Context, found Found, failed identity.List) (wrote bool, err error) {
	d := j.Mine
	d.Version, d.Markers, d.Completions = 1, j.Markers.Show(""), j.N
	d.Skipped, d.Failed, d.FailedList = found.Skipped, failed.Len(), failed.String()
	d.Done = j.N - found.Missing.Len() - d.Skipped
	d.Digest, d.First, d.Last, d.Written = found.Digest, found.First.UTC(), found.Last.UTC(), time.Now().UTC()
	body, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return false, err
	}
	tries := 0
	err = j.retry(ctx, func(ctx context.Context) error {
		tries++
		return j.At.Create(ctx, j.Key, slices.Concat(body, []byte("\n")))
	})
	if err == nil || store.Classify(err) != contract.Exists {
		return err == nil, err
	}
	if tries == 1 {
		return false, nil
	}
	there, _ := j.Read(ctx) // perhaps our own, whose answer was lost
	return there != nil && there.RunID == d.RunID, nil
}

// Read gives the document; nil: there is none yet.
func (j *Job) Read(ctx context.Context) (d *Document, err error) {
	var body []byte
	err = j.retry(ctx, func(ctx context.Context) (err error) {
		body, _, err = j.At.Read(ctx, j.Key)
		return err
	})
	switch {
	case err != nil && store.Classify(err) == contract.Absent:
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(body, &d); err != nil || d == nil || d.Version < 1 || d.Completions < 1 {
		return nil, &contract.Error{Kind: contract.Malformed, Cause: errors.New("it is not the document that nth run --success writes"), Hint: "name that one"}
	}
	return d, nil
}
