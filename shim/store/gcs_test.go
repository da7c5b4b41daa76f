package store_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// gcsThrough opens the bucket behind a proxy that decides on each request.
func gcsThrough(t *testing.T, server *servers.GCS, decide func(int, *http.Request) servers.Action) (*store.Store, *servers.Fault) {
	t.Helper()
	fault := servers.StartFault(t, server.Address, decide)
	fault.Call(server.Address) // by which the server knows requests of the XML API
	t.Setenv("STORAGE_EMULATOR_HOST", fault.URL)
	return open(t, "gs://data/p"), fault
}

// TestNotAbsentGCS: as TestNotAbsent, for what is not an answer of Google's (those
// are in the package's own tests, for no server of the tests gives them).
func TestNotAbsentGCS(t *testing.T) {
	server := gcsServer(t)
	always := func(a servers.Action) func(*testing.T) *store.Store {
		return func(t *testing.T) *store.Store {
			s, _ := gcsThrough(t, server, func(int, *http.Request) servers.Action { return a })
			return s
		}
	}
	at := func(address, url string) func(*testing.T) *store.Store {
		return func(t *testing.T) *store.Store {
			t.Setenv("STORAGE_EMULATOR_HOST", address)
			return open(t, url)
		}
	}
	for _, c := range []struct {
		name string
		open func(*testing.T) *store.Store
		says string
	}{
		{"no such bucket", at(server.Address, "gs://nothing/p"), "status 404 notFound: Not Found (create the bucket"}, // as the bucket's listing says; the object's 404 has no word
		{"reset", always(servers.Reset), "the server closed the connection"},
		{"login page", always(servers.Answer(200, html)), "the answer is not Google Cloud Storage's"},
		{"500", always(servers.Answer(500, "")), "status 500"},
		{"404 of a web server", always(servers.Answer(404, html)), "status 404"},
		{"no such host", at("http://gcs.nth.invalid", "gs://data/p"), "name right?"},
		{"refused", at(servers.Address(t), "gs://data/p"), "refused"},
		{"no TLS there", at("https://"+server.Address, "gs://data/p"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.open(t)
			ctx := t.Context()
			_, _, readErr := s.Read(ctx, "x")
			_, existsErr := s.Exists(ctx, "x")
			for what, err := range map[string]error{"read": readErr, "exists": existsErr, "delete": s.Delete(ctx, "x"),
				"list":   s.List(ctx, "done/", func(key string, _ int64, _ time.Time) error { t.Errorf("listed %s", key); return nil }),
				"create": s.Create(ctx, "x", nil), "put": s.Put(ctx, "x", nil), "copy": s.Copy(ctx, "x", "y")} {
				wantKind(t, what, err, contract.Unreachable)
				if f := store.Fail(err, failure.TheJob, what, s.Show("x")); what == "read" && !strings.Contains(f.Error(), c.says) {
					t.Errorf("it says %q, not %q", f, c.says)
				}
			}
		})
	}
}

// TestStalledGCS: a deadline ends a call that nobody answers.
func TestStalledGCS(t *testing.T) {
	s, _ := gcsThrough(t, gcsServer(t), func(int, *http.Request) servers.Action { return servers.Stall })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, _, err := s.Read(ctx, "x")
	wantKind(t, "read", err, contract.Unreachable)
	wantKind(t, "create", s.Create(ctx, "x", nil), contract.Unreachable)
}

// TestTruncatedGCS: half an answer is no answer, be it a blob or a listing.
func TestTruncatedGCS(t *testing.T) {
	server := gcsServer(t)
	t.Setenv("STORAGE_EMULATOR_HOST", server.Address)
	must(t, "put", open(t, "gs://data/p").Put(t.Context(), "x", []byte(strings.Repeat("0123456789", 1000))))
	s, _ := gcsThrough(t, server, func(int, *http.Request) servers.Action { return servers.Truncate })
	_, _, err := s.Read(t.Context(), "x")
	wantKind(t, "read", err, contract.Unreachable)
	wantKind(t, "list", s.List(t.Context(), "", nil), contract.Unreachable)
	wantKind(t, "put", s.Put(t.Context(), "y", nil), contract.Unreachable)
}

// TestLostReplyGCS: the write is there though its answer never came.
func TestLostReplyGCS(t *testing.T) {
	s, fault := gcsThrough(t, gcsServer(t), func(n int, _ *http.Request) servers.Action {
		if n == 0 {
			return servers.LoseReply
		}
		return nil
	})
	wantKind(t, "create", s.Create(t.Context(), "x", []byte("mine")), contract.Unreachable)
	wantKind(t, "create again", s.Create(t.Context(), "x", []byte("mine")), contract.Exists)
	if body, _, err := s.Read(t.Context(), "x"); string(body) != "mine" || err != nil {
		t.Errorf("it holds %q, %v", body, err)
	}
	if n := len(fault.Requests()); n != 3 {
		t.Errorf("%d requests, want 3: nothing is repeated behind the caller's back", n)
	}
}
