package success

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// apart is from how many indexes on the listing is made in ten parts at the same time, one
// for each first digit.
const apart = 10_000

// Found is what a listing of all markers shows.
type Found struct {
	Missing     identity.List
	Skipped     int64
	Digest      string // of the keys and versions of all markers, by key
	First, Last time.Time
}

// listing is one that is under way.
type listing struct {
	n       int64
	mu      sync.Mutex
	done    []uint64 // a bit for each index
	digests [10][]byte
	Found
}

// List lists all markers. The error is the store's.
func (j *Job) List(ctx context.Context) (Found, error) {
	l := &listing{n: j.N, done: make([]uint64, (j.N+63)/64)}
	parts := []string{""}
	if j.N >= apart && !strings.HasPrefix(j.Markers.Show(""), "file:") { // where a directory is read whole each time
		parts = strings.Split("0123456789", "")
	}
	err := store.Each(ctx, len(parts), func(ctx context.Context, i int) error {
		return j.retry(ctx, func(ctx context.Context) error { return l.part(ctx, j.Markers, parts[i]) })
	})
	if err != nil {
		return Found{}, err
	}
	err = j.retry(ctx, func(ctx context.Context) error {
		l.Skipped = 0
		return j.Markers.ListUnder(ctx, &blob.ListOptions{Prefix: "skipped/", Delimiter: "/"}, func(o *blob.ListObject) error {
			if index, ok := l.index(o.Key); ok && l.has(index) {
				l.Skipped++
			}
			return nil
		})
	})
	all := sha256.New()
	for _, d := range l.digests {
		all.Write(d)
	}
	l.Digest = "v1:sha256:" + hex.EncodeToString(all.Sum(nil))
	l.Missing = identity.Whole(j.N).Pick(func(k int64) bool { return !l.has(k) })
	return l.Found, err
}

func (l *listing) has(index int64) bool { return l.done[index/64]&(1<<(index%64)) != 0 }

// index reads the key of one of the Job's documents.
func (l *listing) index(key string) (int64, bool) {
	_, of, ok := marker.ParseKey(key)
	return of.Index, ok && of.Task == "" && of.Index < l.n
}

// part lists the markers whose numbers begin with a digit, or all. The digest has a part
// for each first digit, so that it is the same in both ways.
func (l *listing) part(ctx context.Context, s Store, digit string) error {
	digest, first := sha256.New(), byte(0)
	close := func() {
		if first != 0 {
			l.digests[first-'0'] = digest.Sum(nil)
		}
		digest.Reset()
	}
	err := s.ListUnder(ctx, &blob.ListOptions{Prefix: "done/" + digit, Delimiter: "/"}, func(o *blob.ListObject) error {
		index, ok := l.index(o.Key)
		if !ok {
			return nil
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if digit := o.Key[len("done/")]; digit != first {
			close()
			first = digit
		}
		var version contract.Token
		if o.As(&version); version == "" {
			version = contract.Token(o.ModTime.UTC().Format(time.RFC3339Nano))
		}
		fmt.Fprintf(digest, "%d %s %d\n", index, version, o.Size)
		l.done[index/64] |= 1 << (index % 64)
		if at := o.ModTime; l.First.IsZero() || at.Before(l.First) {
			l.First = at
		}
		if at := o.ModTime; at.After(l.Last) {
			l.Last = at
		}
		return nil
	})
	close()
	return err
}
