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
	--array --auth-root-authentication-method --aws-sigv4 --batch --bind-address --check --cluster
	--config --cpus-per-task --daemonize --datadir --extract --forcerun --from --full --group-components
	--halt --ignore-missing --init --job-name --joblog --mem --metadata --no-defaults
	--open-mode --partition --port --read-only --recursive --requeue --resume --resume-failed --rm
	--save --shuf --skip --socket --time --tmpdir --tmpfs --user --wait`)

var called = regexp.MustCompile("(?:nth|go run \\.) (run|plan|local|manifest|check|status|reset|mark) ([^`\n]*)")

// TestFlags: no page speaks of a flag that isn't there, or of one that the command
// doesn't have.
func TestFlags(t *testing.T) {
	known, of := append(others, "--help", "--version"), map[string][]string{}
	for command, c := range map[string]any{
		"run": &config.Config{}, "plan": &config.Config{}, "local": &local.Config{}, "manifest": &manifest.Config{}, "check": &check.Config{},
		"status": &status.Config{}, "reset": &repair.ResetConfig{}, "mark": &repair.MarkConfig{},
	} {
		rows, err := flags.Reference(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			name, _, _ := strings.Cut(r.Flag, " ")
			known, of[command] = append(known, name), append(of[command], name)
		}
	}
	for _, page := range append(pages(t), "CHANGELOG.md") {
		text := program.Page(t, page)
		for _, name := range written.FindAllString(text, -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s: there is no flag %s", page, name)
			}
		}
		for _, m := range called.FindAllStringSubmatch(text, -1) {
			own, _, _ := strings.Cut(m[2], " -- ")
			for _, name := range written.FindAllString(own, -1) {
				if !slices.Contains(of[m[1]], name) && name != "--help" {
					t.Errorf("%s: nth %s has no flag %s", page, m[1], name)
				}
			}
		}
	}
}
