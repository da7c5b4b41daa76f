package faults

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nth/testdata/matrix"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// lateness is how long after the first question an identity is there: a pod's
// network, sidecar or service account may take so long.
const lateness = 10 * time.Second

// identities is a cloud's service that tells a machine who it is: nobody until it is
// late enough, and then for so short a time that it is asked again after the command.
type identities struct {
	*httptest.Server
	give func(n int) string // the n-th answer, from 1

	mu    sync.Mutex
	first time.Time
	never bool
	given int
}

func startIdentities(t *testing.T, never bool, give func(n int) string) *identities {
	s := &identities{give: give, never: never}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.first.IsZero() {
			s.first = time.Now()
		}
		w.Header().Set("Metadata-Flavor", "Google")
		switch {
		case s.never || time.Since(s.first) < lateness:
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodPut: // the session of EC2's
			_, _ = io.WriteString(w, "session")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
			_, _ = io.WriteString(w, "a-role")
		default:
			s.given++
			_, _ = io.WriteString(w, s.give(s.given))
		}
	}))
	t.Cleanup(s.Server.Close)
	return s
}

func (s *identities) host() string { return strings.TrimPrefix(s.URL, "http://") }

// short is how long what they give lasts: less than the command.
const short = 2 * time.Second

// clouds are the stores that ask a machine's own service who they are.
var clouds = []struct {
	name  string
	never int // the exit code where nobody ever tells
	give  func(n int) string
	start func(t *testing.T, who *identities) (url string, env []string)
}{
	{"s3", 77, func(int) string {
		keys := map[string]string{}
		for _, v := range servers.S3Env() {
			name, value, _ := strings.Cut(v, "=")
			keys[name] = value
		}
		return fmt.Sprintf(`{"Code":"Success","AccessKeyId":%q,"SecretAccessKey":%q,"Expiration":%q}`,
			keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], time.Now().Add(short).UTC().Format(time.RFC3339Nano))
	}, func(t *testing.T, who *identities) (string, []string) {
		s := servers.StartS3(t)
		s.Bucket(t, "data")
		return s.URL("data", "late"), []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + who.URL}
	}},
	{"gcs", 77, func(n int) string { return fmt.Sprintf(`{"access_token":"token-canary-%d","expires_in":2}`, n) }, startGoogle},
	// Azure's metadata server answers 404 while it starts.
	{"azure", 69, func(n int) string {
		return fmt.Sprintf(`{"access_token":"token-canary-%d","expires_on":"%d"}`, n, time.Now().Add(short).Unix())
	}, startAzure},
}

// bearer lets pass who has a token of these, and calls then.
func bearer(t *testing.T, who *identities, then func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who.mu.Lock()
		want := fmt.Sprintf("Bearer token-canary-%d", who.given)
		who.mu.Unlock()
		if got := r.Header.Get("Authorization"); got != want {
			t.Errorf("%s %s with another token than the last", r.Method, r.URL.Path)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.Header.Del("Authorization")
		then(w, r)
	}
}

// startGoogle is storage.nth.test: behind a proxy, by TLS, with a certificate of an
// authority that only SSL_CERT_FILE knows.
func startGoogle(t *testing.T, who *identities) (string, []string) {
	s := servers.StartGCS(t)
	s.Bucket(t, "data")
	backend := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: s.Address})
		p.Out.Host = s.Address
	}, ModifyResponse: func(r *http.Response) error {
		if r.StatusCode == http.StatusNotFound && strings.HasPrefix(r.Request.URL.Path, "/data/") {
			r.Body = io.NopCloser(strings.NewReader("<Error><Code>NoSuchKey</Code></Error>")) // as Google says it
			r.ContentLength = -1
			r.Header.Del("Content-Length")
		}
		return nil
	}}
	certificate := matrix.NewCertificate(t, matrix.Certificate{Name: "storage.nth.test"})
	google := httptest.NewUnstartedServer(bearer(t, who, backend.ServeHTTP))
	google.TLS = &tls.Config{Certificates: []tls.Certificate{certificate.Certificate}}
	google.Config.ErrorLog = matrix.Silent
	google.StartTLS()
	t.Cleanup(google.Close)
	return "gs://data/late?universe_domain=nth.test", []string{"GCE_METADATA_HOST=" + who.host(), "SSL_CERT_FILE=" + certificate.File,
		"HTTPS_PROXY=" + startTunnel(t, "storage.nth.test:443", google.Listener.Addr().String())}
}

// startTunnel is a proxy that knows one address.
func startTunnel(t *testing.T, name, address string) string {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != name {
			t.Errorf("the proxy is asked to %s %s", r.Method, r.Host)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		to, err := net.Dial("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		defer to.Close()
		w.WriteHeader(http.StatusOK)
		from, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer from.Close()
		go func() { _, _ = io.Copy(to, from); to.Close() }()
		_, _ = io.Copy(from, to)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// startAzure is Azurite behind one who takes tokens.
func startAzure(t *testing.T, who *identities) (string, []string) {
	s := servers.StartAzurite(t)
	s.Container(t, "data")
	sas := servers.AzureSAS("data", "rcwdl", time.Now().Add(time.Hour))
	backend := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: s.Address})
		p.Out.URL.RawQuery = strings.TrimPrefix(p.In.URL.RawQuery+"&"+sas, "&")
	}}
	azure := httptest.NewServer(bearer(t, who, backend.ServeHTTP))
	t.Cleanup(azure.Close)
	return "azblob://data/late?storage_account=devstoreaccount1&protocol=http&domain=" + strings.TrimPrefix(azure.URL, "http://"),
		[]string{"IDENTITY_ENDPOINT=" + who.URL, "IDENTITY_HEADER=header-canary"}
}

// TestLateIdentity: nth waits for who it is, as long as --store-wait says, and asks
// again when that has ended while the command worked.
func TestLateIdentity(t *testing.T) {
	for _, c := range clouds {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			who := startIdentities(t, false, c.give)
			url, env := c.start(t, who)
			done := filepath.Join(t.TempDir(), "done")
			env = append(env, "JOB_COMPLETION_INDEX=3", "HOME=/nonexistent")
			run := func() (string, int) {
				stdout, stderr, code := program.Nth(t, env, "run", "--store-wait=10m", "--markers", url, "--", "sh", "-c", "sleep 3; echo >>"+done)
				if stdout != "" || strings.Contains(stderr, "canary") {
					t.Errorf("something on stdout, or a secret: %q, %s", stdout, stderr)
				}
				return stderr, code
			}
			if stderr, code := run(); code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			who.mu.Lock()
			given := who.given
			who.mu.Unlock()
			if given < 2 {
				t.Errorf("who it is was asked %d times, not once more after the command", given)
			}
			if stderr, code := run(); code != 0 || !strings.Contains(stderr, "is done already") {
				t.Errorf("once more: exit code %d: %s", code, stderr)
			}
			if runs, err := os.ReadFile(done); string(runs) != "\n" {
				t.Errorf("the command ran %d times, %v", len(runs), err)
			}
		})
		t.Run(c.name+", never", func(t *testing.T) {
			t.Parallel()
			url, env := c.start(t, startIdentities(t, true, c.give))
			stdout, stderr, code := program.Nth(t, append(env, "JOB_COMPLETION_INDEX=3", "HOME=/nonexistent"), "run", "--store-wait=1s", "--markers", url, "--", "echo", "it ran")
			if code != c.never || stdout != "" || strings.Contains(stderr, "canary") {
				t.Errorf("exit code %d, want %d; %q, %s", code, c.never, stdout, stderr)
			}
		})
	}
}
