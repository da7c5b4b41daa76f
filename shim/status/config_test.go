package status

import (
	"strings"
	"testing"

	"nth/shim/failure"
	"nth/shim/flags"
)

// TestContradictions: what says nothing beside another flag is refused, as it is written
// on the command line.
func TestContradictions(t *testing.T) {
	for args, want := range map[string]string{
		"":                                    "",
		"--watch --format text --interval 1s": "",
		"--list failed --reason oom":          "",
		"--logs --index 3 --format=text":      "",
		"--used --reason oom --format json":   "",
		"--watch --list failed":               "--watch",
		"--watch --index 3":                   "--watch",
		"--watch --format json":               "--watch",
		"--watch --used":                      "--watch",
		"--watch --reason oom":                "--watch",
		"--watch --kubernetes -":              "--watch and --kubernetes -",
		"--watch --kubernetes jobs.json":      "",
		"--index 3 --list failed":             "--index",
		"--index 3 --reason oom":              "--index",
		"--index 3 --used":                    "--index",
		"--index 3 --indexes 3":               "--index",
		"--index 0 --format html":             "--index and --format=html",
		"--logs":                              "--logs",
		"--logs --index 0 --format json":      "--logs and --format",
		"--list failed --format json":         "--list",
		"--list failed --used":                "--list",
		"--list failed,missing --reason oom":  "--reason and --list",
		"--index=-1":                          "--index",
		"--interval 0s":                       "--interval",
		"--interval=-1s":                      "--interval",
		"--store-wait=-1s":                    "--store-wait",
		"--store-timeout 0s":                  "--store-timeout",
	} {
		var c Config
		if _, _, err := flags.Parse(flags.Spec{}, &c, strings.Fields(args)); err != nil {
			t.Fatalf("%s: %v", args, err)
		}
		_, err := c.parse(nil)
		if want == "" && err != nil || want != "" && (err == nil || failure.From(err).On != want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}
