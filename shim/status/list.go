package status

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gocloud.dev/blob"

	"nth/shim/failure"
	"nth/shim/store"
)

// pageSize is how many keys a page has at most, as every store gives them.
const pageSize = 1000

// entry is one blob of a listing. Where only the directories of blobs matter, it is
// such a directory, with a slash at its end and without a date.
type entry struct {
	key string
	at  time.Time
}

// lister lists several prefixes at once. A listing comes page by page, each of which
// tells where the next begins; so as soon as a hand has nothing to do, a listing that
// goes on is shared out by the next character of its keys.
type lister struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	s      *store.Store
	policy store.Policy
	dirs   bool // prefixes are directories, of which each listing reads all

	slots    chan struct{}
	parts    sync.WaitGroup
	live     atomic.Int64 // parts that are not finished
	requests atomic.Int64
	seen     *atomic.Int64 // is told how many keys there were so far; it may be nil
}

func newLister(ctx context.Context, s *store.Store, p store.Policy) *lister {
	l := &lister{s: s, policy: p, slots: make(chan struct{}, store.Hands), dirs: strings.HasPrefix(s.Show(""), "file:")}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	return l
}

// beside is a lister of its own, for what something else waits for, in the same slots.
func (l *lister) beside() *lister {
	b := newLister(l.ctx, l.s, l.policy)
	b.slots, b.seen = l.slots, l.seen
	return b
}

// digits and hex are what may follow the prefix in a key of nth's, in the order of
// a listing.
const (
	digits = "0123456789"
	hex    = "0123456789abcdef"
)

// listing is what is listed.
type listing struct {
	follows   string // what may follow the prefix: there it may be shared out
	delimiter string
	visit     func([]entry) // perhaps several at the same time
}

// list begins to visit the keys under a prefix.
func (l *lister) list(prefix string, of listing) {
	l.live.Add(1)
	l.parts.Go(func() {
		defer l.live.Add(-1)
		l.slots <- struct{}{}
		defer func() { <-l.slots }()
		if err := l.walk(prefix, of); err != nil {
			l.cancel(err)
		}
	})
}

// wait waits for everything that was begun.
func (l *lister) wait() error {
	l.parts.Wait()
	return context.Cause(l.ctx)
}

// walk goes through one listing, and keeps the keys that begin with within: the
// others are somebody else's since it was shared out.
func (l *lister) walk(prefix string, of listing) error {
	within := prefix
	for token := blob.FirstPageToken; ; {
		page, next, err := l.page(prefix, of.delimiter, token)
		if err != nil {
			return err
		}
		mine := page
		if end := slices.IndexFunc(page, func(e entry) bool { return !strings.HasPrefix(e.key, within) }); end >= 0 {
			mine = page[:end]
		}
		of.visit(mine)
		if l.seen != nil {
			l.seen.Add(int64(len(mine)))
		}
		if len(next) == 0 || len(mine) < len(page) {
			return nil
		}
		if token = next; len(page) == 0 {
			continue
		}
		rest := page[len(page)-1].key[len(within):]
		if l.dirs || l.live.Load() >= store.Hands || rest == "" || !strings.Contains(of.follows, rest[:1]) {
			continue
		}
		for _, c := range []byte(of.follows) {
			if c > rest[0] {
				l.list(within+string(c), of)
			}
		}
		within += rest[:1]
	}
}

// page asks for one page.
func (l *lister) page(prefix, delimiter string, token []byte) (page []entry, next []byte, err error) {
	o := &blob.ListOptions{Prefix: prefix, Delimiter: delimiter}
	err = store.Retry(l.ctx, l.policy, func(ctx context.Context) (err error) {
		l.requests.Add(1)
		objects, more, err := l.s.Bucket().ListPage(ctx, token, pageSize, o)
		page, next = make([]entry, len(objects)), more
		for i, o := range objects {
			page[i] = entry{o.Key, o.ModTime}
		}
		return err
	}, nil)
	return page, next, fail(err, "list", l.s.Show(prefix))
}

// fail gives a store's error as a failure; what is one already, such as the cause of
// a context, stays.
func fail(err error, tried, on string) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	return store.Fail(err, failure.TheJob, tried, on)
}
