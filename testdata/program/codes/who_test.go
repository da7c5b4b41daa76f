package codes

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nth/testdata/program"
)

// itemKinds are every kind of item that needs no server but an API, by the flags of one
// that is called NAME. Of a task, its attempt is the last one.
var itemKinds = []struct {
	name  string
	flags func(t *testing.T, dir, name string) []string
}{
	{"index", func(*testing.T, string, string) []string { return nil }},
	{"row", func(t *testing.T, dir, name string) []string {
		path := filepath.Join(dir, "rows.jsonl")
		if err := os.WriteFile(path, []byte(jsonOf(t, name)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return []string{"--tasks=file://" + path}
	}},
	{"API's item", func(t *testing.T, _, name string) []string {
		s := httptest.NewServer(&api{answers: map[string][]string{"items": {"200 " + jsonOf(t, name)}}, calls: map[string]int{}})
		t.Cleanup(s.Close)
		return []string{"--tasks=" + s.URL + "/items/<<.Index>>"}
	}},
	{"task", func(t *testing.T, _, name string) []string {
		s := httptest.NewServer(&api{answers: map[string][]string{"take": {fmt.Sprintf(`200 {"id": "1", "attempt": 1, "payload": %s}`, jsonOf(t, name)), "204"}}, calls: map[string]int{}})
		t.Cleanup(s.Close)
		return []string{"--tasks=" + s.URL + "/take", "--keep-url=" + s.URL + "/keep/{id}", "--done-url=" + s.URL + "/done/{id}", "--fail-url=" + s.URL + "/fail/{id}", "--max-attempts=1", "--lease=5s"}
	}},
}

// answering is an S3 server that has one answer.
func answering(t *testing.T, status int, code string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>on purpose</Message></Error>", code)
	}))
	t.Cleanup(s.Close)
	return "?anonymous=true&endpoint=" + s.URL
}

// What needs a run before.
const (
	anotherMarker = "a marker of another command"
	brokenMarker  = "a marker that is broken"
)

// cutFiles leaves only the beginning of each file in a folder.
func cutFiles(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Truncate(path, 10)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhoSaidIt: every code of nth's own, by who said what was wrong, for every kind of
// item: 64 and 78 end a whole Job, and 65 and 66 an index for good, so the command line
// alone brings about the first, what the item says of itself the others, and what a server
// says is worth another try.
func TestWhoSaidIt(t *testing.T) {
	refusing, broken, empty := answering(t, 403, "AccessDenied"), answering(t, 500, "InternalError"), answering(t, 404, "NoSuchKey")
	nobucket, unable := answering(t, 404, "NoSuchBucket"), answering(t, 501, "NotImplemented")
	type codes [4]int // as itemKinds
	all := func(code int) codes { return codes{code, code, code, code} }
	for _, tt := range []struct {
		who, what string
		flags     []string // DIR is an empty directory
		command   string
		code      codes
	}{
		{"the command line", "no such flag", []string{"--no-such-flag"}, "true", all(64)},
		{"the command line", "no such value", []string{"--on-change=perhaps", "--markers=file://DIR/m"}, "true", all(64)},
		{"the command line", "a template that can't be parsed", nil, "<<.Index", all(64)},
		{"the command line", "no such field", nil, "<<.Nothing>>", all(64)},
		{"the command line", "no such parameter", []string{"--require=file://DIR/x?nothing=1"}, "true", all(64)},
		{"the command line", "flags that don't go together", []string{"--record-start"}, "true", all(78)},
		{"the pod template", "no such variable", nil, `<<env "NOT_SET">>`, all(78)},
		{"the pod template", "no name of the Job", nil, "<<.Job>>", all(78)},
		{"the item", "a template that can't be executed for it", nil, `<<index (split "," "a") (add .Index 7)>>`, all(65)},
		{"the item", "an input that isn't there", []string{"--require=DIR/<<.Index>>.txt"}, "true", codes{66, 66, 66, 65}},
		{"the item", "an object that isn't there", []string{"--require=s3://b/<<.Index>>" + empty}, "true", codes{66, 66, 66, 65}},
		{"the item", anotherMarker, []string{"--markers=file://DIR/m"}, "exit 0", all(65)},
		{"the item", brokenMarker, []string{"--markers=file://DIR/m"}, "true", all(65)},
		{"a store", "credentials refused, of an input", []string{"--require=s3://b/<<.Index>>" + refusing}, "true", all(77)},
		{"a store", "an error, of an input", []string{"--require=s3://b/<<.Index>>" + broken}, "true", all(69)},
		{"a store", "no such bucket, of an input", []string{"--require=s3://b/<<.Index>>" + nobucket}, "true", all(69)},
		{"a store", "it can't do that, of an input", []string{"--require=s3://b/<<.Index>>" + unable}, "true", all(69)},
		{"a store", "no connection, of an input", []string{"--require=s3://b/<<.Index>>?anonymous=true&endpoint=http://127.0.0.1:1"}, "true", all(69)},
		{"a store", "credentials refused, of the markers", []string{"--markers=s3://b/m" + refusing}, "true", all(77)},
		{"a store", "an error, of the markers", []string{"--markers=s3://b/m" + broken}, "true", all(69)},
		{"a store", "no such bucket, of the markers", []string{"--markers=s3://b/m" + nobucket}, "true", all(69)},
		{"a store", "a marker that can't be written", []string{"--markers=file://DIR/gone/m"}, "rm -rf DIR/gone && touch DIR/gone", all(73)},
		{"the command", "its own code", nil, "exit 3", codes{3, 3, 3, 65}},
		{"the command", "a code as nth's own", nil, "exit 78", codes{78, 78, 78, 65}},
		{"the command", "a code as nth's own, reserved", []string{"--reserve-exit-codes"}, "exit 78", codes{1, 1, 1, 65}},
		{"the command", "too long", []string{"--timeout=100ms"}, "sleep 600", codes{124, 124, 124, 65}},
		{"the command", "it isn't there", []string{"--", "no-such-command"}, "", all(127)},
	} {
		for i, kind := range itemKinds {
			t.Run(tt.who+"/"+tt.what+"/"+kind.name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if err := os.Mkdir(dir+"/gone", 0o755); err != nil {
					t.Fatal(err)
				}
				run := func(command string) (string, int) {
					args := append([]string{"run", "--store-wait=0s", "--marker-timeout=0s"}, kind.flags(t, dir, "x")...)
					args = append(append(args, tt.flags...), "--", "sh", "-c", command)
					for i := range args {
						args[i] = strings.ReplaceAll(args[i], "DIR", dir)
					}
					_, stderr, code := program.Nth(t, []string{"NTH_INDEX=0"}, args...)
					return stderr, code
				}
				if tt.what == anotherMarker || tt.what == brokenMarker {
					if stderr, code := run("true"); code != 0 {
						t.Fatalf("exit code %d: %s", code, stderr)
					}
				}
				if tt.what == brokenMarker {
					cutFiles(t, dir+"/m/done")
				}
				if stderr, code := run(tt.command); code != tt.code[i] {
					t.Errorf("exit code %d, want %d: %s", code, tt.code[i], stderr)
				}
			})
		}
	}
}
