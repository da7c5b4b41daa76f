// Package gcs keeps blobs in a bucket of Google Cloud Storage: gs://bucket/prefix.
// The requests are nth's own, to the JSON API, and to the XML API for reading, whose
// errors tell a missing object from a missing bucket. Google's client would be more
// than all of nth, and reads both of them, and 403 as well, as absence.
package gcs

import (
	"net/http"
	"net/url"
	"time"

	"nth/shim/store/web"
)

func init() { web.Register("gs", parse) }

type bucket struct {
	web.Driver
	name, prefix string
	endpoint     *url.URL
	emulated     bool        // by a server of the user's own: no credentials
	header       http.Header // of every request (user_project)

	token *web.Renewed[string] // nil: anonymous
}

// At gives the driver for another prefix.
func (b *bucket) At(prefix string) web.Bucket {
	c := *b
	c.prefix, c.Shared = prefix, true
	return &c
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
	CRC32C             string            `json:"crc32c,omitempty"`
	ContentType        string            `json:"contentType,omitempty"`
	CacheControl       string            `json:"cacheControl,omitempty"`
	ContentDisposition string            `json:"contentDisposition,omitempty"`
	ContentEncoding    string            `json:"contentEncoding,omitempty"`
	ContentLanguage    string            `json:"contentLanguage,omitempty"`
	Metadata           map[string]string `json:"metadata,omitempty"`
}
