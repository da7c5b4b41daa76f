// Package gcs keeps blobs in a bucket of Google Cloud Storage: gs://bucket/prefix.
// The requests are nth's own, to the JSON API, and to the XML API for reading, whose
// errors tell a missing object from a missing bucket. Google's client would be more
// than all of nth, and reads both of them, and 403 as well, as absence.
package gcs

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

func init() { blob.DefaultURLMux().RegisterBucket("gs", opener{}) }

type opener struct{}

// OpenBucketURL opens gs://bucket/prefix. No request is made, and no credentials are
// looked up, before the first blob is asked for.
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
	emulated     bool        // by a server of the user's own: no credentials
	header       http.Header // of every request (user_project)

	client *http.Client
	token  *web.Renewed[string] // nil: anonymous
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

// object is what the API says of one (Cloud Storage JSON API, "Objects"). Numbers
// of 64 bits are strings there.
type object struct {
	Kind               string            `json:"kind,omitempty"`
	Name               string            `json:"name,omitempty"`
	Generation         string            `json:"generation,omitempty"`
	Size               string            `json:"size,omitempty"`
	Updated            time.Time         `json:"updated,omitzero"`
	TimeCreated        time.Time         `json:"timeCreated,omitzero"`
	ETag               string            `json:"etag,omitempty"`
	MD5                []byte            `json:"md5Hash,omitempty"`
	ContentType        string            `json:"contentType,omitempty"`
	CacheControl       string            `json:"cacheControl,omitempty"`
	ContentDisposition string            `json:"contentDisposition,omitempty"`
	ContentEncoding    string            `json:"contentEncoding,omitempty"`
	ContentLanguage    string            `json:"contentLanguage,omitempty"`
	Metadata           map[string]string `json:"metadata,omitempty"`
}
