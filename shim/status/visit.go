package status

import (
	"context"
	"encoding/json"
	"time"

	"nth/shim/store"
)

// Visit lists the keys under several prefixes at once, and hands them over in no order,
// from several goroutines. Behind a prefix there are indexes, or with tasks the keys of
// tasks. An error is a failure.
func Visit(ctx context.Context, s *store.Store, p store.Policy, prefixes []string, tasks bool, visit func(key string)) error {
	l := newLister(ctx, s, p)
	defer l.cancel(nil)
	of := listing{follows: digits, visit: func(page []entry) {
		for _, e := range page {
			visit(e.key)
		}
	}}
	if tasks {
		of.follows = hex
	}
	for _, prefix := range prefixes {
		l.list(prefix, of)
	}
	return l.wait()
}

// Claimed tells whether a claim's document says that its holder was alive when it had
// been written that long ago. What can't be read may be alive.
func Claimed(body []byte, age time.Duration) bool {
	var doc claim
	if err := json.Unmarshal(body, &doc); err != nil {
		return true
	}
	return !doc.Released && (doc.TTL <= 0 || age < time.Duration(doc.TTL))
}
