package servers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// Markers is a bucket "markers" in which each of so many indexes has a marker, as far as
// ListObjectsV2 goes. It only makes load, in hardly any time and no space: what real servers
// answer is tested with real servers.
type Markers struct {
	*httptest.Server
	indexes  int
	requests atomic.Int64
}

// StartMarkers starts one.
func StartMarkers(t testing.TB, indexes int) *Markers {
	m := &Markers{indexes: indexes}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

// Place is --markers.
func (m *Markers) Place() string { return "s3://markers/job?use_path_style=true&endpoint=" + m.URL }

// Requests gives how many there were.
func (m *Markers) Requests() int64 { return m.requests.Load() }

// after gives the index whose key is behind another's: "1.json" is before "10.json" and
// that before "2.json". It is -1 behind the last.
func (m *Markers) after(k int) int {
	switch {
	case k > 0 && 10*k < m.indexes:
		return 10 * k
	case k == 0 && m.indexes > 1:
		return 1
	}
	for ; k > 0; k /= 10 {
		if k%10 != 9 && k+1 < m.indexes {
			return k + 1
		}
	}
	return -1
}

// ServeHTTP gives a page of 1,000.
func (m *Markers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.requests.Add(1)
	q := r.URL.Query()
	if !q.Has("list-type") {
		http.Error(w, "<Error><Code>NoSuchKey</Code></Error>", http.StatusNotFound)
		return
	}
	page := []byte(`<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>`)
	first, ours := strings.CutPrefix(q.Get("prefix"), "job/done/")
	k := -1
	if n, err := strconv.Atoi(first + "0"); ours && err == nil { // not done/tasks/
		if k = n / 10; k >= m.indexes {
			k = -1
		}
	}
	if token := q.Get("continuation-token"); token != "" {
		last, _ := strconv.Atoi(token)
		k = m.after(last)
	}
	last, keys := 0, 0
	for ; k >= 0 && strings.HasPrefix(strconv.Itoa(k), first) && keys < 1000; k = m.after(k) {
		page = fmt.Appendf(page, `<Contents><Key>job/done/%d.json</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>312</Size><StorageClass>STANDARD</StorageClass></Contents>`, k)
		last, keys = k, keys+1
	}
	if k >= 0 && strings.HasPrefix(strconv.Itoa(k), first) {
		page = fmt.Appendf(page, `<IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>`, last)
	} else {
		page = append(page, `<IsTruncated>false</IsTruncated>`...)
	}
	page = append(page, `</ListBucketResult>`...)
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = w.Write(page)
}
