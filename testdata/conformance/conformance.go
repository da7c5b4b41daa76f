// Package conformance runs gocloud's suite over a driver.
package conformance

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/drivertest"
	"gocloud.dev/gcerrors"
)

// Opener opens a bucket of a server that the test has started.
type Opener func(name string) (driver.Bucket, error)

// Bucket is the one that exists.
const Bucket = "data"

type harness struct{ open Opener }

func (h harness) MakeDriver(context.Context) (driver.Bucket, error) { return h.open(Bucket) }

func (h harness) MakeDriverForNonexistentBucket(context.Context) (driver.Bucket, error) {
	return h.open("no-such-bucket")
}

func (h harness) HTTPClient() *http.Client         { return nil }
func (h harness) SupportsCopy() bool               { return true }
func (h harness) SupportsNonSlashDelimiters() bool { return true }
func (h harness) Close()                           {}

// Run runs the suite. What it asks for and is not so, by its test's name or the end
// of its path, is skipped with the reason.
func Run(t *testing.T, open Opener, lacks ...map[string]string) {
	from := t.Name() + "/"
	drivertest.RunConformanceTests(t, func(_ context.Context, t *testing.T) (drivertest.Harness, error) {
		name := strings.TrimPrefix(t.Name(), from)
		for _, part := range append(strings.Split(name, "/"), name) {
			for _, why := range lacks {
				if why[part] != "" {
					t.Skip(why[part])
				}
			}
		}
		return harness{open}, nil
	}, nil)
}

// EmptyKey: a blob without a name is an error before anything is sent, for the request
// would be about the bucket.
func EmptyKey(t *testing.T, open Opener) {
	d, err := open(Bucket)
	if err != nil {
		t.Fatal(err)
	}
	b := blob.NewBucket(d)
	defer b.Close()
	if err := b.Delete(t.Context(), ""); gcerrors.Code(err) != gcerrors.Unimplemented {
		t.Errorf("delete: %v", err)
	}
	if err := b.Upload(t.Context(), "", strings.NewReader(""), &blob.WriterOptions{ContentType: "a/b"}); gcerrors.Code(err) != gcerrors.Unimplemented {
		t.Errorf("upload: %v", err)
	}
	if ok, err := b.IsAccessible(t.Context()); !ok || err != nil {
		t.Errorf("the bucket is gone: %v, %v", ok, err)
	}
}
