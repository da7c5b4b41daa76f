package httpapi

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/servers"
)

// TestHeaders are made for each request, and a token that the API doesn't like, or that
// can't be had, is a refusal, not an empty queue.
func TestHeaders(t *testing.T) {
	api := servers.StartTasksAPI(t)
	api.Token = "first"
	api.Queue("q")
	token, missing := "first", error(nil)
	s := settings(api.Address, "q", 0)
	s.Headers = func() (http.Header, error) { return http.Header{"Authorization": {"Bearer " + token}}, missing }
	source := mustOpen(t, s, task.Options{RunID: "a", Lease: time.Minute})
	for _, step := range []struct {
		token   string
		missing error
		want    string
	}{
		{"first", nil, "<nil>"}, {"canary-second", nil, "denied"}, {"first", nil, "<nil>"}, {"", nil, "denied"}, {"canary\nfirst", nil, "invalid"}, {"first", os.ErrNotExist, "denied"}, {"first", nil, "<nil>"},
	} {
		token, missing = step.token, step.missing
		_, err := source.Take(t.Context())
		if got := outcome(err); got != step.want || strings.Contains(fmt.Sprint(err), "canary") || missing != nil && !errors.Is(err, missing) {
			t.Errorf("%q: %v, want %s", step.token, err, step.want)
		}
	}
}

// TestSecrets: an API that repeats what it was sent tells nobody a secret.
func TestSecrets(t *testing.T) {
	all := func(r *http.Request) string {
		_, password, _ := r.BasicAuth()
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return fmt.Sprint("refused: ", string(body), " token ", token, r.Header, r.URL.Query(), r.RequestURI, " password ", password)
	}
	answers := map[string]http.HandlerFunc{
		"JSON": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"message": all(r)}})
		},
		"text":     func(w http.ResponseWriter, r *http.Request) { http.Error(w, all(r), http.StatusBadGateway) },
		"lost":     func(w http.ResponseWriter, r *http.Request) { http.Error(w, all(r), http.StatusConflict) },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/"+all(r), http.StatusFound) },
		"page": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(all(r)))
		},
		"no JSON":  func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(all(r))) },
		"hangs up": raw(""),
		"no HTTP":  raw("+OK\r\n"),
	}
	for name, answer := range answers {
		for _, who := range []string{"password", "token"} {
			t.Run(name+" "+who, func(t *testing.T) {
				said := false
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					said = strings.Contains(all(r), "canary-"+who[:4])
					answer(w, r)
				}))
				defer server.Close()
				host := strings.TrimPrefix(server.URL, "http://")
				if who == "password" {
					host = "user:canary-pass@" + host
				}
				s := settings(host, "q", 0)
				for _, u := range []*string{&s.Take, &s.Keep, &s.Done, &s.Fail} {
					*u += "?key=canary-key&token=canary-parameter"
				}
				s.Unfinished += "&api_key=canary%2Dapi"
				h := http.Header{"X-Api-Key": {"canary-header"}}
				if who == "token" {
					h.Set("Authorization", "Bearer canary-token")
				}
				s.Headers = headers(h)
				s.Body = map[string]func(Call) (string, error){"done": func(Call) (string, error) { return `{"key": "canary-body"}`, nil }}
				hide := func(text string) string { return strings.ReplaceAll(text, "canary-body", "***") }
				source := mustOpen(t, s, task.Options{RunID: "a", Lease: time.Minute, Hide: hide})
				if strings.Contains(fmt.Sprintf("%v %+v %s", source, source, source), "canary") {
					t.Error("printing it shows a secret")
				}
				for _, c := range calls {
					err := c.call(t.Context(), source)
					shown := fmt.Sprintf("%v %+v", err, err)
					if e, ok := errors.AsType[*contract.Error](err); ok {
						shown += e.Hint
					}
					if strings.Contains(shown, "canary") {
						t.Errorf("%s: %s", c.name, shown)
					}
				}
				if !said {
					t.Error("the API wasn't sent the secret")
				}
			})
		}
	}
}

// TestSecretInSecret: of a secret that begins as another one does, nothing is left over.
func TestSecretInSecret(t *testing.T) {
	header := http.Header{"Content-Type": {"text/plain"}}
	got := message(header, []byte("not canary-1, not canary-12, not canary"), []string{"", "canary", "canary-12", "canary-1"})
	if diff := cmp.Diff("not ***, not ***, not ***", got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRedirects are not followed: neither the token nor the task goes elsewhere.
func TestRedirects(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		elsewhere++
		_, _ = w.Write([]byte(`{"id": 7, "payload": "x", "unfinished": false}`))
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s, _ := scripted(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		for _, c := range calls {
			if err := c.call(t.Context(), s); err == nil || errors.Is(err, task.ErrLost) {
				t.Errorf("%d: %s: %v", status, c.name, err)
			}
		}
	}
	if elsewhere != 0 {
		t.Errorf("%d requests went elsewhere", elsewhere)
	}
}

// TestMessages: what is told of an API's refusal.
func TestMessages(t *testing.T) {
	for _, tt := range []struct{ contentType, body, want string }{
		{"application/json", `{"message": "no such  queue.\n"}`, "status 400: no such queue"},
		{"application/problem+json", `{"title": "Bad", "detail": "lease_s is too long"}`, "status 400: lease_s is too long"},
		{"application/json", `{"error": "bad"}`, "status 400: bad"},
		{"application/json", `{"error": {"code": "E1", "message": "bad"}}`, "status 400: bad"},
		{"application/json", `{"error": 5}`, "status 400"},
		{"application/json", `[]`, "status 400"},
		{"text/plain", "bad\xff\nlease", "status 400: bad lease"},
		{"text/html", "<p>bad</p>", "status 400"},
		{"", "", "status 400"},
		{"text/plain", strings.Repeat("x", 1000), "status 400: " + strings.Repeat("x", 300) + "…"},
	} {
		s, _ := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tt.contentType)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(tt.body))
		})
		_, err := s.Take(t.Context())
		if diff := cmp.Diff(tt.want, fmt.Sprint(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.body, diff)
		}
	}
}

// TestTLS: the authority of SSL_CERT_FILE is trusted, and the errors say what to do.
func TestTLS(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	secure, plain := httptest.NewTLSServer(handler), httptest.NewServer(handler)
	defer secure.Close()
	defer plain.Close()
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, url, ca, want, hint string }{
		{"trusted", secure.URL, file, "<nil>", ""},
		{"not trusted", secure.URL, "", "unreachable", "SSL_CERT_FILE names the file of trusted authorities"},
		{"no TLS there", strings.Replace(plain.URL, "http:", "https:", 1), file, "unreachable", "the API speaks no TLS there: write http:// or the right port"},
		{"no such host", "http://nobody.invalid", file, "unreachable", "is the name of the API's host right?"},
		{"nobody listens", "http://127.0.0.1:1", file, "unreachable", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("SSL_CERT_FILE", tt.ca)
			s := mustOpen(t, Settings{Take: tt.url, Keep: tt.url, Done: tt.url}, task.Options{RunID: "a", Lease: time.Minute})
			_, err := s.Take(t.Context())
			hint := ""
			if e, ok := errors.AsType[*contract.Error](err); ok {
				hint = e.Hint
			}
			if diff := cmp.Diff([]string{tt.want, tt.hint}, []string{outcome(err), hint}); diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
