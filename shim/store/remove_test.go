package store_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// listed gives what is there under a prefix.
func listed(t *testing.T, s *store.Store, prefix string) (keys []string) {
	t.Helper()
	must(t, "list", s.List(t.Context(), prefix, func(key string, _ int64, _ time.Time) error {
		keys = append(keys, key)
		return nil
	}))
	return keys
}

// testRemoveMany: those that are named go, and no others; one that has gone is no error.
func testRemoveMany(t *testing.T, s *store.Store) {
	keys := []string{"many/1.json", "many/10.json", `many/a&b<c>'".json`, "many/ü +%23", "many/2.json"}
	for _, key := range append(slices.Clone(keys), "many/100.json", "many2/1.json") {
		must(t, "put", s.Put(t.Context(), key, []byte("x")))
	}
	left, err := s.RemoveMany(t.Context(), store.Policy{PerCall: time.Minute}, append(keys, "many/gone.json", "none/gone.json"), nil)
	if err != nil || len(left) > 0 {
		t.Errorf("%q are left: %v", left, err)
	}
	if diff := cmp.Diff([]string{"many/100.json", "many2/1.json"}, listed(t, s, "many")); diff != "" {
		t.Error(diff)
	}
	for _, key := range []string{"many/100.json", "many2/1.json"} {
		must(t, "delete", s.Delete(t.Context(), key))
	}
}

// without gives the server's answer without what it says of a key.
func without(key string) servers.Action {
	return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		servers.Pass(f, answer, r)
		begin, end := []byte("<Deleted><Key>p/"+key+"</Key>"), []byte("</Deleted>")
		before, after, found := bytes.Cut(answer.Body.Bytes(), begin)
		if _, rest, ok := bytes.Cut(after, end); found && ok {
			w.Write(append(slices.Clone(before), rest...))
			return
		}
		w.Write(answer.Body.Bytes())
	}
}

// says answers of one key that it stays, and of the others that they are deleted.
func says(key, code string) servers.Action {
	return func(_ *servers.Fault, w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, "<DeleteResult>")
		for _, part := range strings.Split(string(body), "<Key>")[1:] {
			k, _, _ := strings.Cut(part, "</Key>")
			if k == "p/"+key {
				fmt.Fprintf(w, "<Error><Key>%s</Key><Code>%s</Code><Message>why</Message></Error>", k, code)
			} else {
				fmt.Fprintf(w, "<Deleted><Key>%s</Key></Deleted>", k)
			}
		}
		fmt.Fprint(w, "</DeleteResult>")
	}
}

// TestRemoveManyAnswers: nothing counts as deleted that the server hasn't said so of.
func TestRemoveManyAnswers(t *testing.T) {
	s3 := s3Server(t)
	all := []string{"1.json", "2.json", "3.json"}
	for _, c := range []struct {
		name   string
		action servers.Action
		left   []string
		kind   contract.Kind
	}{
		{"not implemented", servers.S3Error(501, "NotImplemented"), all, contract.Unsupported},
		{"no such method", servers.S3Error(405, "MethodNotAllowed"), all, contract.Unsupported},
		{"a header is missing", servers.S3Error(400, "MissingContentMD5"), all, contract.Unsupported},
		{"refused", servers.S3Error(403, "AccessDenied"), all, contract.Unsupported},
		{"nothing", servers.Answer(200, ""), all, contract.Unsupported},
		{"a login page", servers.Answer(200, "<html><body>log in</body></html>"), all, contract.Unsupported},
		{"not now", servers.S3Error(503, "SlowDown"), all, contract.Unreachable},
		{"not now, after all", servers.Answer(200, "<Error><Code>InternalError</Code></Error>"), all, contract.Unreachable},
		{"reset", servers.Reset, all, contract.Unreachable},
		{"of no key", servers.Answer(200, "<DeleteResult></DeleteResult>"), all, contract.Unreachable},
		{"not of one", without("2.json"), all[1:2], contract.Unreachable},
		{"one is refused", says("2.json", "AccessDenied"), all[1:2], contract.Denied},
		{"one not now", says("3.json", "SlowDown"), all[2:], contract.Unreachable},
		{"one has gone", says("3.json", "NoSuchKey"), nil, 0},
	} {
		for _, key := range all {
			s3.Put(t, "data", "p/"+key, nil)
		}
		left, err := through(t, s3, c.action).RemoveMany(t.Context(), store.Policy{PerCall: time.Minute}, all, nil)
		if diff := cmp.Diff(c.left, left); diff != "" || (err != nil) != (c.left != nil) || err != nil && store.Classify(err) != c.kind {
			t.Errorf("%s: kind %d, want %d: %v %s", c.name, store.Classify(err), c.kind, err, diff)
		}
	}
}

// TestRemoveManyAgain: a further try is of those alone that may be left, and asks for less
// at a time.
func TestRemoveManyAgain(t *testing.T) {
	s3 := s3Server(t)
	var keys []string
	for i := range 40 {
		keys = append(keys, fmt.Sprintf("%d.json", i))
		s3.Put(t, "data", "p/"+keys[i], nil)
	}
	var mu sync.Mutex
	var asked []int
	fault := servers.StartFault(t, s3.Address, func(n int, r *http.Request) servers.Action {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, bytes.Count(body, []byte("<Key>")))
		switch n {
		case 0:
			return servers.S3Error(503, "SlowDown")
		case 1:
			return without("17.json")
		case 2:
			return servers.LoseReply
		}
		return nil
	})
	s := open(t, strings.Replace(s3.URL("data", "p"), "http://"+s3.Address, fault.URL, 1))
	tries := 0
	left, err := s.RemoveMany(t.Context(), store.Policy{Window: time.Hour, PerCall: time.Minute}, keys, func(error, time.Duration) { tries++ })
	if diff := cmp.Diff([]int{40, 40, 1, 1}, asked); diff != "" || err != nil || len(left) > 0 || tries != 3 {
		t.Errorf("%d tries, %q left, %v: %s", tries, left, err, diff)
	}
	if there := listed(t, open(t, s3.URL("data", "p")), ""); len(there) > 0 {
		t.Errorf("%q are there", there)
	}
}
