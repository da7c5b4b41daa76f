package azure

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestStringToSign: the examples of Azure's "Authorize with Shared Key", and of what
// it says in words.
func TestStringToSign(t *testing.T) {
	empty := func(n int) string { return strings.Repeat("\n", n) }
	for _, c := range []struct {
		name, method, url, account string
		header                     map[string]string
		body, want                 string
	}{
		{"Get Container Metadata, the article's own", "GET", "https://myaccount.blob.core.windows.net/mycontainer?comp=metadata&restype=container&timeout=20", "myaccount",
			map[string]string{"x-ms-date": "Fri, 26 Jun 2015 23:39:12 GMT", "x-ms-version": "2015-02-21"}, "",
			"GET" + empty(12) + "x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"},
		{"List Blobs, several values", "GET", "https://myaccount.blob.core.windows.net/mycontainer?restype=container&comp=list&include=snapshots&include=metadata&include=uncommittedblobs", "myaccount",
			nil, "", "GET" + empty(12) + "/myaccount/mycontainer\ncomp:list\ninclude:metadata,snapshots,uncommittedblobs\nrestype:container"},
		{"a replica's address", "GET", "https://myaccount-secondary.blob.core.windows.net/mycontainer/myblob", "myaccount",
			nil, "", "GET" + empty(12) + "/myaccount/mycontainer/myblob"},
		{"the emulator's, twice with the account", "GET", "http://127.0.0.1:10000/myaccount/mycontainer/myblob", "myaccount",
			nil, "", "GET" + empty(12) + "/myaccount/myaccount/mycontainer/myblob"},
		{"the account itself", "GET", "https://myaccount.blob.core.windows.net", "myaccount", nil, "", "GET" + empty(12) + "/myaccount/"},
		{"each header in its place", "PUT", "https://a.blob.core.windows.net/c/a%20b%2B%25?blockid=QUE%3D&COMP=block", "a",
			map[string]string{"Content-Encoding": "e", "Content-Language": "l", "Content-MD5": "m", "Content-Type": "t", "Date": "d", "If-Modified-Since": "s",
				"If-Match": `"1"`, "If-None-Match": "*", "If-Unmodified-Since": "u", "Range": "bytes=0-1", "Accept": "x"}, "123",
			"PUT\ne\nl\n3\nm\nt\nd\ns\n\"1\"\n*\nu\nbytes=0-1\n/a/c/a%20b%2B%25\ncomp:block\nblockid:QUE="},
		{"Azure's own headers, in its order", "PUT", "https://a.blob.core.windows.net/c/b", "a",
			map[string]string{"x-ms-meta-m1": "v1", "x-ms-meta-m_1": "v2", "X-Ms-Meta-M": " v3 ", "x-ms-blob-type": "BlockBlob", "x-ms-blob-content-type": "a/b", "x-ms-date": "d"}, "",
			"PUT" + empty(12) + "x-ms-blob-content-type:a/b\nx-ms-blob-type:BlockBlob\nx-ms-date:d\nx-ms-meta-m:v3\nx-ms-meta-m_1:v2\nx-ms-meta-m1:v1\n/a/c/b"},
	} {
		req, err := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range c.header {
			req.Header.Set(name, value)
		}
		if diff := cmp.Diff(c.want, stringToSign(req, c.account)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestSignature: HMAC-SHA256 of the article's example, with the emulator's key, as
// openssl calculates it.
func TestSignature(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString(emulatorKey)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("GET", "https://myaccount.blob.core.windows.net/mycontainer?comp=metadata&restype=container&timeout=20", nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bucket{key: &sharedKey{"myaccount", key}, now: func() time.Time { return time.Date(2015, 6, 27, 1, 39, 12, 0, time.FixedZone("CEST", 7200)) }}
	req.Header.Set("X-Ms-Version", "2015-02-21")
	if err := b.authorize(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if got := req.Header.Get("Authorization"); got != "SharedKey myaccount:1u9lui2jDxj0+fpbHjQ5m5NnastJRSYM+PSmfi8TXx4=" {
		t.Error(got)
	}
}

// TestSignatureOfSDK: a request as Azure's SDK for Go (azblob 1.8.0) sent and signed it.
func TestSignatureOfSDK(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString(someKey)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("PUT", "https://acct.blob.core.windows.net/data/p%2Fa%20b+%25%2F%C3%A9%23%3F.json", strings.NewReader("abc"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/octet-stream", "If-None-Match": "*", "X-Ms-Date": "Wed, 25 Nov 2026 03:27:30 GMT",
		"x-ms-blob-type": "BlockBlob", "x-ms-meta-A": "x y", "x-ms-meta-a1": "3", "x-ms-meta-a_b": "1", "x-ms-meta-ab": "2", "x-ms-version": "2026-06-06"} {
		req.Header.Set(name, value)
	}
	k := &sharedKey{"acct", key}
	if got := k.authorization(req); got != "SharedKey acct:OelfPy5j2JVu5Mm7ni7/KX8NdK95/M7eZAWyNsZKQGE=" {
		t.Error(got)
	}
}
