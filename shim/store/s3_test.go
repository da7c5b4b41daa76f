package store_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// through opens the bucket behind a proxy that treats each request alike.
func through(t *testing.T, s3 *servers.S3, action servers.Action) *store.Store {
	t.Helper()
	fault := servers.StartFault(t, s3.Address, func(int, *http.Request) servers.Action { return action })
	return open(t, "s3://data/p?endpoint="+fault.URL)
}

// html is what a captive portal, a proxy's login page or a web server answers.
const html = "<!DOCTYPE html><html><body>Please log in<br></body></html>"

// TestNotAbsent: whatever is wrong, no operation may take it for "there is none",
// and none of those that write for "written". Reading, asking, listing and deleting
// alike give the kind, and the hint names the way out.
func TestNotAbsent(t *testing.T) {
	s3 := s3Server(t)
	here := "http://" + s3.Address
	answer := func(a servers.Action) func(*testing.T) *store.Store {
		return func(t *testing.T) *store.Store { return through(t, s3, a) }
	}
	for _, c := range []struct {
		name string
		open func(*testing.T) *store.Store
		kind contract.Kind
		code failure.Code
		says string
	}{
		{"no such bucket", func(t *testing.T) *store.Store { return open(t, "s3://nothing/p?endpoint="+here) },
			contract.Unreachable, 69, "NoSuchBucket: The specified bucket does not exist (create the bucket, or correct its name or endpoint=)"},
		{"no bucket's name", answer(servers.S3Error(400, "InvalidBucketName")), contract.Refused, 78, "correct the name: 3 to 63 of"},
		{"wrong secret", func(t *testing.T) *store.Store {
			t.Setenv("AWS_SECRET_ACCESS_KEY", "another-canary")
			return open(t, "s3://data/p?endpoint="+here)
		}, contract.Denied, 77, "SignatureDoesNotMatch"},
		{"unknown access key, which this server answers with 404", func(t *testing.T) *store.Store {
			t.Setenv("AWS_ACCESS_KEY_ID", "nobody")
			return open(t, "s3://data/p?endpoint="+here)
		}, contract.Denied, 77, "XAdminUserNotFound"},
		{"unknown access key, as AWS answers", answer(servers.S3Error(403, "InvalidAccessKeyId")), contract.Denied, 77, "check AWS_ACCESS_KEY_ID"},
		{"no credentials", func(t *testing.T) *store.Store {
			for _, v := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
				t.Setenv(v, "")
			}
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			t.Setenv("HOME", t.TempDir())
			return open(t, "s3://data/p?endpoint="+here)
		}, contract.Denied, 77, "there are no credentials for AWS (set AWS_ACCESS_KEY_ID"},
		{"anonymous", func(t *testing.T) *store.Store { return open(t, "s3://data/p?anonymous=true&endpoint="+here) },
			contract.Denied, 77, "s3:ListBucket"},
		{"another region", func(t *testing.T) *store.Store { return open(t, "s3://data/p?region=eu-west-1&endpoint="+here) },
			contract.Unreachable, 69, "the bucket is in us-east-1, and eu-west-1 was asked: set region=us-east-1"},
		{"another region, as AWS answers", answer(servers.Answer(301, "<Error><Code>PermanentRedirect</Code><Region>eu-west-3</Region></Error>")),
			contract.Unreachable, 69, "the bucket is in eu-west-3"},
		{"expired token", answer(servers.S3Error(400, "ExpiredToken")), contract.Denied, 77, "expired: get a new one"},
		{"clock", answer(servers.S3Error(403, "RequestTimeTooSkewed")), contract.Denied, 77, "this machine's clock"},
		{"access denied", answer(servers.S3Error(403, "AccessDenied")), contract.Denied, 77, "without the last, S3 answers so for a key that isn't there"},
		{"403 without a body", answer(servers.Answer(403, "")), contract.Denied, 77, "s3:GetObject"},
		{"404 without a body", answer(servers.Answer(404, "")), contract.Unreachable, 69, "status 404 (is the endpoint right"},
		{"404 of a web server", answer(servers.Answer(404, html)), contract.Unreachable, 69, "is the endpoint right"},
		{"404 of another kind", answer(servers.S3Error(404, "NoSuchUpload")), contract.Unreachable, 69, "NoSuchUpload"},
		{"NoSuchKey with another status", answer(servers.S3Error(500, "NoSuchKey")), contract.Unreachable, 69, "status 500"},
		{"404 cut short", answer(servers.Answer(404, "<Error><Code>NoSuchKey</Code>")), contract.Unreachable, 69, "status 404"},
		{"200 of a login page", answer(servers.Answer(200, html)), contract.Unreachable, 69, "the answer is not S3's"},
		{"200 with nothing", answer(servers.Answer(200, "")), contract.Unreachable, 69, "the answer is not S3's"},
		{"redirected to a login page", answer(func(_ *servers.Fault, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/login", http.StatusFound)
		}), contract.Unreachable, 69, "status 302"},
		{"500", answer(servers.S3Error(500, "InternalError")), contract.Unreachable, 69, "InternalError"},
		{"503", answer(servers.S3Error(503, "SlowDown")), contract.Unreachable, 69, "SlowDown"},
		{"429", answer(servers.Answer(429, "")), contract.Unreachable, 69, "429"},
		{"407 of a proxy", answer(servers.Answer(407, html)), contract.Unreachable, 69, "407"},
		{"reset", answer(servers.Reset), contract.Unreachable, 69, "the server closed the connection"},
		{"no such host", func(t *testing.T) *store.Store { return open(t, "s3://data/p?endpoint=http://s3.nth.invalid") },
			contract.Unreachable, 69, "endpoint's name right?"},
		{"refused", func(t *testing.T) *store.Store { return open(t, "s3://data/p?endpoint=http://"+servers.Address(t)) },
			contract.Unreachable, 69, "refused"},
		{"no TLS there", func(t *testing.T) *store.Store { return open(t, "s3://data/p?endpoint=https://"+s3.Address) },
			contract.Unreachable, 69, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.open(t)
			ctx := t.Context()
			_, _, readErr := s.Read(ctx, "done/1.json")
			_, existsErr := s.Exists(ctx, "done/1.json")
			for what, err := range map[string]error{"read": readErr, "exists": existsErr,
				"delete": s.Delete(ctx, "done/1.json"),
				"list":   s.List(ctx, "done/", func(key string, _ int64, _ time.Time) error { t.Errorf("listed %s", key); return nil }),
				"create": s.Create(ctx, "done/1.json", nil), "put": s.Put(ctx, "done/1.json", nil), "copy": s.Copy(ctx, "done/1.json", "done/2.json")} {
				if err == nil || store.Classify(err) != c.kind {
					t.Errorf("%s: kind %d, want %d: %v", what, store.Classify(err), c.kind, err)
					continue
				}
				f := store.Fail(err, failure.TheJob, what, s.Show("done/1.json"))
				if f.Code != c.code || what == "read" && !strings.Contains(f.Error(), c.says) {
					t.Errorf("code %d, want %d and %q: %s", f.Code, c.code, c.says, f)
				}
				if strings.Contains(f.Error(), "canary") || strings.Contains(f.Error(), "\n") {
					t.Errorf("%s: a secret, or a second line: %q", what, f)
				}
			}
		})
	}
	if there, err := open(t, s3.URL("data", "p")).Exists(t.Context(), "done/1.json"); there || err != nil {
		t.Errorf("in the end there is a blob: %v, %v", there, err)
	}
}

// TestWriteAnswers: what S3 says to a write on condition.
func TestWriteAnswers(t *testing.T) {
	s3 := s3Server(t)
	for _, c := range []struct {
		name   string
		action servers.Action
		kind   contract.Kind
	}{
		{"exists", servers.S3Error(412, "PreconditionFailed"), contract.Exists},
		{"exists, without a body", servers.Answer(412, ""), contract.Exists},
		{"a racing delete", servers.S3Error(409, "ConditionalRequestConflict"), contract.Conflict},
		{"not implemented", servers.S3Error(501, "NotImplemented"), contract.Unsupported},
	} {
		s := through(t, s3, c.action)
		wantKind(t, c.name+": create", s.Create(t.Context(), "x", nil), c.kind)
		wantKind(t, c.name+": replace", s.Replace(t.Context(), "x", nil, `"v"`), c.kind)
	}
	s := through(t, s3, servers.S3Error(404, "NoSuchKey"))
	wantKind(t, "replace what is gone, as AWS answers", s.Replace(t.Context(), "x", nil, `"v"`), contract.Exists)
}

func TestStalledServer(t *testing.T) {
	s := through(t, s3Server(t), servers.Stall)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, _, err := s.Read(ctx, "x")
	wantKind(t, "read", err, contract.Unreachable)
	wantKind(t, "create", s.Create(ctx, "x", nil), contract.Unreachable)
}

// TestTruncated: half an answer is no answer, be it a blob or a listing.
func TestTruncated(t *testing.T) {
	s3 := s3Server(t)
	s3.Put(t, "data", "p/x", []byte(strings.Repeat("0123456789", 1000)))
	lengthless := func(f *servers.Fault, w http.ResponseWriter, _ *http.Request) {
		c, out, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = out.WriteString("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nConnection: close\r\n\r\n0123456789")
		out.Flush()
	}
	for name, action := range map[string]servers.Action{"cut": servers.Truncate, "without a length": lengthless} {
		s := through(t, s3, action)
		body, _, err := s.Read(t.Context(), "x")
		wantKind(t, name+": read "+string(body[:min(len(body), 10)]), err, contract.Unreachable)
		wantKind(t, name+": list", s.List(t.Context(), "", nil), contract.Unreachable)
	}
}

// TestLostReply: the write is there though its answer never came; who tries again
// hears that it exists, and finds their own.
func TestLostReply(t *testing.T) {
	s3 := s3Server(t)
	fault := servers.StartFault(t, s3.Address, func(n int, r *http.Request) servers.Action {
		if n == 0 {
			return servers.LoseReply
		}
		return nil
	})
	s := open(t, "s3://data/p?endpoint="+fault.URL)
	wantKind(t, "create", s.Create(t.Context(), "x", []byte("mine")), contract.Unreachable)
	wantKind(t, "create again", s.Create(t.Context(), "x", []byte("mine")), contract.Exists)
	if body, _, err := s.Read(t.Context(), "x"); string(body) != "mine" || err != nil {
		t.Errorf("it holds %q, %v", body, err)
	}
	if n := len(fault.Requests()); n != 3 {
		t.Errorf("%d requests, want 3: nothing is repeated behind the caller's back", n)
	}
}

// TestPartsAreTakenBack: a large write that fails ends its upload.
func TestPartsAreTakenBack(t *testing.T) {
	s3 := s3Server(t)
	var puts atomic.Int32
	fault := servers.StartFault(t, s3.Address, func(_ int, r *http.Request) servers.Action {
		if r.Method == http.MethodPut {
			if puts.Add(1) == 2 {
				return servers.S3Error(503, "SlowDown")
			}
		}
		return nil
	})
	s := open(t, "s3://data/p?endpoint="+fault.URL)
	wantKind(t, "create", s.Create(t.Context(), "x", make([]byte, 20<<20)), contract.Unreachable)
	requests := fault.Requests()
	if last := requests[len(requests)-1]; last != "DELETE /data/p/x" {
		t.Errorf("the requests were %v", requests)
	}
	if there, err := s.Exists(t.Context(), "x"); there || err != nil {
		t.Errorf("half of it is there: %v, %v", there, err)
	}
}

// TestNoETag: existence needs no version. A gateway over a directory has none of a file
// that was put there, and is known by its requests' IDs.
func TestNoETag(t *testing.T) {
	s3 := s3Server(t)
	must(t, "make a directory", os.MkdirAll(filepath.Join(s3.Dir, "data", "p"), 0o777))
	must(t, "write a file", os.WriteFile(filepath.Join(s3.Dir, "data", "p", "file"), []byte("x"), 0o666))
	s := open(t, s3.URL("data", "p"))
	for key, want := range map[string]bool{"file": true, "nothing": false} {
		if there, err := s.Exists(t.Context(), key); there != want || err != nil {
			t.Errorf("%s: %v, %v", key, there, err)
		}
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("log in")) }))
	defer page.Close()
	_, err := open(t, "s3://data/p?anonymous=true&endpoint="+page.URL).Exists(t.Context(), "file")
	wantKind(t, "a login page", err, contract.Unreachable)
}

// TestIdle: no connection lingers while a command works for hours.
func TestIdle(t *testing.T) {
	states := make(chan http.ConnState, 100)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"1"`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) { states <- state }
	server.Start()
	defer server.Close()
	s := open(t, "s3://data/p?anonymous=true&endpoint="+server.URL)
	must(t, "put", s.Put(t.Context(), "x", nil))
	s.Idle()
	for state := range states { // ends, or the test's deadline does
		if state == http.StateClosed {
			return
		}
	}
}
