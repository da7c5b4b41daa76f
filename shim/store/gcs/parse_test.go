package gcs

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	type want struct {
		Name, Prefix, Endpoint, Payer string
		Identified, Emulated          bool
	}
	for _, c := range []struct {
		url  string
		env  map[string]string
		want want
		err  string
	}{
		{"gs://data/a/b", nil, want{Name: "data", Prefix: "a/b/", Endpoint: "https://storage.googleapis.com", Identified: true}, ""},
		{"gs://data", nil, want{Name: "data", Endpoint: "https://storage.googleapis.com", Identified: true}, ""},
		{"gs://my_data.example.com/p/", nil, want{Name: "my_data.example.com", Prefix: "p/", Endpoint: "https://storage.googleapis.com", Identified: true}, ""},
		{"gs://data?anonymous=true", nil, want{Name: "data", Endpoint: "https://storage.googleapis.com"}, ""},
		{"gs://data?access_id=-", nil, want{Name: "data", Endpoint: "https://storage.googleapis.com"}, ""},
		{"gs://data?access_id=me&anonymous=false", nil, want{Name: "data", Endpoint: "https://storage.googleapis.com", Identified: true}, ""},
		{"gs://data?universe_domain=example.goog", nil, want{Name: "data", Endpoint: "https://storage.example.goog", Identified: true}, ""},
		{"gs://data", map[string]string{"GOOGLE_CLOUD_UNIVERSE_DOMAIN": "u.goog"}, want{Name: "data", Endpoint: "https://storage.u.goog", Identified: true}, ""},
		{"gs://data?user_project=me", nil, want{Name: "data", Endpoint: "https://storage.googleapis.com", Payer: "me", Identified: true}, ""},
		{"gs://data", map[string]string{"STORAGE_EMULATOR_HOST": "127.0.0.1:4443"}, want{Name: "data", Endpoint: "http://127.0.0.1:4443", Emulated: true}, ""},
		{"gs://data", map[string]string{"STORAGE_EMULATOR_HOST": "https://fake:1/in/"}, want{Name: "data", Endpoint: "https://fake:1/in", Emulated: true}, ""},
		{"gs://", nil, want{}, "the bucket's name is missing"},
		{"gs://data:80/", nil, want{}, "names a port"},
		{"gs://da%ta/", nil, want{}, ""},
		{"gs://da$ta/", nil, want{}, "letters, digits"},
		{"gs://../x", nil, want{}, "letters, digits"},
		{"gs://data?region=x", nil, want{}, "unknown parameter region; there are anonymous"},
		{"gs://data?anonymous=canary", nil, want{}, "the parameter anonymous: it is true or false"},
		{"gs://data?universe_domain=a/b", nil, want{}, "the parameter universe_domain: it is a domain"},
		{"gs://data", map[string]string{"STORAGE_EMULATOR_HOST": "ftp://x"}, want{}, "STORAGE_EMULATOR_HOST is not"},
		{"gs://data", map[string]string{"STORAGE_EMULATOR_HOST": "http://user:canary@x"}, want{}, "STORAGE_EMULATOR_HOST is not"},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			continue // shim/store refuses it
		}
		b, err := parse(u, func(name string) string { return c.env[name] })
		if err != nil || c.err != "" {
			if err == nil || c.err == "" || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: error %v, want %q", c.url, err, c.err)
			}
			continue
		}
		got := want{b.name, b.prefix, b.endpoint.String(), b.header.Get("X-Goog-User-Project"), b.token != nil, b.emulated}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.url, diff)
		}
	}
}
