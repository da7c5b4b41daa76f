// Package azure keeps blobs in a container of Azure Blob Storage:
// azblob://container/prefix?storage_account=…. The requests are nth's own: of the
// official client's several megabytes, nth would use eight calls.
package azure

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

func init() { blob.DefaultURLMux().RegisterBucket("azblob", opener{}) }

type opener struct{}

// OpenBucketURL opens azblob://container/prefix. No request is made, and no identity
// is looked up, before the first blob is asked for.
func (opener) OpenBucketURL(_ context.Context, u *url.URL) (*blob.Bucket, error) {
	b, err := parse(u, os.Getenv)
	if err != nil {
		return nil, err
	}
	return blob.NewBucket(b), nil
}

type bucket struct {
	name, prefix string   // of the container, of the blobs
	endpoint     *url.URL // the account's, without a slash at the end

	// One of these says who we are; none: nobody in particular.
	key   *sharedKey
	sas   string // a query, as it was given
	token *web.Renewed[string]

	client *http.Client
	now    func() time.Time
}

func (b *bucket) ErrorCode(err error) gcerrors.ErrorCode { return contract.Code(err) }
func (b *bucket) ErrorAs(error, any) bool                { return false }

func (b *bucket) As(i any) bool {
	p, ok := i.(*contract.Idler)
	if ok {
		*p = b
	}
	return ok
}

// Idle closes connections that are not in use.
func (b *bucket) Idle() { b.client.CloseIdleConnections() }

func (b *bucket) Close() error {
	b.Idle()
	return nil
}

func (b *bucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", contract.Unsupported("signed URLs")
}
