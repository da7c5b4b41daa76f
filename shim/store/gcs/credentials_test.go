package gcs

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// google's services in one server of the test's: every host's requests come to it.
type services struct {
	t     *testing.T
	url   *url.URL
	calls []string
	serve func(w http.ResponseWriter, r *http.Request, form url.Values)
}

func startServices(t *testing.T, serve func(http.ResponseWriter, *http.Request, url.Values)) *services {
	s := &services{t: t, serve: serve}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	var err error
	if s.url, err = url.Parse(server.URL); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls = append(s.calls, r.Method+" "+r.Host+r.URL.Path)
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	w.Header().Set("Content-Type", "application/json")
	s.serve(w, r, form)
}

// RoundTrip sends what is meant for Google to the server.
func (s *services) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host, r.URL.Scheme, r.URL.Host = r.URL.Host, "http", s.url.Host
	return http.DefaultTransport.RoundTrip(r)
}

// fetch asks for a token as a bucket does.
func (s *services) fetch(env map[string]string) (string, time.Time, error) {
	client := &http.Client{Transport: s}
	i := &identity{getenv: func(name string) string { return env[name] }, client: client, direct: client}
	return i.fetch(s.t.Context())
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const giveToken = `{"access_token":"ya29.token","token_type":"Bearer","expires_in":3600}`

// serviceAccount makes a key file, and gives the key that verifies its signatures.
func serviceAccount(t *testing.T) (string, *rsa.PublicKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := json.Marshal(map[string]string{"type": "service_account", "client_email": "sa@p.iam.gserviceaccount.com", "private_key_id": "7",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": "https://oauth2.googleapis.com/token"})
	return write(t, filepath.Join(t.TempDir(), "key.json"), string(doc)), &key.PublicKey
}

// TestServiceAccount: the assertion is signed, and names who, what and whom.
func TestServiceAccount(t *testing.T) {
	path, public := serviceAccount(t)
	s := startServices(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
		parts := strings.Split(form.Get("assertion"), ".")
		if len(parts) != 3 || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
			t.Fatalf("the form is %v", form)
		}
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature); err != nil {
			t.Error(err)
		}
		body, _ := base64.RawURLEncoding.DecodeString(parts[1])
		var claims struct{ Iss, Scope, Aud string }
		_ = json.Unmarshal(body, &claims)
		if diff := cmp.Diff(struct{ Iss, Scope, Aud string }{"sa@p.iam.gserviceaccount.com", scope, "https://oauth2.googleapis.com/token"}, claims); diff != "" {
			t.Errorf("claims (-want +got):\n%s", diff)
		}
		_, _ = io.WriteString(w, giveToken)
	})
	token, ends, err := s.fetch(map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": path})
	if err != nil || token != "ya29.token" || time.Until(ends) < time.Minute {
		t.Errorf("token %q until %v, %v", token, ends, err)
	}
}

// TestFederation: workload identity federation, from a file that a pod is given,
// through the token service, to a service account.
func TestFederation(t *testing.T) {
	subject := write(t, filepath.Join(t.TempDir(), "token"), "subject-canary")
	config := write(t, filepath.Join(t.TempDir(), "wif.json"), fmt.Sprintf(`{"type":"external_account","audience":"//iam.googleapis.com/pool",
		"subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.googleapis.com/v1/token",
		"service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/sa:generateAccessToken","credential_source":{"file":%q}}`, subject))
	s := startServices(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
		switch r.Host {
		case "sts.googleapis.com":
			if form.Get("subject_token") != "subject-canary" || form.Get("audience") != "//iam.googleapis.com/pool" {
				t.Errorf("the form is %v", form)
			}
			_, _ = io.WriteString(w, `{"access_token":"federated","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}`)
		case "iamcredentials.googleapis.com":
			if got := r.Header.Get("Authorization"); got != "Bearer federated" {
				t.Errorf("authorization %q", got)
			}
			fmt.Fprintf(w, `{"accessToken":"ya29.impersonated","expireTime":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		}
	})
	token, _, err := s.fetch(map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": config})
	if err != nil || token != "ya29.impersonated" {
		t.Errorf("token %q, %v", token, err)
	}
	if diff := cmp.Diff([]string{"POST sts.googleapis.com/v1/token", "POST iamcredentials.googleapis.com/v1/sa:generateAccessToken"}, s.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestWorkforce: a project to charge goes with the audience of a pool of people alone, in
// any build: the release has another way to tell such ones (.ci/without/patches).
func TestWorkforce(t *testing.T) {
	subject := write(t, filepath.Join(t.TempDir(), "token"), "subject")
	for audience, charged := range map[string]bool{
		"//iam.googleapis.com/locations/global/workforcePools/people/providers/x":                 true,
		"//iam.googleapis.com/locations//iam.googleapis.com/locations/eu/workforcePools/":         true,
		"//iam.googleapis.com/locations//workforcePools/people":                                   false,
		"//iam.googleapis.com/locations/global/workforcePools":                                    false,
		"//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pods/providers/x": false,
	} {
		config := write(t, filepath.Join(t.TempDir(), "people.json"), fmt.Sprintf(`{"type":"external_account","audience":%q,"workforce_pool_user_project":"charged",
			"subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.googleapis.com/v1/token","credential_source":{"file":%q}}`, audience, subject))
		s := startServices(t, func(w http.ResponseWriter, _ *http.Request, form url.Values) {
			if got := form.Get("options"); !strings.Contains(got, "charged") {
				t.Errorf("%s: the options are %q", audience, got)
			}
			_, _ = io.WriteString(w, `{"access_token":"ya29.people","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}`)
		})
		token, _, err := s.fetch(map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": config})
		if charged != (err == nil && token == "ya29.people") {
			t.Errorf("%s: token %q, %v", audience, token, err)
		}
	}
}

// TestUser: a login of gcloud's, in its own place.
func TestUser(t *testing.T) {
	home := t.TempDir()
	write(t, filepath.Join(home, ".config", "gcloud", "application_default_credentials.json"),
		`{"type":"authorized_user","client_id":"id","client_secret":"secret-canary","refresh_token":"refresh"}`)
	s := startServices(t, func(w http.ResponseWriter, r *http.Request, form url.Values) {
		if form.Get("refresh_token") != "refresh" || form.Get("grant_type") != "refresh_token" {
			t.Errorf("the form is %v", form)
		}
		_, _ = io.WriteString(w, giveToken)
	})
	if token, _, err := s.fetch(map[string]string{"HOME": home}); err != nil || token != "ya29.token" {
		t.Errorf("token %q, %v", token, err)
	}
}

// TestMetadata: the machine's own identity, which may be up later than we are.
func TestMetadata(t *testing.T) {
	ready := false
	s := startServices(t, func(w http.ResponseWriter, r *http.Request, _ url.Values) {
		if r.Header.Get("Metadata-Flavor") != "Google" || r.URL.Path != "/computeMetadata/v1/instance/service-accounts/default/token" {
			t.Errorf("%s with %v", r.URL.Path, r.Header)
		}
		if !ready {
			http.Error(w, "not yet", http.StatusNotFound)
			return
		}
		w.Header().Set("Metadata-Flavor", "Google")
		_, _ = io.WriteString(w, giveToken)
	})
	_, _, err := s.fetch(map[string]string{"GCE_METADATA_HOST": "metadata.test"})
	if contractKind(err) != contract.Denied {
		t.Errorf("not yet: %v", err)
	}
	ready = true
	token, ends, err := s.fetch(nil)
	if err != nil || token != "ya29.token" || time.Until(ends) < time.Minute {
		t.Errorf("token %q until %v, %v", token, ends, err)
	}
	if diff := cmp.Diff([]string{"metadata.test", "169.254.169.254"}, hosts(s.calls)); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
}

func hosts(calls []string) (hosts []string) {
	for _, c := range calls {
		_, rest, _ := strings.Cut(c, " ")
		host, _, _ := strings.Cut(rest, "/")
		hosts = append(hosts, host)
	}
	return hosts
}

// TestNoIdentity: each way to have none says which, without what is secret in it.
func TestNoIdentity(t *testing.T) {
	key, _ := serviceAccount(t)
	dir := t.TempDir()
	program := `{"type":"external_account","credential_source":{"executable":{"command":"/bin/canary"}}}`
	answer := func(status int, body string) func(http.ResponseWriter, *http.Request, url.Values) {
		return func(w http.ResponseWriter, _ *http.Request, _ url.Values) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for _, c := range []struct {
		name  string
		file  string // of GOOGLE_APPLICATION_CREDENTIALS; "": the metadata server
		serve func(http.ResponseWriter, *http.Request, url.Values)
		kind  contract.Kind
		says  string
	}{
		{"no file", filepath.Join(dir, "nothing.json"), nil, contract.Denied, "nothing.json: no such file"},
		{"no JSON", write(t, dir+"/a", `{"private_key":"canary`), nil, contract.Denied, "a is not a credentials file"},
		{"unknown type", write(t, dir+"/b", `{"type":"x","private_key":"canary"}`), nil, contract.Denied, "b holds no credentials that can be used"},
		{"a program", write(t, dir+"/c", program), nil, contract.Denied, "c takes its credentials from a program"},
		{"a program behind another", write(t, dir+"/d", `{"type":"impersonated_service_account","source_credentials":`+program+`}`), nil, contract.Denied, "d takes its credentials from a program"},
		{"refused", key, answer(400, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`), contract.Denied, "is refused: status 400 invalid_grant: Invalid JWT Signature"},
		{"not now", key, answer(503, "busy"), contract.Unreachable, "503"},
		{"a login page", key, answer(200, "<html>"), contract.Unreachable, "get a token for the identity of"},
		{"no service account", "", answer(404, "canary"), contract.Denied, "the metadata server answers with status 404"},
		{"another metadata server", "", answer(200, giveToken), contract.Denied, "is none of Google's"},
	} {
		s := startServices(t, c.serve)
		_, _, err := s.fetch(map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": c.file})
		if err == nil || contractKind(err) != c.kind || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: kind %d, want %d and %q: %v", c.name, contractKind(err), c.kind, c.says, err)
		}
	}
}

// TestRenewal: one token serves until it is about to end, or is refused.
func TestRenewal(t *testing.T) {
	now, tokens, refused := time.Now(), 0, ""
	var seen []string
	b := opened(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("Authorization")
		seen = append(seen, token)
		if token == refused {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set(headerGeneration, "1")
	}))
	b.token = &web.Renewed[string]{Now: func() time.Time { return now }, Fetch: func(context.Context) (string, time.Time, error) {
		tokens++
		return fmt.Sprint("t", tokens), now.Add(time.Hour), nil
	}}
	bucket := blob.NewBucket(b)
	defer bucket.Close()
	read := func() error {
		_, err := bucket.ReadAll(t.Context(), "x")
		return err
	}
	for range 2 {
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(56 * time.Minute)
	if err := read(); err != nil {
		t.Fatal(err)
	}
	refused = "Bearer t2"
	if err := read(); contractKind(err) != contract.Denied {
		t.Errorf("a refused token: %v", err)
	}
	if err := read(); err != nil {
		t.Errorf("after it: %v", err)
	}
	if diff := cmp.Diff([]string{"Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"}, seen); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}
