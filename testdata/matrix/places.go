package matrix

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"nth/shim/store"
	"nth/testdata/servers"
)

// Place is a store of a test's own, over its real server or in a directory.
type Place struct {
	Name   string
	Server *servers.Server // nil for a directory
	Dir    string          // "" for a server
	Absent servers.Action  // how the real service says it, where the server says it otherwise
	Host   string          // by which the server wants to be called; "": whatever it is asked by
	// URL gives the URL of a directory in it, asked at this base: http:// and the
	// server's own address, or that of somebody between.
	URL func(base, prefix string) string
	// Env gives the variables that nth needs for it, credentials among them.
	Env func(base string) []string
}

// Stores are the stores that must all behave alike; a new one is a row here.
var Stores = []struct {
	Name   string
	Server bool // it is asked over the network
	Start  func(t testing.TB) *Place
}{
	{"file", false, func(t testing.TB) *Place {
		dir := t.TempDir()
		return &Place{Dir: dir, URL: func(_, prefix string) string { return "file://" + dir + "/" + prefix },
			Env: func(string) []string { return nil }}
	}},
	{"s3", true, func(t testing.TB) *Place {
		s := servers.StartS3(t)
		s.Bucket(t, bucket)
		return &Place{Server: s.Server, URL: func(base, prefix string) string {
			return "s3://" + bucket + "/" + prefix + "?use_path_style=true&endpoint=" + base
		}, Env: func(base string) []string { return append(servers.S3Env(), "AWS_ENDPOINT_URL_S3="+base) }}
	}},
	{"gcs", true, func(t testing.TB) *Place {
		s := servers.StartGCS(t)
		s.Bucket(t, bucket)
		return &Place{Server: s.Server, Host: s.Address, URL: func(_, prefix string) string { return "gs://" + bucket + "/" + prefix },
			Env: func(base string) []string { return servers.GCSEnv(base) },
			// A missing bucket's answer is the same here; Google's has another code.
			Absent: servers.S3Error(http.StatusNotFound, "NoSuchKey")}
	}},
	{"azure", true, func(t testing.TB) *Place {
		s := servers.StartAzurite(t)
		s.Container(t, bucket)
		return &Place{Server: s.Server, URL: func(_, prefix string) string { return "azblob://" + bucket + "/" + prefix }, Env: azureEnv}
	}},
}

// azureEnv has the base's own protocol.
func azureEnv(base string) []string {
	protocol, address, _ := strings.Cut(base, "://")
	env := servers.AzureEnv(address)
	for n, e := range env {
		if strings.HasPrefix(e, "AZURE_STORAGE_PROTOCOL=") {
			env[n] = "AZURE_STORAGE_PROTOCOL=" + protocol
		}
	}
	return env
}

// bucket is the name of every server's one bucket.
const bucket = "bucket"

// Start starts the store of a row.
func Start(t testing.TB, row int) *Place {
	t.Helper()
	p := Stores[row].Start(t)
	p.Name = Stores[row].Name
	return p
}

// Base is the server's own address.
func (p *Place) Base() string {
	if p.Server == nil {
		return ""
	}
	return "http://" + p.Server.Address
}

// Fault starts a proxy before the server; decide gives the action for the n-th
// request, from 0.
func (p *Place) Fault(t testing.TB, decide func(n int, r *http.Request) servers.Action) *servers.Fault {
	f := servers.StartFault(t, p.Server.Address, decide)
	f.Call(p.Host)
	return f
}

// Object gives the URL of one blob.
func (p *Place) Object(base, prefix, key string) string {
	u, err := url.Parse(p.URL(base, prefix))
	if err != nil {
		panic(err) // the row is wrong
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" + key
	return u.String()
}

// Data gives the URL of a blob that an item reads or writes, which is the same for each of
// its starts, whoever is asked for it; with a key that ends in a slash, of a directory.
func (p *Place) Data(prefix, key string) string {
	u, err := url.Parse(p.Object(p.Base(), prefix, key))
	if err != nil {
		panic(err) // the row is wrong
	}
	q := u.Query()
	q.Del("endpoint")
	u.RawQuery = q.Encode()
	return u.String()
}

// Secrets gives the values that nobody may tell.
func (p *Place) Secrets() (secrets []string) {
	for _, e := range p.Env(p.Base()) {
		if name, value, _ := strings.Cut(e, "="); strings.HasSuffix(name, "_KEY") {
			secrets = append(secrets, value)
		}
	}
	return secrets
}

// opening is held while the process's own variables are a place's.
var opening sync.Mutex

// Open opens a directory of the store for the test itself.
func (p *Place) Open(t testing.TB, prefix string) *store.Store {
	t.Helper()
	opening.Lock()
	defer opening.Unlock()
	for _, e := range p.Env(p.Base()) {
		name, value, _ := strings.Cut(e, "=")
		os.Setenv(name, value)
	}
	s, err := store.Open(context.Background(), p.URL(p.Base(), prefix))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
