// Package file has no stores on Windows: what several writers agree upon there, a link that
// one of them makes and a lock that ends with its process, was made and tested for Linux.
package file

import (
	"context"
	"errors"
	"net/url"

	"gocloud.dev/blob"
)

func init() { blob.DefaultURLMux().RegisterBucket("file", opener{}) }

type opener struct{}

// OpenBucketURL refuses.
func (opener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, errors.New("directories are no stores of nth for Windows; s3://, gs:// and azblob:// are")
}
