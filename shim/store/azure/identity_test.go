package azure

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// endpoint plays a token endpoint, and the container with it.
type endpoint struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	serve http.HandlerFunc
}

// startEndpoint starts one; serve gets the form of a POST, too.
func startEndpoint(t *testing.T, serve http.HandlerFunc) *endpoint {
	e := &endpoint{serve: serve}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		e.mu.Lock()
		defer e.mu.Unlock()
		e.asked = append(e.asked, r.Method+" "+r.URL.Path)
		e.serve(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) requests() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.asked...)
}

func fetch(t *testing.T, e env) (string, time.Time, error) {
	t.Helper()
	client := web.Client()
	defer client.CloseIdleConnections()
	i := newIdentity(getenv(e), client)
	return i.fetch(t.Context())
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// said is the part of a request that a token endpoint sees.
type said struct {
	Request string
	Header  map[string]string
	Query   url.Values
	Form    url.Values
}

// TestIdentities: each source's request, as Azure's documentation and SDKs have it,
// and its answer.
func TestIdentities(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("assertion-canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	scope := []string{"https://storage.azure.com/.default"}
	app := env{"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "client"}
	with := func(e env, more ...string) env {
		all := env{}
		for k, v := range e {
			all[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	for _, c := range []struct {
		name   string
		env    env // URL stands for the server's address
		answer string
		lives  time.Duration
		want   said
	}{
		{"client secret", with(app, "AZURE_CLIENT_SECRET", "secret-canary", "AZURE_AUTHORITY_HOST", "URL/"),
			`{"token_type":"Bearer","expires_in":3599,"access_token":"the.token"}`, time.Hour,
			said{"POST /tenant/oauth2/v2.0/token", nil, url.Values{}, url.Values{"grant_type": {"client_credentials"}, "client_id": {"client"}, "scope": scope, "client_secret": {"secret-canary"}}}},
		{"workload identity", with(app, "AZURE_FEDERATED_TOKEN_FILE", file, "AZURE_AUTHORITY_HOST", "URL"),
			`{"token_type":"Bearer","expires_in":86399,"access_token":"the.token"}`, 24 * time.Hour,
			said{"POST /tenant/oauth2/v2.0/token", nil, url.Values{}, url.Values{"grant_type": {"client_credentials"}, "client_id": {"client"}, "scope": scope,
				"client_assertion": {"assertion-canary"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}}},
		{"the secret before the workload's", with(app, "AZURE_CLIENT_SECRET", "secret-canary", "AZURE_FEDERATED_TOKEN_FILE", "/nonexistent", "AZURE_AUTHORITY_HOST", "URL"),
			`{"expires_in":3599,"access_token":"the.token"}`, time.Hour,
			said{"POST /tenant/oauth2/v2.0/token", nil, url.Values{}, url.Values{"grant_type": {"client_credentials"}, "client_id": {"client"}, "scope": scope, "client_secret": {"secret-canary"}}}},
		{"virtual machine", env{"AZURE_POD_IDENTITY_AUTHORITY_HOST": "URL"},
			`{"access_token":"the.token","expires_in":"3599","expires_on":"EXPIRES","resource":"https://storage.azure.com/","token_type":"Bearer"}`, time.Hour,
			said{"GET /metadata/identity/oauth2/token", map[string]string{"Metadata": "true"}, url.Values{"api-version": {"2018-02-01"}, "resource": {resource}}, url.Values{}}},
		{"virtual machine, one of several", env{"AZURE_POD_IDENTITY_AUTHORITY_HOST": "URL/", "AZURE_CLIENT_ID": "client"},
			`{"access_token":"the.token","expires_in":"3599"}`, time.Hour,
			said{"GET /metadata/identity/oauth2/token", map[string]string{"Metadata": "true"}, url.Values{"api-version": {"2018-02-01"}, "resource": {resource}, "client_id": {"client"}}, url.Values{}}},
		{"App Service, Container Apps", env{"IDENTITY_ENDPOINT": "URL/msi/token", "IDENTITY_HEADER": "header-canary", "AZURE_CLIENT_ID": "client"},
			`{"access_token":"the.token","expires_on":"EXPIRES","resource":"https://storage.azure.com/","token_type":"Bearer","client_id":"client"}`, time.Hour,
			said{"GET /msi/token", map[string]string{"X-Identity-Header": "header-canary"}, url.Values{"api-version": {"2019-08-01"}, "resource": {resource}, "client_id": {"client"}}, url.Values{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got said
			e := startEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
				got = said{r.Method + " " + r.URL.Path, nil, r.URL.Query(), r.PostForm}
				for _, name := range []string{"Metadata", "X-Identity-Header"} {
					if v := r.Header.Get(name); v != "" {
						got.Header = map[string]string{name: v}
					}
				}
				if got.Form == nil {
					got.Form = url.Values{}
				}
				answer(200, strings.ReplaceAll(c.answer, "EXPIRES", fmt.Sprint(time.Now().Add(time.Hour).Unix())))(w, r)
			})
			variables := env{}
			for name, value := range c.env {
				variables[name] = strings.ReplaceAll(value, "URL", e.URL)
			}
			before := time.Now()
			token, ends, err := fetch(t, variables)
			if err != nil || token != "the.token" {
				t.Fatalf("%q, %v", token, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if ends.Before(before.Add(c.lives-time.Minute)) || ends.After(time.Now().Add(c.lives)) {
				t.Errorf("it ends at %v, not %v after %v", ends, c.lives, before)
			}
		})
	}
}

// TestRefusedIdentities: what no token means, that no secret is repeated, and what to do.
func TestRefusedIdentities(t *testing.T) {
	secret := func(url string) env {
		return env{"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "secret-canary", "AZURE_AUTHORITY_HOST": url}
	}
	machine := func(url string) env { return env{"AZURE_POD_IDENTITY_AUTHORITY_HOST": url} }
	app := func(url string) env {
		return env{"IDENTITY_ENDPOINT": url + "/msi", "IDENTITY_HEADER": "header-canary"}
	}
	for _, c := range []struct {
		name  string
		env   func(url string) env
		serve http.HandlerFunc
		kind  contract.Kind
		says  string
	}{
		{"wrong secret", secret, answer(401, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided: secret-canary. Trace ID: 1 Correlation ID: 2"}`),
			contract.Denied, "no token for the identity of AZURE_CLIENT_ID: status 401 invalid_client: AADSTS7000215: Invalid client secret provided: …"},
		{"no federated credential", secret, answer(400, `{"error":"invalid_request","error_description":"AADSTS70021: No matching federated identity record found.\r\nTrace ID: 1"}`),
			contract.Denied, "AADSTS70021: No matching federated identity record found"},
		{"Entra is busy", secret, answer(503, `{"error":"temporarily_unavailable"}`), contract.Unreachable, "status 503 temporarily_unavailable"},
		{"too many", secret, answer(429, ""), contract.Unreachable, "status 429"},
		{"a login page", secret, answer(200, "<html>"), contract.Unreachable, "no token came"},
		{"a redirect", secret, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, contract.Unreachable, "status 302"},
		{"no lifetime", secret, answer(200, `{"access_token":"x"}`), contract.Unreachable, "no token came"},
		{"no token", secret, answer(200, `{"expires_in":1}`), contract.Unreachable, "no token came"},
		{"a token with a line's end", secret, answer(200, `{"access_token":"x\ny","expires_in":1}`), contract.Unreachable, "no token came"},
		{"a number that is none", secret, answer(200, `{"access_token":"x","expires_in":"soon"}`), contract.Unreachable, "no token came"},
		{"cut short", secret, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"access`)
		}, contract.Unreachable, "closed the connection"},
		{"reset", secret, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, contract.Unreachable, "get a token: the server closed the connection"},
		{"no such host", func(string) env { return secret("https://login.nth.invalid") }, nil, contract.Unreachable, "get a token: "},
		{"not over http", func(string) env { return secret("http://login.example.com") }, nil, contract.Denied, "AZURE_AUTHORITY_HOST is not an https address"},
		{"whose secret", func(string) env { return env{"AZURE_CLIENT_SECRET": "secret-canary"} }, nil, contract.Denied, "set AZURE_TENANT_ID and AZURE_CLIENT_ID"},
		{"token file", func(string) env {
			return env{"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_FEDERATED_TOKEN_FILE": "/nonexistent/token"}
		}, nil, contract.Denied, "AZURE_FEDERATED_TOKEN_FILE: open /nonexistent/token: no such file or directory (does the pod have the label"},
		{"no identity on the machine", machine, answer(400, `{"error":"invalid_request","error_description":"Identity not found"}`),
			contract.Denied, "no token for the managed identity: status 400 invalid_request: Identity not found (set AZURE_STORAGE_KEY"},
		{"the machine's service starts", machine, answer(404, ""), contract.Unreachable, "status 404"},
		{"the machine's service is renewed", machine, answer(410, ""), contract.Unreachable, "status 410"},
		{"the machine's service fails", machine, answer(500, ""), contract.Unreachable, "status 500"},
		{"no machine's service", func(string) env { return machine("http://127.0.0.1:1") }, nil, contract.Denied, "there are no credentials for Azure Blob Storage: no metadata server answers (set AZURE_STORAGE_KEY"},
		{"no identity of the app", app, answer(403, `{"error_description":"header-canary is no header of mine"}`), contract.Denied, "status 403: … is no header of mine"},
		{"no address", func(string) env { return env{"IDENTITY_ENDPOINT": "\n", "IDENTITY_HEADER": "x"} }, nil, contract.Denied, "is no address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := startEndpoint(t, c.serve)
			token, _, err := fetch(t, c.env(e.URL))
			ce, ok := err.(*contract.Error)
			if !ok || token != "" || ce.Kind != c.kind {
				t.Fatalf("%q, %v", token, err)
			}
			text := ce.Error() + " (" + ce.Hint + ")"
			if !strings.Contains(text, c.says) || strings.Contains(text, "canary") || strings.Contains(text, "\n") {
				t.Errorf("it says %q, not %q", text, c.says)
			}
		})
	}
}

// TestIdentityInTime: a deadline ends the wait for an identity, whichever it is.
func TestIdentityInTime(t *testing.T) {
	ended := make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}))
	t.Cleanup(func() { close(ended); server.Close() })
	for _, e := range []env{
		{"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s", "AZURE_AUTHORITY_HOST": server.URL},
		{"AZURE_POD_IDENTITY_AUTHORITY_HOST": server.URL},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, _, err := newIdentity(getenv(e), http.DefaultClient).fetch(ctx)
		if ce, ok := err.(*contract.Error); !ok || ce.Kind != contract.Unreachable || !strings.Contains(ce.Hint, "--store-timeout") {
			t.Errorf("%v", err)
		}
		cancel()
	}
}
