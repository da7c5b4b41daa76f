package objects

import (
	"strings"

	"nth/shim/failure"
)

// Matching is what a URL of many objects names, for who wants them as they are now, and no
// list of items. The zero value is all objects of a store.
type Matching struct{ place place }

// Match reads a URL for which Is is true, and which holds no template any more. An error is
// a failure with exit code 64, on the flag that said the URL.
func Match(raw, flag string) (Matching, error) {
	p, err := parse(raw)
	if err != nil {
		f := *failure.From(err)
		f.Tried, f.On = "read the URL of", flag
		return Matching{}, &f
	}
	return Matching{p}, nil
}

// Store is the URL of the directory below which the objects are.
func (m Matching) Store() string { return m.place.store() }

// Prefix is what the keys of all begin with, below that directory.
func (m Matching) Prefix() string { return m.place.prefix }

// Has tells whether an object of this key is one of them.
func (m Matching) Has(key string) bool {
	return !IsPlaceholder(key) && (m.place.glob == nil || m.place.glob.match(key))
}

// IsPlaceholder tells whether an object only stands for a directory: it was made by hand, or
// by Hadoop.
func IsPlaceholder(key string) bool {
	return strings.HasSuffix(key, "/") || strings.HasSuffix(key, "_$folder$") || key == ""
}
