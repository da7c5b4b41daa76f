package servers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Endless is a bucket with any number of objects, as far as ListObjectsV2 and HEAD go, in
// front of a real server in which everything else is. It only makes load, in no time and no
// space: what real servers answer is tested with real servers.
type Endless struct {
	*httptest.Server
	backend http.Handler
	objects int

	mu    sync.Mutex
	asked map[string]int
}

// StartEndless starts one with so many objects in the bucket "objects", before the server at an
// address.
func StartEndless(t testing.TB, address string, objects int) *Endless {
	e := &Endless{objects: objects, asked: map[string]int{}}
	backend := &url.URL{Scheme: "http", Host: address}
	e.backend = &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(backend)
		p.Out.Host = p.In.Host // signatures hold
	}}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

// Key is that of one of the objects.
func (e *Endless) Key(n int) string { return fmt.Sprintf("sample-%08d/reads.fastq.gz", n) }

// Tasks is --tasks for all objects.
func (e *Endless) Tasks() string { return "s3://objects/?use_path_style=true&endpoint=" + e.URL }

// Asked gives how many requests there were since it was asked last: of each kind, as Request
// tells it.
func (e *Endless) Asked() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	asked := e.asked
	e.asked = map[string]int{}
	return asked
}

// What a request of an index that has an object is for.
const (
	Listing = "listing" // a page of it
	Pinned  = "pinned"  // the list that the first reader pins
	Object  = "object"  // looking at the index's own
	Marker  = "marker"  // all else
)

// Request tells what a request is for.
func Request(r *http.Request) string {
	switch {
	case r.URL.Query().Has("list-type"):
		return Listing
	case strings.Contains(r.URL.Path, "/manifest/"):
		return Pinned
	case r.Method == http.MethodHead:
		return Object
	}
	return Marker
}

func (e *Endless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	is := Request(r)
	e.mu.Lock()
	e.asked[is]++
	e.mu.Unlock()
	var n int
	_, err := fmt.Sscanf(r.URL.Path, "/objects/sample-%d/reads.fastq.gz", &n)
	switch {
	case strings.TrimSuffix(r.URL.Path, "/") == "/objects" && is == Listing:
		e.list(w, r.URL.Query())
	case is == Object && err == nil && n < e.objects:
		w.Header().Set("Content-Length", strconv.Itoa(n))
		w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
		w.Header().Set("ETag", fmt.Sprintf(`"%032x"`, n))
	default:
		e.backend.ServeHTTP(w, r)
	}
}

// list gives a page of 1,000.
func (e *Endless) list(w http.ResponseWriter, q url.Values) {
	from, _ := strconv.Atoi(q.Get("continuation-token"))
	to := min(from+1000, e.objects)
	fmt.Fprint(w, `<ListBucketResult>`)
	for k := from; k < to; k++ {
		fmt.Fprintf(w, `<Contents><Key>%s</Key><Size>%d</Size><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>&quot;%032x&quot;</ETag></Contents>`, e.Key(k), k, k)
	}
	if to < e.objects {
		fmt.Fprintf(w, `<IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>`, to)
	} else {
		fmt.Fprint(w, `<IsTruncated>false</IsTruncated>`)
	}
	fmt.Fprint(w, `</ListBucketResult>`)
}
