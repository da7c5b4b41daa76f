package store

import "context"

// Stores opens stores.
type Stores struct{}

// Open is the package's Open.
func (*Stores) Open(ctx context.Context, url string) (*Store, error) { return Open(ctx, url) }

// OpenObject is the package's OpenObject.
func (*Stores) OpenObject(ctx context.Context, url string) (*Store, string, error) {
	return OpenObject(ctx, url)
}

// Close closes them all.
func (*Stores) Close() {}
