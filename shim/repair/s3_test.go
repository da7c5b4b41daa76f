package repair_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/repair"
	"nth/shim/store"
	"nth/testdata/servers"
)

// s3Server starts a server with one bucket, and sets its credentials.
func s3Server(t *testing.T) *servers.S3 {
	t.Helper()
	for _, e := range servers.S3Env() {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	server := servers.StartS3(t)
	server.Bucket(t, "data")
	return server
}

// keys lists a place in a store.
func keys(t *testing.T, url string) (all []string) {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.List(t.Context(), "", func(key string, _ int64, _ time.Time) error {
		all = append(all, key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCutShort: wherever a reset is cut short, an item with anything left has its
// marker, or its failure record, and the same command completes it.
func TestCutShort(t *testing.T) {
	server := s3Server(t)
	full := []string{"progress/7/a.json", "progress/7/b.json", "started/7.json", "commit/7.json", "skipped/7.json", "failed/7.json", "done/7.json"}
	for name, tt := range map[string]struct {
		config repair.Config
		there  []string
	}{
		"a done one":    {repair.Config{Indexes: "7"}, full},
		"all":           {repair.Config{All: true, Yes: true}, full},
		"a failed one":  {repair.Config{Failed: true}, full[:6]},
		"a missing one": {repair.Config{Missing: true}, full[:4]},
	} {
		t.Run(name, func(t *testing.T) {
			for cut := range len(tt.there) {
				prefix := fmt.Sprintf("%s-%d", strings.ReplaceAll(name, " ", "-"), cut)
				for _, key := range tt.there {
					server.Put(t, "data", prefix+"/"+key, []byte("{}"))
				}
				deleted := 0
				fault := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
					if r.Method != http.MethodDelete {
						return nil
					}
					if deleted++; deleted > cut {
						return servers.Reset
					}
					return nil
				})
				tt.config.Markers = "s3://data/" + prefix + "?use_path_style=true&endpoint=" + fault.URL
				if o := run(t, tt.config); o.code != 69 || !strings.Contains(o.stderr, "nth: reset: not reset: 7\n") {
					t.Fatalf("cut after %d: %+v", cut, o)
				}
				there := server.URL("data", prefix)
				if diff := cmp.Diff(sorted(slices.Clone(tt.there[cut:])), keys(t, there)); diff != "" {
					t.Errorf("cut after %d: %s", cut, diff)
				}
				tt.config.Markers = there
				if o := run(t, tt.config); o.code != 0 || len(keys(t, there)) > 0 {
					t.Errorf("cut after %d, the second time: %+v, left %v", cut, o, keys(t, there))
				}
			}
		})
	}
}

// TestInterrupted: a signal ends a reset in the middle; what was done stays and is
// told, and so is the rest.
func TestInterrupted(t *testing.T) {
	server := s3Server(t)
	const many = 200
	for i := range many {
		server.Put(t, "data", fmt.Sprintf("p/done/%d.json", i), []byte("{}"))
	}
	deleted := 0
	var once sync.Once
	var mu sync.Mutex
	over := false            // what comes later, the server doesn't see
	var under sync.WaitGroup // what the server is still asked for
	fault := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		if r.Method == http.MethodPost { // a server that must be asked for each
			return servers.S3Error(501, "NotImplemented")
		}
		if r.Method != http.MethodDelete {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if over {
			return servers.Reset
		}
		if deleted++; deleted <= 50 {
			under.Add(1)
			return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
				defer under.Done()
				servers.Finish(f, w, r)
			}
		}
		once.Do(func() { _ = syscall.Kill(os.Getpid(), syscall.SIGINT) })
		return servers.Stall
	})
	o := run(t, repair.Config{All: true, Yes: true, Store: config.Store{Markers: "s3://data/p?use_path_style=true&endpoint=" + fault.URL}})
	if o.code != 130 || !strings.Contains(o.err.Error(), "reset: stopped by SIGINT") {
		t.Errorf("code %d, %v", o.code, o.err)
	}
	// What was under way happens, though nobody waits for it, and counts as not done.
	mu.Lock()
	over = true
	mu.Unlock()
	under.Wait()
	left := keys(t, server.URL("data", "p"))
	told, named := indexes(t, o.stdout, "deleted "), indexes(t, o.stderr, "nth: reset: not reset")
	if len(left) < many-50 || len(left) == many || told.Len()+named.Len() != many || told.Len() == 0 {
		t.Errorf("%d are left, %d told as deleted, %d as not", len(left), told.Len(), named.Len())
	}
	for _, key := range left {
		_, item, _ := marker.ParseKey(key)
		if told.Contains(item.Index) || !named.Contains(item.Index) {
			t.Errorf("%s is there, and told as deleted", key)
		}
	}
	rest := run(t, repair.Config{Indexes: named.String(), Store: config.Store{Markers: server.URL("data", "p")}})
	if rest.code != 0 || !strings.HasPrefix(rest.stdout, fmt.Sprintf("deleted %d markers: ", len(left))) {
		t.Errorf("the rest: %+v", rest)
	}
}

// indexes reads the list behind the first line that begins so.
func indexes(t *testing.T, text, begin string) identity.List {
	t.Helper()
	_, line, _ := strings.Cut(text, begin)
	line, _, _ = strings.Cut(line, "\n")
	_, line, _ = strings.Cut(line, ": ")
	list, err := identity.ParseList(line)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return list
}

// TestThousands: 2,500 markers by hand, on a real server, with one request for each, and
// their reset with one for a thousand; and listings.
func TestThousands(t *testing.T) {
	server := s3Server(t)
	many := int64(2500)
	server.Put(t, "data", "p/done/17.json", []byte(`{"version": 1, "index": 17, "run_id": "x", "outcome": "done", "source": "run", "digest": "d"}`))
	server.Put(t, "data", "p/foreign.txt", nil)
	server.Put(t, "data", "pp/done/3.json", nil)
	var mu sync.Mutex
	count := map[string]int{}
	fault := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		mu.Lock()
		defer mu.Unlock()
		what := r.Method
		if r.URL.Query().Has("list-type") {
			what = "LIST"
		}
		count[what]++
		return nil
	})
	url := "s3://data/p?use_path_style=true&endpoint=" + fault.URL
	if o := run(t, repair.MarkConfig{Config: repair.Config{Store: config.Store{Markers: url}, Completions: &many, Indexes: "0-2499"}, Reason: "because"}); o.code != 0 ||
		o.stdout != "marked 2,499 indexes as done: 0-16,18-2499\nleft alone, for 1 index is done already: 17\n" {
		t.Errorf("%+v", o)
	}
	if n := count[http.MethodPut]; n != 2499 || count[http.MethodGet]+count[http.MethodHead] > 0 {
		t.Errorf("requests of mark: %v", count)
	}
	clear(count)
	if n := len(keys(t, server.URL("data", "p"))); n != 2501 {
		t.Errorf("%d keys", n)
	}
	if o := run(t, repair.Config{Store: config.Store{Markers: url}, All: true, Yes: true}); o.code != 0 || o.stdout != "deleted 2,500 markers: 0-2499\n" {
		t.Errorf("%+v", o)
	}
	if n := count[http.MethodPost]; n != 3 || len(count) != 2 {
		t.Errorf("requests of reset: %v", count)
	}
	if diff := cmp.Diff([]string{"foreign.txt"}, keys(t, server.URL("data", "p"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"done/3.json"}, keys(t, server.URL("data", "pp"))); diff != "" {
		t.Error(diff)
	}
}

// early is an answer whose dates are an hour back, as those of a server whose clock is.
type early struct{ http.ResponseWriter }

func (e early) WriteHeader(code int) {
	if at, err := http.ParseTime(e.Header().Get("Last-Modified")); err == nil {
		e.Header().Set("Last-Modified", at.Add(-time.Hour).Format(http.TimeFormat))
	}
	e.ResponseWriter.WriteHeader(code)
}

// TestStoreTime: claims are dated by the store, whose clock may be another than ours.
func TestStoreTime(t *testing.T) {
	server := s3Server(t)
	fault := servers.StartFault(t, server.Address, func(int, *http.Request) servers.Action {
		return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) { servers.Pass(f, early{w}, r) }
	})
	for doc, code := range map[string]int{`{"ttl": "10m"}`: 1, `{"ttl": "10m", "released": true}`: 0} {
		server.Put(t, "data", "p/done/1.json", []byte("{}"))
		server.Put(t, "data", "p/claim/1.json", []byte(doc))
		url := "s3://data/p?use_path_style=true&endpoint=" + fault.URL
		if o := run(t, repair.Config{Store: config.Store{Markers: url}, Indexes: "1"}); o.code != code || o.err != nil {
			t.Errorf("%s: %+v", doc, o)
		}
		want := []string{"claim/1.json", "done/1.json"}[:1+code]
		if diff := cmp.Diff(want, keys(t, url)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestBeaten: a run that was first keeps its marker.
func TestBeaten(t *testing.T) {
	server := s3Server(t)
	const theirs = `{"version": 1, "index": 3, "run_id": "x", "outcome": "done", "source": "run", "digest": "d"}`
	fault := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/done/3.json") {
			server.Put(t, "data", "p/done/3.json", []byte(theirs))
		}
		return nil
	})
	o := run(t, repair.MarkConfig{Config: repair.Config{Indexes: "2-3", Store: config.Store{Markers: "s3://data/p?use_path_style=true&endpoint=" + fault.URL}}, Reason: "because"})
	if o.code != 0 || o.err != nil || o.stdout != "marked 1 index as done: 2\nleft alone, for 1 index is done already: 3\n" {
		t.Errorf("%+v", o)
	}
	s, err := store.Open(t.Context(), server.URL("data", "p"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if body, _, err := s.Read(t.Context(), "done/3.json"); err != nil || string(body) != theirs {
		t.Errorf("the marker is %s, %v", body, err)
	}
}
