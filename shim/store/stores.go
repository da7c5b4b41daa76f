package store

import (
	"context"
	"net/url"
	"os"
	"sync"

	"gocloud.dev/blob"

	"nth/shim/store/web"
)

// Stores opens stores. Those of one scheme, host and parameters share their connections,
// the identity that they ask with and the authorities that they trust, whatever their
// prefixes are: each of these costs requests and memory. The zero value is ready, and may
// be used from several goroutines.
type Stores struct {
	Hide func(string) string // takes secrets out of what is shown; nil: there are none
	Made func(url string)    // is told of a directory that was made; may be nil

	once sync.Once
	of   *held
}

// held are the connections that there are.
type held struct {
	mu      sync.Mutex
	buckets map[string]web.Bucket // by what of a URL they share
}

// Shared gives stores that have the same connections, and secrets of their own.
func (s *Stores) Shared(hide func(string) string) *Stores {
	return &Stores{Hide: hide, of: s.connections()}
}

func (s *Stores) connections() *held {
	s.once.Do(func() {
		if s.of == nil {
			s.of = &held{buckets: map[string]web.Bucket{}}
		}
	})
	return s.of
}

// Open is the package's Open. To close one store closes it for nobody else.
func (s *Stores) Open(ctx context.Context, rawURL string) (*Store, error) {
	return s.hidden(open(ctx, rawURL, s.bucket))
}

// OpenObject is the package's OpenObject.
func (s *Stores) OpenObject(ctx context.Context, rawURL string) (*Store, string, error) {
	o, key, err := openObject(ctx, rawURL, s.bucket)
	o, err = s.hidden(o, err)
	return o, key, err
}

func (s *Stores) hidden(o *Store, err error) (*Store, error) {
	if o != nil {
		o.hide = s.Hide
		if s.Made != nil {
			o.OnMade(func() { s.Made(o.Show("")) })
		}
	}
	return o, err
}

// Close gives all connections back. A store that is still used makes new ones.
func (s *Stores) Close() {
	h := s.connections()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, b := range h.buckets {
		_ = b.Close()
	}
	clear(h.buckets)
}

func (s *Stores) bucket(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	parse := web.For(u.Scheme)
	if parse == nil { // there is nothing to share
		return blob.DefaultURLMux().OpenBucketURL(ctx, u)
	}
	h := s.connections()
	h.mu.Lock()
	defer h.mu.Unlock()
	key := (&url.URL{Scheme: u.Scheme, Host: u.Host, RawQuery: u.Query().Encode()}).String()
	bucket := h.buckets[key]
	if bucket == nil {
		var err error
		if bucket, err = parse(u, os.Getenv); err != nil {
			return nil, err
		}
		h.buckets[key] = bucket
	}
	return blob.NewBucket(bucket.At(web.Prefix(u))), nil
}
