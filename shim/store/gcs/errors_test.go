package gcs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"nth/shim/store/contract"
)

// answer is what Google Cloud Storage says; its own documentation and client library
// have the texts.
type answer struct {
	status int
	body   string
}

// exchange plays Google: the JSON API gives one answer to all, the XML API another.
type exchange struct {
	json, xml answer

	mu   sync.Mutex
	asks []string
}

func (e *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := e.xml
	if strings.HasPrefix(r.URL.Path, "/storage/v1/") || strings.HasPrefix(r.URL.Path, "/upload/") {
		a = e.json
		w.Header().Set("Content-Type", "application/json")
	}
	e.mu.Lock()
	e.asks = append(e.asks, r.Method+" "+r.URL.Path)
	e.mu.Unlock()
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

// opened is a bucket as those on Google's servers are, at another address.
func opened(t *testing.T, h http.Handler) *bucket {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u, err := url.Parse("gs://data/p?anonymous=true")
	if err != nil {
		t.Fatal(err)
	}
	b, err := parse(u, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	if b.endpoint, err = url.Parse(server.URL); err != nil {
		t.Fatal(err)
	}
	return b
}

func reason(status int, reason, message string) answer {
	return answer{status, fmt.Sprintf(`{"error":{"code":%d,"message":%q,"errors":[{"message":%q,"domain":"global","reason":%q}]}}`, status, message, message, reason)}
}

func code(status int, code, message string) answer {
	return answer{status, `<?xml version='1.0' encoding='UTF-8'?><Error><Code>` + code + `</Code><Message>` + message + `</Message><Details>` + message + `</Details></Error>`}
}

// TestAnswers: every operation gives Google's refusals the same meaning, and only
// its own word for a missing object is absence.
func TestAnswers(t *testing.T) {
	html := "<!DOCTYPE html><html><body>Please log in<br></body></html>"
	for _, c := range []struct {
		name      string
		json, xml answer
		kind      contract.Kind
		says      string
	}{
		{"no such object", reason(404, "notFound", "No such object: data/p/x"), code(404, "NoSuchKey", "No such object: data/p/x"), contract.Absent, ""},
		{"no such bucket", reason(404, "notFound", "The specified bucket does not exist."), code(404, "NoSuchBucket", "The specified bucket does not exist."),
			contract.Unreachable, "status 404 NoSuchBucket: The specified bucket does not exist"},
		{"denied", reason(403, "forbidden", "sa does not have storage.objects.get access"), code(403, "AccessDenied", "sa does not have storage.objects.get access"),
			contract.Denied, "status 403 AccessDenied: sa does not have storage.objects.get access"},
		{"denied for a missing object", reason(404, "notFound", "Not Found"), code(403, "AccessDenied", "…or it may not exist"), contract.Denied, "it may not exist"},
		{"no credentials", reason(401, "required", "Anonymous caller does not have access"), code(401, "AuthenticationRequired", "Authentication required."), contract.Denied, "status 401"},
		{"expired token", reason(401, "authError", "Invalid Credentials"), answer{401, ""}, contract.Denied, "status 401"},
		{"payer", reason(400, "required", "Bucket is a requester pays bucket but no user project provided."), code(400, "UserProjectMissing", "Bucket is a requester pays bucket"), contract.Denied, "UserProjectMissing"},
		{"too fast", reason(429, "rateLimitExceeded", "slow down"), answer{429, ""}, contract.Unreachable, "status 429"},
		{"too fast, as 403", reason(403, "userRateLimitExceeded", "slow down"), code(503, "SlowDown", "slow down"), contract.Unreachable, "status 503"},
		{"500", reason(500, "backendError", "Backend Error"), code(500, "InternalError", "x"), contract.Unreachable, "status 500"},
		{"503", answer{503, ""}, answer{503, ""}, contract.Unreachable, "status 503"},
		{"404 without a body", answer{404, ""}, answer{404, ""}, contract.Unreachable, "status 404"},
		{"404 of a web server", answer{404, html}, answer{404, html}, contract.Unreachable, "status 404"},
		{"404 of another kind", answer{404, `{"error":{"code":404,"message":"No such object: data/p/x"}}`}, code(404, "NoSuchUpload", "x"), contract.Unreachable, "NoSuchUpload"},
		{"NoSuchKey with another status", code(500, "NoSuchKey", "x"), code(500, "NoSuchKey", "x"), contract.Unreachable, "status 500"},
		{"NoSuchKey cut short", answer{404, "<Error><Code>NoSuchKey</Code>"}, answer{404, "<Error><Code>NoSuchKey</Code>"}, contract.Unreachable, "status 404"},
		{"200 of a login page", answer{200, html}, answer{200, html}, contract.Unreachable, "not Google Cloud Storage's"},
		{"200 with nothing", answer{200, ""}, answer{200, ""}, contract.Unreachable, "not Google Cloud Storage's"},
		{"200 of another service", answer{200, "{}"}, answer{200, "{}"}, contract.Unreachable, "not Google Cloud Storage's"},
		{"moved", answer{302, ""}, answer{302, ""}, contract.Unreachable, "status 302"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := opened(t, &exchange{json: c.json, xml: c.xml})
			b := blob.NewBucket(d)
			defer b.Close()
			_, readErr := b.ReadAll(t.Context(), "x")
			_, existsErr := b.Attributes(t.Context(), "x")
			errs := map[string]error{"read": readErr, "exists": existsErr, "delete": b.Delete(t.Context(), "x"), "copy": b.Copy(t.Context(), "y", "x", nil)}
			if c.kind != contract.Absent { // a missing object says nothing of these
				_, _, listErr := b.ListPage(t.Context(), blob.FirstPageToken, 10, nil)
				errs["list"] = listErr
				for what, o := range map[string]*blob.WriterOptions{"create": {IfNotExist: true}, "put": {}} {
					o.ContentType = "a/b"
					errs[what] = b.Upload(t.Context(), "x", strings.NewReader("x"), o)
				}
			}
			for what, err := range errs {
				if got := gcerrors.Code(err); got != contract.Code(&contract.Error{Kind: c.kind}) {
					if c.name == "denied for a missing object" && !slices.Contains([]string{"read", "exists", "delete", "copy"}, what) {
						continue // the JSON API alone answers these
					}
					t.Errorf("%s: code %v: %v", what, got, err)
				}
			}
			if readErr == nil || !strings.Contains(readErr.Error(), c.says) {
				t.Errorf("read says %v, want %q", readErr, c.says)
			}
		})
	}
}

// TestNoWord: a 404 of which Google doesn't say what is missing is no absence, though the
// bucket is there: only an emulator has no word for it.
func TestNoWord(t *testing.T) {
	d := opened(t, &exchange{json: answer{200, `{"kind":"storage#objects"}`}, xml: answer{404, ""}})
	for emulated, want := range map[bool]contract.Kind{false: contract.Unreachable, true: contract.Absent} {
		d.emulated = emulated
		if _, err := d.read(t.Context(), "x", "", ""); contractKind(err) != want {
			t.Errorf("of an emulator: %v; kind %d, want %d: %v", emulated, contractKind(err), want, err)
		}
	}
}

// TestConditions: what is answered to a write on condition.
func TestConditions(t *testing.T) {
	for _, c := range []struct {
		name string
		json answer
		kind contract.Kind
	}{
		{"exists", reason(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."), contract.Exists},
		{"exists, without a body", answer{412, ""}, contract.Exists},
		{"conflict", reason(409, "conflict", "x"), contract.Conflict},
		{"retention", reason(403, "retentionPolicyNotMet", "x"), contract.Denied},
	} {
		e := &exchange{json: c.json}
		b := blob.NewBucket(opened(t, e))
		err := b.Upload(t.Context(), "x", strings.NewReader("x"), &blob.WriterOptions{ContentType: "a/b", IfNotExist: true})
		if got, want := gcerrors.Code(err), contract.Code(&contract.Error{Kind: c.kind}); got != want {
			t.Errorf("%s: %v, want %v: %v", c.name, got, want, err)
		}
		if diff := cmp.Diff([]string{"POST /upload/storage/v1/b/data/o"}, e.asks); diff != "" {
			t.Errorf("%s: the requests (-want +got):\n%s", c.name, diff)
		}
		b.Close()
	}
}

// FuzzRefusal: whatever a server answers has a meaning, and is absence only if it says
// so in full.
func FuzzRefusal(f *testing.F) {
	f.Add(404, []byte(code(404, "NoSuchKey", "x").body))
	f.Add(404, []byte(reason(404, "notFound", "No such object: data/p/x").body))
	f.Add(403, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		res := &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(body))}
		e, ok := (&bucket{}).refused(t.Context(), res).(*contract.Error)
		if !ok || e.Kind == contract.Other {
			t.Fatalf("%v", e)
		}
		if e.Kind == contract.Absent && (status != 404 || !bytes.Contains(body, []byte("NoSuchKey"))) {
			t.Errorf("absent by status %d %q", status, body)
		}
	})
}

// FuzzPage: what isn't a whole listing is an error, and no key is from elsewhere.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"kind":"storage#objects","items":[{"name":"p/x","size":"1"}],"prefixes":["p/d/"]}`))
	f.Add([]byte(`{"kind":"storage#objects"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := &bucket{prefix: "p/"}
		var p page
		if json.Unmarshal(body, &p) != nil {
			return
		}
		for _, o := range p.Items {
			if entry, err := b.entry(o); err == nil && "p/"+entry.Key != o.Name {
				t.Errorf("%q became %q", o.Name, entry.Key)
			}
		}
	})
}
