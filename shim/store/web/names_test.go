package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNames: a host that isn't ASCII is looked up and asked for as DNS has it, in any build:
// the release has another package for that (.ci/without/idna.go.txt).
func TestNames(t *testing.T) {
	for host, want := range map[string][2]string{ // what is dialled, what is asked for
		"example.com":             {"example.com:80", "example.com"},
		"EXAMPLE.com":             {"EXAMPLE.com:80", "EXAMPLE.com"},
		"xn--bcher-kva.example:1": {"xn--bcher-kva.example:1", "xn--bcher-kva.example:1"},
		"bücher.example":          {"xn--bcher-kva.example:80", "xn--bcher-kva.example"},
		"BÜCHER.Example:8080":     {"xn--bcher-kva.example:8080", "xn--BCHER-2pa.Example:8080"},
		"x.日本語.jp":                {"x.xn--wgv71a119e.jp:80", "x.xn--wgv71a119e.jp"},
		"日本語。jp":                  {"xn--wgv71a119e.jp:80", "xn--jp-q13az21vzlbtz6h"},
		"пример.испытание":        {"xn--e1afmkfd.xn--80akhbyknj4f:80", "xn--e1afmkfd.xn--80akhbyknj4f"},
		"उदाहरण.परीक्षा":          {"xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g:80", "xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g"},
		"مثال.إختبار":             {"xn--mgbh0fb.xn--kgbechtv:80", "xn--mgbh0fb.xn--kgbechtv"},
	} {
		request, err := http.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		var sent strings.Builder
		if err := request.Write(&sent); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		_, asked, _ := strings.Cut(sent.String(), "Host: ")
		asked, _, _ = strings.Cut(asked, "\r\n")
		dialled := ""
		transport := &http.Transport{DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = address
			return nil, errors.New("far enough")
		}}
		if _, err := transport.RoundTrip(request); err == nil {
			t.Errorf("%s answers", host)
		}
		if diff := cmp.Diff(want, [2]string{dialled, asked}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", host, diff)
		}
	}
}
