package secrets

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"nth/testdata/program"
)

// twoSecrets are secrets of which no part may be seen: a word, and one that looks different
// in a URL, in quotes and in one line.
var twoSecrets = []string{"S3cr3t-Canary", "S3cr3t \"Can/ary\\\" &+%\n  S3cr3t-line"}

const secret = `<<secret "TOKEN">>`

// secretURLs are good ones, those that can't be read, and those that lead nowhere. DIR is
// an empty directory.
var secretURLs = []string{
	"file://DIR/" + secret + "?create_dir=true",
	"file://DIR/no/" + secret + "/m",
	"file://DIR/" + secret + "/rows.csv",
	`file://DIR/<<secret "TOKEN" | upper>>/m`,
	"file://DIR/x#" + secret,
	"file://DIR/x?" + secret + "=1",
	"s3://bucket/" + secret + "?regoin=x",
	"s3://bucket/" + secret + "?use_path_style=true&endpoint=http://127.0.0.1:1/" + secret,
	"s3://" + secret + "@bucket/p",
	"redis://:" + secret + "@127.0.0.1:1/0?queue=" + secret,
	"https://127.0.0.1:1/" + secret,
	"nothing://host/" + secret,
	secret,
	`file://DIR/<<file (secret "TOKEN")>>`,
	`file://DIR/<<index "x" (secret "TOKEN")>>`,
}

// TestSecretURLs: no command shows a secret of a URL that it is told.
func TestSecretURLs(t *testing.T) {
	job := []string{"--", "echo", "<<.Index>>", secret}
	manifest := []string{"manifest", "--name=x", "--image=i", "--completions=2"}
	data := []string{"--input=URL=x", "--input=file:///x=URL", "--output=x=URL", "--output=URL=file:///x", "--input=URL", "--stdout", "--checkpoint=x=URL", "--stdout=s3://b/x --keep-failed=URL"}
	for _, tt := range []struct {
		name  string
		args  []string
		flags []string // that take a URL, with the others that they need
		job   []string
	}{
		{"plan", []string{"plan", "--completions=2"}, []string{"--markers", "--tasks", "--require", "--done-if", "--logs", "--quit-url", "--stdin"}, job},
		{"plan as JSON", []string{"plan", "--completions=2", "--format=json"}, []string{"--markers", "--tasks", "--require", "--stdin"}, job},
		{"plan of outputs", []string{"plan", "--completions=2", "--markers=file://DIR"}, data, job},
		{"local", []string{"local", "--completions=1", "--backoff-limit-per-index=0"}, []string{"--markers", "--tasks", "--require", "--done-if", "--quit-url"}, []string{"--", "true"}},
		{"status", []string{"status", "--completions=2"}, []string{"--markers"}, nil},
		{"status as JSON", []string{"status", "--completions=2", "--format=json"}, []string{"--markers"}, nil},
		{"status of one", []string{"status", "--index=0"}, []string{"--markers"}, nil},
		{"status with logs", []string{"status", "--index=0", "--markers=file://DIR"}, []string{"--logs-url"}, nil},
		{"logs", []string{"status", "--index=0", "--logs", "--markers=file://DIR"}, []string{"--logs-url"}, nil},
		{"wait", []string{"wait", "--completions=2", "--timeout=1s"}, []string{"--markers", "--success"}, nil},
		{"reset", []string{"reset", "--all", "--yes"}, []string{"--markers"}, nil},
		{"mark", []string{"mark", "--indexes=1", "--reason=x"}, []string{"--markers"}, nil},
		{"check", []string{"check"}, []string{"--markers"}, nil},
		{"check as JSON", []string{"check", "--format=json"}, []string{"--markers"}, nil},
		{"manifest", manifest, []string{"--markers", "--tasks", "--require", "--stdin"}, job},
		{"manifest of outputs", append(slices.Clone(manifest), "--markers=file://DIR"), data, job},
		{"manifest of the rest", append(slices.Clone(manifest), "--job=j", "--missing"), []string{"--markers"}, job},
	} {
		for i, canary := range twoSecrets {
			t.Run(fmt.Sprintf("%s %d", tt.name, i), func(t *testing.T) {
				t.Parallel()
				env := append(slices.Clone(program.Secrets), "TOKEN="+canary)
				for _, url := range secretURLs {
					for _, flag := range tt.flags {
						if !strings.Contains(flag, "URL") {
							flag += "=URL"
						}
						given := strings.Fields(flag)
						for i := range given {
							given[i] = strings.ReplaceAll(given[i], "URL", url)
						}
						quiet(t, env, slices.Concat(tt.args, []string{"--store-wait=0s"}, given, tt.job))
					}
				}
			})
		}
	}
}

// quiet runs a command that is told a secret.
func quiet(t *testing.T, env, args []string) {
	t.Helper()
	dir := t.TempDir()
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "DIR", dir)
	}
	stdout, stderr, code := program.NthIn(t, t.TempDir(), env, args...)
	told := strings.ToLower(stdout + stderr)
	if strings.Contains(told, "s3cr3t") || strings.Contains(told, "canary") {
		t.Errorf("%q tells the secret: exit code %d\n%s%s", args, code, stdout, stderr)
	}
	if code == 70 || code != 0 && told == "" {
		t.Errorf("%q: exit code %d\n%s%s", args, code, stdout, stderr)
	}
}
