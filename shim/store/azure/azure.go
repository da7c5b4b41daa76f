// Package azure keeps blobs in a container of Azure Blob Storage:
// azblob://container/prefix?storage_account=…. The requests are nth's own: of the
// official client's several megabytes, nth would use eight calls.
package azure

import (
	"net/url"
	"time"

	"nth/shim/store/web"
)

func init() { web.Register("azblob", parse) }

type bucket struct {
	web.Driver
	name, prefix string   // of the container, of the blobs
	endpoint     *url.URL // the account's, without a slash at the end

	// One of these says who we are; none: nobody in particular.
	key   *sharedKey
	sas   string // a query, as it was given
	token *web.Renewed[string]

	now func() time.Time
}

// At gives the driver for another prefix.
func (b *bucket) At(prefix string) web.Bucket {
	c := *b
	c.prefix, c.Shared = prefix, true
	return &c
}
