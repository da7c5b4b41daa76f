package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"nth/shim/check"
	"nth/shim/config"
	"nth/shim/flags"
	"nth/shim/local"
	"nth/shim/manifest"
	"nth/shim/repair"
	"nth/shim/status"
	"nth/testdata/program"
)

var written = regexp.MustCompile(`--[a-z][a-z0-9-]*[a-z0-9]`)

// others are flags of other programs that the pages speak of.
var others = strings.Fields(`
	--array --init --joblog --resume --skip --wait
	--aws-sigv4 --user --daemonize --port --save --rm --from`)

// TestFlags: no page speaks of a flag that isn't there.
func TestFlags(t *testing.T) {
	known := append(others, "--help")
	for _, c := range []any{&config.Config{}, &local.Config{}, &manifest.Config{}, &check.Config{}, &status.Config{}, &repair.Config{}, &repair.MarkConfig{}} {
		rows, err := flags.Reference(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			name, _, _ := strings.Cut(r.Flag, " ")
			known = append(known, name)
		}
	}
	for _, page := range append(pages(t), "CHANGELOG.md") {
		for _, name := range written.FindAllString(program.Page(t, page), -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s: there is no flag %s", page, name)
			}
		}
	}
}
