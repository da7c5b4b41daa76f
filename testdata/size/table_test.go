package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTable: the rows are the whole file, each of nth's packages and of the modules
// in it has one, and little is nobody's.
func TestTable(t *testing.T) {
	total, rows, err := measure(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sum := map[string]int64{}
	var all int64
	names := map[string]bool{}
	for _, r := range rows {
		sum[r.group] += r.bytes
		all += r.bytes
		name, _, versioned := strings.Cut(r.name, " ")
		names[name] = true
		if r.bytes <= 0 {
			t.Errorf("%s has %d bytes", r.name, r.bytes)
		}
		if r.group == modules && !versioned {
			t.Errorf("%s is of no module in the binary", r.name)
		}
	}
	if all != total {
		t.Errorf("the rows add up to %d bytes, and the file has %d", all, total)
	}
	for _, name := range []string{"nth", "nth/shim/store/file", "nth/shim/store/s3", "nth/shim/store/gcs",
		"nth/shim/store/azure", "gocloud.dev", "github.com/alecthomas/kong", "runtime", "net/http"} {
		if !names[name] {
			t.Errorf("there is no row for %s", name)
		}
	}
	if share := sum[nobody] * 100 / total; share > 20 {
		t.Errorf("%d %% of the file is nobody's own", share)
	}
}

func TestPackageOf(t *testing.T) {
	for symbol, want := range map[string]string{
		"main.main":                   "main",
		"net/http.(*T).Foo":           "net/http",
		"github.com/x/y.(*T).M.func1": "github.com/x/y",
		"gopkg.in/yaml%2ev3.Load":     "gopkg.in/yaml.v3",
		"slices.SortFunc[go.shape.[]nth/a.B,go.shape.int]":         "slices",
		"type:.eq.nth/shim.item":                                   "nth/shim",
		"go:itab.*os.File,io.Writer":                               "os",
		"cmp..dict.isNaN[int]":                                     "cmp",
		"vendor/golang.org/x/net/idna.init":                        "vendor/golang.org/x/net/idna",
		"golang.org/x/crypto/x509roots/fallback/bundle..gobytes.1": "golang.org/x/crypto/x509roots/fallback/bundle",
		"$f64.3ff0000000000000":                                    "",
		"K256":                                                     "",
		"type:.eq.[2]string":                                       "",
	} {
		if diff := cmp.Diff(want, packageOf(symbol)); diff != "" {
			t.Errorf("%s: %s", symbol, diff)
		}
	}
}

// TestDivide: what is shared goes to the first, and no byte is lost.
func TestDivide(t *testing.T) {
	a, b := owner{pkg: "a"}, owner{pkg: "b"}
	got := map[owner]int64{}
	divide(10, 20, []mark{{5, b}, {12, a}, {12, b}, {15, b}, {20, a}}, got)
	if diff := cmp.Diff(map[owner]int64{{rest: "headers and alignment"}: 2, a: 3, b: 5}, got, cmp.AllowUnexported(owner{})); diff != "" {
		t.Error(diff)
	}
}
