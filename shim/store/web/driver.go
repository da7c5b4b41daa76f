package web

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/store/contract"
)

// Bucket is the driver of a store. At gives one for another prefix of the same bucket,
// which asks over the same connections and with the same identity, and closes neither.
type Bucket interface {
	driver.Bucket
	At(prefix string) Bucket
}

// Parse gives the bucket of a URL. It reads the URL and the environment; it makes no
// request, and looks for no identity, before the first blob is asked for.
type Parse func(u *url.URL, getenv func(string) string) (Bucket, error)

// parsers are those of the stores that are asked over HTTP, by their schemes.
var parsers []parser

type parser struct {
	scheme string
	parse  Parse
}

// Register makes a store known by its URLs' scheme.
func Register[B Bucket](scheme string, parse func(u *url.URL, getenv func(string) string) (B, error)) {
	p := Parse(func(u *url.URL, getenv func(string) string) (Bucket, error) { return parse(u, getenv) })
	parsers = append(parsers, parser{scheme, p})
	blob.DefaultURLMux().RegisterBucket(scheme, p)
}

// For gives the parser of a scheme's URLs; nil: the store isn't asked over HTTP.
func For(scheme string) Parse {
	for _, p := range parsers {
		if p.scheme == scheme {
			return p.parse
		}
	}
	return nil
}

// OpenBucketURL opens the bucket of a URL.
func (parse Parse) OpenBucketURL(_ context.Context, u *url.URL) (*blob.Bucket, error) {
	b, err := parse(u, os.Getenv)
	if err != nil {
		return nil, err
	}
	return blob.NewBucket(b), nil
}

// Prefix gives what all keys of a URL's store begin with: its path as a directory.
func Prefix(u *url.URL) string {
	prefix := strings.TrimPrefix(u.Path, "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return prefix
}

// Driver is the part of a driver.Bucket that is the same for all stores.
type Driver struct {
	Client *http.Client
	OnIdle func() // what else to do then; may be nil
	Shared bool   // Close leaves the connections to others
}

// ErrorCode gives the portable layer's name of an error.
func (d *Driver) ErrorCode(err error) gcerrors.ErrorCode { return contract.Code(err) }

// ErrorAs gives nothing: errors.As finds a *contract.Error.
func (d *Driver) ErrorAs(error, any) bool { return false }

// As gives the contract.Idler.
func (d *Driver) As(i any) bool {
	p, ok := i.(*contract.Idler)
	if ok {
		*p = d
	}
	return ok
}

// Idle closes connections that are not in use.
func (d *Driver) Idle() {
	d.Client.CloseIdleConnections()
	if d.OnIdle != nil {
		d.OnIdle()
	}
}

// Close closes them too, unless they are shared.
func (d *Driver) Close() error {
	if !d.Shared {
		d.Client.CloseIdleConnections()
	}
	return nil
}

// SignedURL makes none.
func (d *Driver) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", contract.HasNo("signed URLs")
}
