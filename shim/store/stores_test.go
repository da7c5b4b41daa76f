package store_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// amazon plays S3, by path and with every object that is asked for, and AWS STS. It
// counts connections, and takes down the requests.
type amazon struct {
	*httptest.Server
	mu          sync.Mutex
	requests    []string
	connections int
}

func startAmazon(t *testing.T) *amazon {
	a := &amazon{}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if state == http.StateNew {
			a.connections++
		}
	}
	a.Start()
	t.Cleanup(a.Close)
	token := filepath.Join(t.TempDir(), "token")
	must(t, "write", os.WriteFile(token, []byte("token"), 0o600))
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_REGION": "eu-west-1",
		"AWS_ENDPOINT_URL_STS": a.URL, "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"} {
		t.Setenv(name, value)
	}
	return a
}

// taken gives the requests, by what they asked, and how many connections there were.
func (a *amazon) taken() ([]string, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests), a.connections
}

func (a *amazon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	what := r.Method + " " + r.URL.Path
	if action := form.Get("Action"); action != "" {
		what = action
	}
	a.mu.Lock()
	a.requests = append(a.requests, what)
	a.mu.Unlock()
	if form.Get("Action") == "" {
		w.Header().Set("ETag", `"1"`)
		return
	}
	fmt.Fprintf(w, `<%[1]sResponse><%[1]sResult><Credentials><AccessKeyId>k</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>%[2]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`, form.Get("Action"), time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// TestStoresShareOneIdentity: an index with markers and three requires asks who it is
// once, over one connection, and sends the requests that each store would send alone.
func TestStoresShareOneIdentity(t *testing.T) {
	a := startAmazon(t)
	var stores store.Stores
	defer stores.Close()
	markers, err := stores.Open(t.Context(), "s3://b/markers/job?region=eu-west-1&endpoint="+a.URL)
	must(t, "open", err)
	must(t, "create", markers.Create(t.Context(), "done/1.json", []byte("{}")))
	for _, required := range []string{"s3://b/in/1.csv?region=eu-west-1&endpoint=", "s3://b/in/2.csv?endpoint=", "s3://b/other/a%20b?endpoint="} {
		address := required + a.URL
		if strings.Contains(required, "?endpoint") { // the order of parameters is nobody's matter
			address += "&region=eu-west-1"
		}
		s, key, err := stores.OpenObject(t.Context(), address)
		must(t, "open", err)
		there, err := s.Exists(t.Context(), key)
		if !there || err != nil {
			t.Errorf("%s: %v, %v", required, there, err)
		}
		if want, _, _ := strings.Cut(required, "?"); s.Show(key) != strings.ReplaceAll(want, "%20", " ") {
			t.Errorf("it is shown as %s", s.Show(key))
		}
		must(t, "close", s.Close())
	}
	must(t, "put after the others were closed", markers.Put(t.Context(), "done/2.json", []byte("{}")))
	requests, connections := a.taken()
	want := []string{"AssumeRoleWithWebIdentity", "PUT /b/markers/job/done/1.json", "HEAD /b/in/1.csv", "HEAD /b/in/2.csv", "HEAD /b/other/a b", "PUT /b/markers/job/done/2.json"}
	if diff := cmp.Diff(want, requests); diff != "" || connections != 1 {
		t.Errorf("%d connections; (-want +got):\n%s", connections, diff)
	}
}

// TestStoresKeepApart: another bucket, and other parameters, are other stores.
func TestStoresKeepApart(t *testing.T) {
	a := startAmazon(t)
	var stores store.Stores
	for _, address := range []string{"s3://b/x?endpoint=", "s3://c/x?endpoint=", "s3://b/x?request_payer=requester&endpoint=", "s3://b/y?endpoint="} {
		s, err := stores.Open(t.Context(), address+a.URL)
		must(t, "open", err)
		must(t, "put", s.Put(t.Context(), "k", nil))
	}
	stores.Close()
	requests, connections := a.taken()
	if asked := len(slices.DeleteFunc(requests, func(r string) bool { return strings.HasPrefix(r, "PUT") })); asked != 3 || connections != 3 {
		t.Errorf("asked %d times, over %d connections", asked, connections)
	}
}

// TestStoresTogether: they may be opened, used and closed at the same time.
func TestStoresTogether(t *testing.T) {
	a := startAmazon(t)
	var stores store.Stores
	defer stores.Close()
	must(t, "each", store.Each(t.Context(), 50, func(ctx context.Context, k int) error {
		s, key, err := stores.OpenObject(ctx, fmt.Sprintf("s3://b/%d/x?endpoint=%s", k, a.URL))
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = s.Exists(ctx, key)
		return err
	}))
	requests, _ := a.taken()
	if n := len(requests); n != 51 {
		t.Errorf("%d requests", n)
	}
}

// TestStoresRefuse: what can't be opened is refused as it is without them, and what has
// no connection is opened.
func TestStoresRefuse(t *testing.T) {
	var stores store.Stores
	for _, address := range []string{"s3://b?nonsense=1", "s3://b?anonymous=true&profile=p", "nowhere://b", "%zz", "gs://", "azblob://C"} {
		_, want := store.Open(t.Context(), address)
		_, err := stores.Open(t.Context(), address)
		if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(err)); diff != "" || err == nil {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
	s, key, err := stores.OpenObject(t.Context(), "file://"+t.TempDir()+"/x")
	must(t, "open", err)
	must(t, "put", s.Put(t.Context(), key, nil))
	must(t, "close", s.Close())
	if _, _, err := stores.OpenObject(t.Context(), "s3://b/"); store.Classify(err) == contract.Absent || err == nil {
		t.Errorf("a directory: %v", err)
	}
}

// TestHidden: stores that are opened together show their URLs as they are told to.
func TestHidden(t *testing.T) {
	dir := t.TempDir()
	stores := &store.Stores{Hide: func(text string) string { return strings.ReplaceAll(text, "canary", "***") }}
	defer stores.Close()
	s, err := stores.Open(t.Context(), "file://"+dir+"/canary")
	must(t, "open", err)
	defer s.Close()
	o, key, err := stores.OpenObject(t.Context(), "file://"+dir+"/canary/canary.csv")
	must(t, "open an object", err)
	defer o.Close()
	if diff := cmp.Diff([]string{"file://" + dir + "/***/a/***.json", "file://" + dir + "/***/***.csv"}, []string{s.Show("a/canary.json"), o.Show(key)}); diff != "" {
		t.Error(diff)
	}
}
