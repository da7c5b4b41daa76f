// Package s3 keeps blobs in a bucket of Amazon S3 or of any server that speaks
// its protocol: s3://bucket/prefix?region=…. The requests are nth's own, signed by
// the AWS SDK's signer: the SDK's client alone would be larger than all of nth.
package s3

import (
	"context"
	"net/http"
	"net/url"
	"os"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/aws"
	"nth/shim/store/contract"
)

func init() { blob.DefaultURLMux().RegisterBucket("s3", opener{}) }

type opener struct{}

// OpenBucketURL opens s3://bucket/prefix. No request is made, and no credentials
// are looked up, before the first blob is asked for.
func (opener) OpenBucketURL(_ context.Context, u *url.URL) (*blob.Bucket, error) {
	b, err := parse(u, os.Getenv)
	if err != nil {
		return nil, err
	}
	return blob.NewBucket(b), nil
}

type bucket struct {
	name, prefix string
	endpoint     *url.URL
	region       string
	pathStyle    bool
	header       http.Header // of every request (request_payer)
	put          http.Header // of every write (server-side encryption)

	client   *http.Client
	signer   *v4.Signer
	identity *aws.Identity // nil: anonymous
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

// Idle closes connections that are not in use, and lets no credential_process run
// beside the command.
func (b *bucket) Idle() {
	b.client.CloseIdleConnections()
	if b.identity != nil {
		b.identity.NoProcesses()
	}
}

func (b *bucket) Close() error {
	b.client.CloseIdleConnections()
	return nil
}

func (b *bucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", contract.Unsupported("signed URLs")
}
