package web

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// authority makes a certificate of an authority's, as PEM.
func authority(t *testing.T, name string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// system replaces what the system has for the time of a test.
func system(t *testing.T, files, dirs []string) {
	oldFiles, oldDirs := bundles, directories
	bundles, directories = files, dirs
	t.Cleanup(func() { bundles, directories = oldFiles, oldDirs })
}

// TestRoots: whose certificates are trusted.
func TestRoots(t *testing.T) {
	root := t.TempDir()
	put := func(name string, content []byte) string {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b, c, d := authority(t, "A"), authority(t, "B"), authority(t, "C"), authority(t, "D")
	bundle := put("etc/bundle.crt", append(append([]byte{}, a...), b...))
	put("etc/mounted.pem", c)
	put("etc/README", []byte("no certificate"))
	if err := os.Symlink(put("share/d.pem", d), filepath.Join(root, "etc", "d.pem")); err != nil {
		t.Fatal(err)
	}
	put("more/d.pem", d)
	etc, missing := filepath.Join(root, "etc"), filepath.Join(root, "missing")
	pool := func(pems ...[]byte) *x509.CertPool {
		p := x509.NewCertPool()
		p.AppendCertsFromPEM(bytes.Join(pems, nil))
		return p
	}
	for _, tt := range []struct {
		name        string
		files, dirs []string
		env         map[string]string
		want        *x509.CertPool
		err         string
	}{
		{"the bundle, and what somebody put beside it", []string{missing, bundle}, []string{etc, missing}, nil, pool(a, b, c), ""},
		{"no bundle: all that the directory has", []string{missing}, []string{missing, etc}, nil, pool(a, b, c, d), ""},
		{"nothing at all: Mozilla's", []string{missing}, []string{missing}, nil, builtIn(), ""},
		{"a file of one's own, and the system's directory", []string{bundle}, []string{etc}, map[string]string{"SSL_CERT_FILE": filepath.Join(root, "more/d.pem")}, pool(a, b, c, d), ""},
		{"a file of one's own alone", []string{bundle}, []string{missing}, map[string]string{"SSL_CERT_FILE": filepath.Join(root, "more/d.pem")}, pool(d), ""},
		{"directories of one's own, and the bundle", []string{bundle}, []string{etc}, map[string]string{"SSL_CERT_DIR": filepath.Join(root, "more")}, pool(a, b, d), ""},
		{"both", []string{bundle}, []string{etc}, map[string]string{"SSL_CERT_FILE": filepath.Join(root, "etc/mounted.pem"), "SSL_CERT_DIR": filepath.Join(root, "more") + ":" + filepath.Join(root, "more")}, pool(c, d), ""},
		{"no such file", []string{bundle}, []string{etc}, map[string]string{"SSL_CERT_FILE": missing}, nil, "SSL_CERT_FILE: read " + missing},
		{"no certificate", []string{bundle}, []string{etc}, map[string]string{"SSL_CERT_FILE": filepath.Join(etc, "README")}, nil, "no certificate is in it"},
		{"no such directory", []string{bundle}, []string{etc}, map[string]string{"SSL_CERT_DIR": missing}, nil, "SSL_CERT_DIR: no certificate of an authority is in " + missing},
	} {
		system(t, tt.files, tt.dirs)
		got, err := roots(func(name string) string { return tt.env[name] })
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want %q", tt.name, err, tt.err)
			}
		case err != nil || !got.Equal(tt.want):
			t.Errorf("%s: other authorities, %v", tt.name, err)
		}
	}
	if builtIn().Equal(x509.NewCertPool()) {
		t.Error("none are built in")
	}
}

func get(c *http.Client, url string) (string, error) {
	res, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// TestPrivateAuthority: a server that only SSL_CERT_FILE vouches for; a file that is
// mounted late is read then.
func TestPrivateAuthority(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "ca.pem")
	client := Client()
	if _, err := get(client, server.URL); err == nil || !strings.Contains(Unreachable(t.Context(), err).Error(), "unknown authority") {
		t.Errorf("with the system's authorities: %v", err)
	}
	client.CloseIdleConnections()
	t.Setenv("SSL_CERT_FILE", path)
	if _, err := get(client, server.URL); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("with a file that isn't there: %v", err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if body, err := get(client, server.URL); body != "hello" {
			t.Errorf("with the file: %q, %v", body, err)
		}
		client.CloseIdleConnections()
	}
}

// TestProxy: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, but for the machine's own services.
// net/http reads the variables once, so it is a process of its own.
func TestProxy(t *testing.T) {
	if os.Getenv("TEST_PROXY") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestProxy$", "-test.v")
		cmd.Env = append(os.Environ(), "TEST_PROXY=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestProxy") {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	target := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "through a tunnel") }))
	defer target.Close()
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Method + " " + r.Host + " " + r.Header.Get("Proxy-Authorization"))
		if r.Method != http.MethodConnect {
			_, _ = io.WriteString(w, "from the proxy")
			return
		}
		to, err := net.Dial("tcp", target.Listener.Addr().String())
		if err != nil {
			return
		}
		// The answer comes after: what is sent on it would be read by the server, in part.
		from, read, _ := w.(http.Hijacker).Hijack()
		_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(to, read); to.Close() }()
		_, _ = io.Copy(from, to)
		from.Close()
	}))
	defer proxy.Close()
	for name, value := range map[string]string{"HTTP_PROXY": proxy.URL, "HTTPS_PROXY": "http://user:canary@" + proxy.Listener.Addr().String(), "NO_PROXY": "direct.invalid"} {
		t.Setenv(name, value)
		t.Setenv(strings.ToLower(name), value)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: target.Certificate().Raw}), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", ca)
	type want struct{ Body, Asked string }
	for url, w := range map[string]want{
		"http://store.invalid/x":  {"from the proxy", "GET store.invalid "},
		"https://example.com/x":   {"through a tunnel", "CONNECT example.com:443 Basic dXNlcjpjYW5hcnk="}, // httptest's certificate is for example.com
		"http://direct.invalid/x": {},
	} {
		asked.Store("")
		body, err := get(Client(), url)
		if diff := cmp.Diff(w, want{body, asked.Load().(string)}); diff != "" {
			t.Errorf("%s (-want +got):\n%s%v", url, diff, err)
		}
	}
	asked.Store("")
	if _, err := get(Direct(), "http://store.invalid/x"); err == nil || asked.Load() != "" {
		t.Errorf("the machine's own service was asked through the proxy: %v, %v", asked.Load(), err)
	}
	proxy.Close()
	_, err := get(Client(), "https://example.com/x")
	if text := Unreachable(t.Context(), err).Error(); err == nil || strings.Contains(text, "canary") {
		t.Errorf("a proxy that is gone: %s", text)
	}
}

// TestHTTP1 speaks HTTP/1.1 to a server that offers HTTP/2 as well, also after another
// client of the process has spoken HTTP/2.
func TestHTTP1(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	bundle := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", bundle)
	direct := Direct()
	direct.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	direct.Transport.(*http.Transport).TLSClientConfig.RootCAs.AddCert(server.Certificate())
	for _, c := range []struct {
		name, want string
		client     *http.Client
	}{{"another client", "HTTP/2.0", server.Client()}, {"a store's", "HTTP/1.1", Client()}, {"the machine's", "HTTP/1.1", direct}} {
		res, err := c.client.Get(server.URL)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if string(got) != c.want || err != nil {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
	}
}
