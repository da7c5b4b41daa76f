package repair_test

import (
	"bytes"
	"fmt"
	"io"
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
	"nth/shim/repair"
	"nth/testdata/servers"
)

// lot is so many indexes with all that a reset deletes, but for shards' documents, which few
// have.
const lot = 30

func documents(server *servers.S3, t *testing.T, prefix string) {
	for i := range lot {
		for _, dir := range []string{"started", "commit", "failed", "done"} {
			server.Put(t, "data", fmt.Sprintf("%s/%s/%d.json", prefix, dir, i), []byte("{}"))
		}
	}
	server.Put(t, "data", prefix+"/progress/3/a.json", []byte("{}"))
	server.Put(t, "data", prefix+"/progress/3/b.json", []byte("{}"))
	server.Put(t, "data", prefix+"/share/4/d/0.json", []byte("{}"))
}

// counted is a proxy that counts requests by their methods, and does of the n-th of a method,
// from 1, what it is told.
func counted(t *testing.T, server *servers.S3, decide func(n int, r *http.Request) servers.Action) (fault *servers.Fault, count map[string]int) {
	var mu sync.Mutex
	count = map[string]int{}
	return servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		mu.Lock()
		defer mu.Unlock()
		what := r.Method
		if r.URL.Query().Has("list-type") {
			what = "LIST"
		}
		count[what]++
		return decide(count[what], r)
	}), count
}

// TestLots: many items are deleted with one request a kind, whatever the server makes of
// it; where it knows no such request, with one for each document.
func TestLots(t *testing.T) {
	server := s3Server(t)
	all := map[string]int{"POST": 6} // progress, share, started, commit, failed, done
	one := map[string]int{"POST": 1, "DELETE": 4*lot + 3}
	for _, tt := range []struct {
		name   string
		action func(n int, r *http.Request) servers.Action
		count  map[string]int
	}{
		{"well", func(int, *http.Request) servers.Action { return nil }, all},
		{"not implemented", func(_ int, r *http.Request) servers.Action {
			if r.Method == http.MethodPost {
				return servers.S3Error(501, "NotImplemented")
			}
			return nil
		}, one},
		{"refused", func(_ int, r *http.Request) servers.Action {
			if r.Method == http.MethodPost {
				return servers.S3Error(403, "AccessDenied")
			}
			return nil
		}, one},
		{"not now", func(n int, r *http.Request) servers.Action {
			if r.Method == http.MethodPost && n == 2 {
				return servers.S3Error(503, "SlowDown")
			}
			return nil
		}, map[string]int{"POST": 7}},
		{"a lost answer", func(n int, r *http.Request) servers.Action {
			if r.Method == http.MethodPost && n == 6 {
				return servers.LoseReply
			}
			return nil
		}, map[string]int{"POST": 7}},
	} {
		prefix := strings.ReplaceAll(tt.name, " ", "-")
		documents(server, t, prefix)
		fault, count := counted(t, server, tt.action)
		o := run(t, repair.Config{All: true, Yes: true, Store: config.Store{Markers: "s3://data/" + prefix + "?use_path_style=true&endpoint=" + fault.URL, StoreWait: time.Hour}})
		delete(count, "LIST")
		want := "deleted 30 markers: 0-29\ndeleted 30 failure records: 0-29\ndeleted 30 commits of outputs: 0-29\ndeleted 30 records of starts: 0-29\n" +
			"deleted 1 shard's claims of items: 4\ndeleted 1 shard's checkpoint: 3\n"
		if diff := cmp.Diff(tt.count, count); diff != "" || o.code != 0 || o.stdout != want || o.stderr != "" {
			t.Errorf("%s: %+v, requests %s", tt.name, o, diff)
		}
		if left := keys(t, server.URL("data", prefix)); len(left) > 0 {
			t.Errorf("%s: left are %v", tt.name, left)
		}
	}
}

// TestLotsCutShort: wherever the reset of many items is cut short, each with anything left has
// its marker; what is told as deleted is, and the same command completes it.
func TestLotsCutShort(t *testing.T) {
	server := s3Server(t)
	for cut := range 6 {
		prefix := fmt.Sprintf("cut-%d", cut)
		documents(server, t, prefix)
		fault, _ := counted(t, server, func(n int, r *http.Request) servers.Action {
			switch {
			case r.Method != http.MethodPost || n <= cut:
				return nil
			case n == cut+1 && cut%2 == 1:
				return servers.LoseReply // and then the server is away
			}
			return servers.Reset
		})
		there := server.URL("data", prefix)
		o := run(t, repair.Config{All: true, Yes: true, Store: config.Store{Markers: "s3://data/" + prefix + "?use_path_style=true&endpoint=" + fault.URL}})
		left := keys(t, there)
		if o.code != 69 || !strings.Contains(o.stderr, "nth: reset: not reset: ") {
			t.Fatalf("cut after %d: %+v", cut, o)
		}
		named := indexes(t, o.stderr, "nth: reset: not reset")
		for i := range lot {
			of := slices.DeleteFunc(slices.Clone(left), func(key string) bool {
				return !strings.HasSuffix(key, fmt.Sprintf("/%d.json", i)) && !strings.Contains(key, fmt.Sprintf("/%d/", i))
			})
			if marked := slices.Contains(of, fmt.Sprintf("done/%d.json", i)); marked != (len(of) > 0) || !named.Contains(int64(i)) {
				t.Errorf("cut after %d: of %d are left %v; not reset are %s", cut, i, of, named)
			}
		}
		if strings.Contains(o.stdout, "markers") {
			t.Errorf("cut after %d: %+v", cut, o)
		}
		if o := run(t, repair.Config{All: true, Yes: true, Store: config.Store{Markers: there}}); o.code != 0 || len(keys(t, there)) > 0 {
			t.Errorf("cut after %d, the second time: %+v, left %v", cut, o, keys(t, there))
		}
	}
}

// TestLotsInterrupted: a signal ends a reset of many items; those that were being deleted
// count as not reset.
func TestLotsInterrupted(t *testing.T) {
	server := s3Server(t)
	documents(server, t, "p")
	fault, _ := counted(t, server, func(n int, r *http.Request) servers.Action {
		if r.Method != http.MethodPost || n < 6 {
			return nil
		}
		return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
			servers.Stall(f, w, r)
		}
	})
	o := run(t, repair.Config{All: true, Yes: true, Store: config.Store{Markers: "s3://data/p?use_path_style=true&endpoint=" + fault.URL}})
	if o.code != 130 || !strings.HasPrefix(o.stdout, "deleted 30 failure records: 0-29\n") || !strings.Contains(o.stderr, "not reset: 0-29\n") {
		t.Errorf("%+v", o)
	}
	if left := keys(t, server.URL("data", "p")); len(left) != lot || !strings.HasPrefix(left[0], "done/") {
		t.Errorf("%v are left", left)
	}
}

// TestClaimedLots: who has a claim is asked for one by one, and is refused while it lives.
func TestClaimedLots(t *testing.T) {
	server := s3Server(t)
	documents(server, t, "p")
	server.Put(t, "data", "p/claim/3.json", []byte(`{"ttl": "1h"}`))
	server.Put(t, "data", "p/claim/5.json", []byte(`{"ttl": "1h", "released": true}`))
	fault, count := counted(t, server, func(_ int, r *http.Request) servers.Action {
		if r.Method != http.MethodPost {
			return nil
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		for _, of := range []string{"/3.json<", "/3/", "/5.json<"} {
			if bytes.Contains(body, []byte(of)) {
				t.Errorf("%s is deleted with others: %s", of, body)
			}
		}
		return nil
	})
	o := run(t, repair.Config{All: true, Yes: true, Store: config.Store{Markers: "s3://data/p?use_path_style=true&endpoint=" + fault.URL}})
	left := keys(t, server.URL("data", "p"))
	if diff := cmp.Diff([]string{"claim/3.json", "claim/5.json", "commit/3.json", "done/3.json", "failed/3.json", "progress/3/a.json", "progress/3/b.json", "started/3.json"}, left); diff != "" || o.code != 1 {
		t.Errorf("%+v %s", o, diff)
	}
	if count["POST"] != 5 || count["DELETE"] != 5 { // four of index 5, and the clock
		t.Errorf("requests: %v", count)
	}
}
