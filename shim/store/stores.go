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

	mu   sync.Mutex
	held map[string]web.Bucket // by what of a URL they share
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.held {
		_ = b.Close()
	}
	s.held = nil
}

func (s *Stores) bucket(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	parse := web.For(u.Scheme)
	if parse == nil { // there is nothing to share
		return blob.DefaultURLMux().OpenBucketURL(ctx, u)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := (&url.URL{Scheme: u.Scheme, Host: u.Host, RawQuery: u.Query().Encode()}).String()
	held := s.held[key]
	if held == nil {
		var err error
		if held, err = parse(u, os.Getenv); err != nil {
			return nil, err
		}
		if s.held == nil {
			s.held = map[string]web.Bucket{}
		}
		s.held[key] = held
	}
	return blob.NewBucket(held.At(web.Prefix(u))), nil
}
