package web

import (
	"context"
	"net/http"
	"net/url"
	"os"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/store/contract"
)

// Register makes a store known by its URLs' scheme. Its parse reads the URL and the
// environment; it makes no request, and looks for no identity, before the first
// blob is asked for.
func Register[B driver.Bucket](scheme string, parse func(u *url.URL, getenv func(string) string) (B, error)) {
	blob.DefaultURLMux().RegisterBucket(scheme, opener[B](parse))
}

type opener[B driver.Bucket] func(*url.URL, func(string) string) (B, error)

// OpenBucketURL opens the bucket of a URL.
func (parse opener[B]) OpenBucketURL(_ context.Context, u *url.URL) (*blob.Bucket, error) {
	b, err := parse(u, os.Getenv)
	if err != nil {
		return nil, err
	}
	return blob.NewBucket(b), nil
}

// Driver is the part of a driver.Bucket that is the same for all stores.
type Driver struct {
	Client *http.Client
	OnIdle func() // what else to do then; may be nil
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

// Close closes them too.
func (d *Driver) Close() error {
	d.Client.CloseIdleConnections()
	return nil
}

// SignedURL makes none.
func (d *Driver) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", contract.HasNo("signed URLs")
}
