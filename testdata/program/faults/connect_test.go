//go:build linux

package faults

import (
	"crypto/tls"
	"net/http/httptest"
	"strings"
	"testing"

	"nth/testdata/matrix"
	"nth/testdata/servers"
)

// certificates are what a server may show of itself. Its authority is in the file
// that SSL_CERT_FILE names, if it is trusted.
var certificates = []struct {
	name    string
	of      matrix.Certificate
	trusted bool
	code    int
	says    string
}{
	{"a good one", matrix.Certificate{}, true, 0, ""},
	{"another name", matrix.Certificate{Name: "other.example"}, true, 69, "not"},
	{"an unknown authority", matrix.Certificate{}, false, 69, "SSL_CERT_FILE"},
	{"an expired one", matrix.Certificate{Expired: true}, true, 69, "expired"},
}

// TestTLS: a server that nth can't trust, from the start, or when the command has
// ended: then the work is done and not recorded.
func TestTLS(t *testing.T) {
	eachServer(t, func(t *testing.T, place *matrix.Place) {
		good := matrix.NewCertificate(t, matrix.Certificate{})
		for _, tt := range certificates {
			shown := matrix.NewCertificate(t, tt.of)
			t.Run(tt.name, func(t *testing.T) {
				i := matrix.NewItem(t, place, strings.ReplaceAll(tt.name, " ", "-"))
				trusted := good
				if tt.trusted {
					trusted = shown
				}
				i.Base, i.Flags, i.Env = secure(t, place, func() *matrix.Shown { return shown }), matrix.Quick, []string{"SSL_CERT_FILE=" + trusted.File}
				h := i.Says(tt.code, tt.says)
				if tt.code != 0 && !hinted(h.Failure) {
					t.Errorf("the failure has no hint: %s", h.Failure)
				}
				i.Effects(map[int]int{0: 1}[tt.code])
				if (i.Marker() != nil) != (tt.code == 0) {
					t.Errorf("the marker: %+v", i.Marker())
				}
			})
			t.Run(tt.name+" after the command", func(t *testing.T) {
				i := matrix.NewItem(t, place, strings.ReplaceAll(tt.name, " ", "-")+"-after")
				i.Write("authorities", good.PEM+map[bool]string{true: shown.PEM}[tt.trusted])
				i.Base = secure(t, place, func() *matrix.Shown {
					if i.Exists("runs") && i.Read("termination-log") == "" {
						return shown
					}
					return good // also for the record of the failure
				})
				i.Flags, i.Env = matrix.Quick, []string{"SSL_CERT_FILE=" + i.Dir + "/authorities"}
				code := map[int]int{69: 73}[tt.code]
				i.Says(code, tt.says)
				i.Effects(1)
				docs := i.Documents()
				if code == 0 {
					i.Keys(docs, []string{"done/5.json"})
				} else if i.Keys(docs, []string{"failed/5.json"}); docs["failed/5.json"].ExitCode != code {
					t.Errorf("the record: %+v", docs["failed/5.json"])
				}
			})
		}
	})
}

// secure starts a proxy of https:// before the server, and gives its base.
func secure(t *testing.T, place *matrix.Place, show func() *matrix.Shown) string {
	s := httptest.NewUnstartedServer(place.Fault(t, nil).Config.Handler)
	// GetCertificate wouldn't be asked by who calls an address, and not a name.
	s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{show().Certificate}}, nil
	}}
	s.Config.ErrorLog = matrix.Silent // the handshakes that fail on purpose
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// TestUnreachable: no name, no server, no answer.
func TestUnreachable(t *testing.T) {
	eachServer(t, func(t *testing.T, place *matrix.Place) {
		shown := matrix.NewCertificate(t, matrix.Certificate{})
		for _, tt := range []struct {
			name, base string
			timeout    string
			says       string
		}{
			{"no such host", "http://no-such-host.invalid", "30s", "name right?"},
			{"nobody listens", "http://" + servers.Address(t), "30s", "refused"},
			{"nobody accepts", "http://" + matrix.Full(t), "300ms", "--store-timeout"},
			{"nobody answers", "http://" + matrix.Listen(t), "300ms", "--store-timeout"},
			{"no TLS there", "https://" + place.Server.Address, "30s", "speaks no TLS"},
			{"TLS is there", strings.Replace(secure(t, place, func() *matrix.Shown { return shown }), "https:", "http:", 1), "30s", "400"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				i := matrix.NewItem(t, place, "m")
				i.Base, i.Flags = tt.base, []string{"--store-wait", "100ms", "--store-timeout", tt.timeout}
				h := i.Says(69, tt.says)
				if !hinted(h.Failure) {
					t.Errorf("the failure has no hint: %s", h.Failure)
				}
				i.Effects(0)
			})
		}
	})
}
