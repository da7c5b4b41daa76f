// Package s3 keeps blobs in a bucket of Amazon S3 or of any server that speaks
// its protocol: s3://bucket/prefix?region=…. The requests are nth's own, signed by
// the AWS SDK's signer: the SDK's client alone would be larger than all of nth.
package s3

import (
	"net/http"
	"net/url"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"nth/shim/aws"
	"nth/shim/store/web"
)

func init() { web.Register("s3", parse) }

type bucket struct {
	web.Driver
	name, prefix string
	endpoint     *url.URL
	region       string
	pathStyle    bool
	header       http.Header // of every request (request_payer)
	put          http.Header // of every write (server-side encryption)
	copyWhole    int64       // what is copied with one request, in bytes
	copyPart     int64       // a part of what is larger

	signer   *v4.Signer
	identity *aws.Identity // nil: anonymous
}

// At gives the driver for another prefix.
func (b *bucket) At(prefix string) web.Bucket {
	c := *b
	c.prefix, c.Shared = prefix, true
	return &c
}
