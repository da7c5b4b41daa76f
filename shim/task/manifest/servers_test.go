package manifest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// s3 starts a server with a bucket, and a proxy before it that does what decide says,
// and notes each request with the key and the range that it names.
type s3 struct {
	*servers.S3
	t        *testing.T
	proxy    *servers.Fault
	decide   func(r *http.Request) servers.Action
	requests []string
	ranges   []string
}

func startS3(t *testing.T) *s3 {
	t.Helper()
	setenv(t, servers.S3Env())
	s := &s3{S3: servers.StartS3(t), t: t}
	s.Bucket(t, "data")
	s.proxy = servers.StartFault(t, s.Address, func(_ int, r *http.Request) servers.Action {
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		if s.decide != nil {
			return s.decide(r)
		}
		return nil
	})
	return s
}

func setenv(t *testing.T, env []string) {
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}

func (s *s3) url(prefix string) string {
	return "s3://data/" + prefix + "?use_path_style=true&endpoint=" + s.proxy.URL
}

func (s *s3) markers() *store.Store {
	m, err := store.Open(s.t.Context(), s.url("markers"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { m.Close() })
	return m
}

// asked gives what was requested since it was called last, an index without its
// version, which hangs on the content and the proxy's address.
func (s *s3) asked() []string {
	all := s.requests
	s.requests, s.ranges = nil, nil
	for i := range all {
		if before, _, ok := strings.Cut(all[i], "/manifest/"); ok {
			all[i] = before + "/manifest"
		}
	}
	return all
}

// TestRequests: an index costs whoever comes later one read of it, and a row one range.
func TestRequests(t *testing.T) {
	const manifest, index = " /data/in/", " /data/markers/manifest"
	text := body(manyRows)
	for name, form := range map[string]func(string) string{"a.csv": forms["a.csv"], "many.csv.gz": forms["many.csv.gz"]} {
		t.Run(name, func(t *testing.T) {
			s := startS3(t)
			s.Put(t, "data", "in/"+name, []byte(form(text)))
			file := manifest + name
			ask := func(what string, want []string, do func()) {
				t.Helper()
				s.asked()
				do()
				if diff := cmp.Diff(want, s.asked()); diff != "" {
					t.Errorf("%s: %s", what, diff)
				}
			}
			first, _ := opened(t, s.url("in/"+name), s.markers())
			second, _ := opened(t, s.url("in/"+name), s.markers())
			third, _ := opened(t, s.url("in/"+name), s.markers())
			ask("the first", []string{"HEAD" + file, "GET" + index, "GET" + file, "HEAD" + file, "PUT" + index},
				func() { checkRows(t, first, 5000) })
			ask("the second", []string{"HEAD" + file, "GET" + index, "GET" + file}, func() { checkRows(t, second, 6000) })
			ask("its next row", []string{"GET" + file}, func() { checkRows(t, second, 12_344) })
			ask("many rows", []string{"HEAD" + file, "GET" + index, "GET" + file}, func() { checkRange(t, third, 1500, 11_500) })
			ask("their number", []string{"GET" + file}, func() {
				if n, err := third.Len(t.Context()); n != manyRows || err != nil {
					t.Error(n, err)
				}
			})
			ask("none", nil, func() { checkRange(t, third, 7, 7) })
		})
	}
}

// TestRange: of a file a row costs its block.
func TestRange(t *testing.T) {
	s := startS3(t)
	text := body(manyRows)
	s.Put(t, "data", "a.csv", []byte(text))
	m, _ := opened(t, s.url("a.csv"), nil)
	if _, err := m.Len(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.asked()
	checkRows(t, m, 5500)
	start, end := strings.Index(text, "\n5000,")+1, strings.Index(text, "\n6000,")
	if diff := cmp.Diff([]string{fmt.Sprintf("bytes=%d-%d", start, end)}, s.ranges); diff != "" {
		t.Error(diff)
	}
}

// TestSmall: of a small file there is no index.
func TestSmall(t *testing.T) {
	s := startS3(t)
	s.Put(t, "data", "a.csv", []byte(body(5)))
	m, _ := opened(t, s.url("a.csv"), s.markers())
	checkRows(t, m, 3)
	if diff := cmp.Diff([]string{"HEAD /data/a.csv", "GET /data/a.csv"}, s.asked()); diff != "" {
		t.Error(diff)
	}
}

// TestTransfer: what breaks on the way is the store's fault, not the manifest's.
func TestTransfer(t *testing.T) {
	for _, name := range []string{"a.csv", "many.csv.gz"} {
		s := startS3(t)
		s.Put(t, "data", name, []byte(forms[name](body(manyRows))))
		first, _ := opened(t, s.url(name), s.markers())
		indexed, _ := opened(t, s.url(name), s.markers())
		for _, m := range []*Manifest{first, indexed} {
			if _, err := m.Version(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.decide = func(r *http.Request) servers.Action {
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, name) {
					return servers.Truncate
				}
				return nil
			}
			_, err := m.Row(t.Context(), manyRows-1)
			if store.Classify(err) != contract.Unreachable {
				t.Errorf("%s, cut short: %v", name, err)
			}
			if k := keys(t, s.markers()); m == first && len(k) > 0 {
				t.Errorf("%s: an index of a part is kept: %q", name, k)
			}
			s.decide = nil
			checkRows(t, m, 7, manyRows-1)
		}
	}
}

// TestIndexRefused: an index that can't be written costs nobody a row, and one that
// can't be read is asked for again before a whole file is read in its place.
func TestIndexRefused(t *testing.T) {
	s := startS3(t)
	s.Put(t, "data", "a.csv", []byte(body(manyRows)))
	refuse := func(method string) {
		s.decide = func(r *http.Request) servers.Action {
			if r.Method == method && strings.HasSuffix(r.URL.Path, ".idx") {
				return servers.S3Error(403, "AccessDenied")
			}
			return nil
		}
	}
	refuse(http.MethodPut)
	m, warnings := opened(t, s.url("a.csv"), s.markers())
	checkRows(t, m, 7, 8)
	if len(*warnings) != 1 || !strings.Contains((*warnings)[0], "is not kept") {
		t.Errorf("%q", *warnings)
	}
	refuse(http.MethodGet)
	m, _ = opened(t, s.url("a.csv"), s.markers())
	if _, err := m.Row(t.Context(), 7); store.Classify(err) != contract.Denied {
		t.Error(err)
	}
	s.decide = nil
	checkRows(t, m, 7)
}

// TestReplacedInStore: as TestReplaced, where a part may be asked for that isn't there.
func TestReplacedInStore(t *testing.T) {
	s := startS3(t)
	s.Put(t, "data", "a.csv", []byte("x,y\n"+strings.Repeat("1,2\n", 500_000)))
	m, warnings := opened(t, s.url("a.csv"), s.markers())
	if n, err := m.Len(t.Context()); n != 500_000 || err != nil {
		t.Fatal(n, err)
	}
	for _, rows := range []int{manyRows, 3, manyRows} {
		s.Put(t, "data", "a.csv", []byte(body(rows)))
		checkRows(t, m, int64(rows)-1, 0)
	}
	s.Put(t, "data", "a.csv", []byte(body(3)))
	if _, err := m.Row(t.Context(), manyRows-1); kindOf(err) != "beyond: there is no row 12344: the file has 3, from 0" {
		t.Error(err)
	}
	if len(*warnings) > 0 {
		t.Errorf("%q", *warnings)
	}
	if k := keys(t, s.markers()); len(k) != 2 {
		t.Errorf("the store has %q, want an index of each version", k)
	}
}

// TestReplacedAgain: a manifest that never stays is told, with what to do.
func TestReplacedAgain(t *testing.T) {
	s := startS3(t)
	n := 0
	s.decide = func(r *http.Request) servers.Action {
		n++
		s.Put(t, "data", "a.csv", []byte(body(n)))
		return nil
	}
	s.Put(t, "data", "a.csv", []byte(body(1)))
	m, _ := opened(t, s.url("a.csv"), nil)
	_, err := m.Row(t.Context(), 0)
	if store.Classify(err) != contract.Unreachable || !strings.Contains(err.Error(), "replaced") || n != 2*tries {
		t.Errorf("after %d requests: %v", n, err)
	}
}

// TestOtherStores: each names its versions in a way of its own.
func TestOtherStores(t *testing.T) {
	for name, start := range map[string]func(*testing.T) string{
		"gcs": func(t *testing.T) string {
			g := servers.StartGCS(t)
			g.Bucket(t, "data")
			setenv(t, servers.GCSEnv(g.Address))
			return "gs://data/"
		},
		"azure": func(t *testing.T) string {
			a := servers.StartAzurite(t)
			setenv(t, servers.AzureEnv(a.Address))
			a.Container(t, "data")
			return "azblob://data/"
		},
		"mem": func(*testing.T) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			if name == "mem" {
				testMem(t)
				return
			}
			url := start(t)
			s, err := store.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for file, form := range forms {
				if err := s.Put(t.Context(), "in/"+file, []byte(form(body(manyRows)))); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					m, warnings := opened(t, url+"in/"+file, s)
					checkRows(t, m, 7, 12_000)
					checkRange(t, m, 990, 2010)
					checkEnd(t, m)
					if len(*warnings) > 0 {
						t.Errorf("%s: %q", file, *warnings)
					}
				}
			}
			var indexes int
			for _, k := range keys(t, s) {
				if strings.HasPrefix(k, indexFolder) {
					indexes++
				}
			}
			if indexes != len(forms) {
				t.Errorf("%d indexes of %d manifests", indexes, len(forms))
			}
		})
	}
}

// testMem: a store that names no versions has no index, and gives the rows.
func testMem(t *testing.T) {
	m, _ := opened(t, "mem:///a.csv", markers(t))
	put := func(rows int) {
		if err := m.store.Put(t.Context(), "a.csv", []byte(body(rows))); err != nil {
			t.Fatal(err)
		}
	}
	put(manyRows)
	checkRows(t, m, some...)
	checkEnd(t, m)
	checkRows(t, m, some...)
	put(3)
	checkRows(t, m, 2)
	if k := keys(t, m.index); len(k) > 0 {
		t.Errorf("%q", k)
	}
}
