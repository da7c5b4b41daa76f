package codes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/program"
)

// asked is a server that refuses everything, and remembers what it was asked for.
type asked struct {
	*httptest.Server
	mu    sync.Mutex
	paths []string
}

func newAsked(t *testing.T) *asked {
	a := &asked{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.paths = append(a.paths, r.URL.Path)
		a.mu.Unlock()
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *asked) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	paths := a.paths
	a.paths = nil
	return paths
}

// names are values that are URL syntax, and legal names.
var names = []string{"a#b", "?x=y", "100%", "%2e%2e", "%2e%2e/x", "a b", "é+é", "a//b", "/a", "a\nb", "x?endpoint=http://127.0.0.1:1/&x=y", "s3://other/x", "...", "a;b&c=d"}

// TestNamesInURLs: what is asked for is what the item names, whatever is in it, of every
// store and by every kind of item.
func TestNamesInURLs(t *testing.T) {
	server := newAsked(t)
	host := strings.TrimPrefix(server.URL, "http://")
	stores := map[string]string{
		"s3":     "s3://bucket/p/%s?anonymous=true&endpoint=" + server.URL,
		"gs":     "gs://bucket/p/%s",
		"azblob": "azblob://bucket/p/%s?anonymous=true&storage_account=a&protocol=http&domain=" + host,
	}
	lines := ""
	for _, name := range names {
		lines += jsonOf(t, name) + "\n"
	}
	rows := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(rows, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(name string, index int, flags ...string) {
		args := append([]string{"run", "--store-wait=0s", "--log-level=error"}, flags...)
		_, stderr, code := program.Nth(t, []string{fmt.Sprint("NTH_INDEX=", index), "STORAGE_EMULATOR_HOST=" + host}, append(args, "--", "true")...)
		paths := server.take() // S3 is asked twice, for a HEAD tells no reason
		if code != 77 || len(paths) == 0 || slices.ContainsFunc(paths, func(path string) bool { return !strings.HasSuffix(path, "/p/"+name) }) {
			t.Errorf("%q: exit code %d, it asked for %q: %s", name, code, paths, stderr)
		}
	}
	for scheme, url := range stores {
		for index, name := range names {
			if scheme == "azblob" && (name == "..." || name == "a\nb") {
				continue // it has no such names, and the driver writes others
			}
			run(name, index, "--tasks=file://"+rows, "--require="+fmt.Sprintf(url, "<<.Task.name>>"))
		}
		run(names[0], 0, "--tasks=file://"+rows, "--markers=file://"+t.TempDir()+"/"+scheme, "--done-if="+fmt.Sprintf(url, "<<.Task.name>>"))
		run(names[10], 0, "--env=A=<<.Index>>", "--job="+names[10], "--require="+fmt.Sprintf(url, "<<.Job>>"))
	}
	for _, name := range names { // what an API tells
		items := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, jsonOf(t, name))
		}))
		run(name, 0, "--tasks="+items.URL+"/<<.Index>>", "--require="+fmt.Sprintf(stores["s3"], "<<.Task.name>>"))
		items.Close()
	}
}

func jsonOf(t *testing.T, name string) string {
	body, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestTasksInURLs: the same of a queue's tasks, each of which is refused by itself where
// it leads elsewhere.
func TestTasksInURLs(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a#b", "100%", "a b"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var takes []string
	for i, name := range []string{"a#b", "..", "100%", "../" + filepath.Base(dir) + "/a b", "a b"} {
		takes = append(takes, fmt.Sprintf(`200 {"id": "%d", "attempt": 1, "payload": %s}`, i, jsonOf(t, name)))
	}
	for i, require := range []string{"file://" + dir + "/<<.Task.name>>", dir + "/<<.Task.name>>"} {
		s := httptest.NewServer(&api{answers: map[string][]string{"take": append(takes, "204")}, calls: map[string]int{}})
		defer s.Close()
		ran := filepath.Join(t.TempDir(), "ran")
		_, stderr, code := program.Nth(t, []string{"NTH_INDEX=0"}, "run", "--tasks="+s.URL+"/take", "--keep-url="+s.URL+"/keep/{id}", "--done-url="+s.URL+"/done/{id}", "--fail-url="+s.URL+"/fail/{id}",
			"--max-attempts=1", "--store-wait=1s", "--lease=5s", "--require="+require, "--", "sh", "-c", `echo "$1" >> `+ran, "sh", "<<.Task.name>>")
		body, _ := os.ReadFile(ran)
		if diff := cmp.Diff("a#b\n100%\na b\n", string(body)); code != 65 || diff != "" {
			t.Errorf("%d: exit code %d, %s (-want +got):\n%s", i, code, stderr, diff)
		}
	}
}

// TestWholeURLs: an item may say all of a URL, but not whom to ask, as whom, or another
// directory; and what it doesn't say all of, it says no host or parameter of.
func TestWholeURLs(t *testing.T) {
	elsewhere, ours := newAsked(t), newAsked(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a b"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, row, flag string
		code            int
		says            string
		asked           []string // of ours
	}{
		{"an object", "s3://other/a%20b?region=eu-west-1", "--require=<<.Task.name>>", 77, "", []string{"/other/a b"}},
		{"an object, of all the payload", "s3://other/a%23b", "--done-if=<<.Task.name>>", 77, "", []string{"/other/a#b"}},
		{"a file", "file://" + dir + "/a%20b", "--require=<<.Task.name>>", 0, "", nil},
		{"a path", dir + "/a b", "--require=<<.Task.name>>", 0, "", nil},
		{"a path in a URL", dir + "/a b", "--require=file://<<.Task.name>>", 0, "", nil},
		{"an endpoint", "s3://other/x?endpoint=" + elsewhere.URL, "--require=<<.Task.name>>", 65, "the parameter endpoint is not for an item to say", nil},
		{"an endpoint, escaped", "s3://other/x?%65ndpoint=" + elsewhere.URL, "--done-if=<<.Task.name>>", 65, "the parameter endpoint is not for an item to say", nil},
		{"a profile", "s3://other/x?profile=p", "--require=<<.Task.name>>", 65, "profile", nil},
		{"who pays", "s3://other/x?request_payer=requester", "--require=<<.Task.name>>", 65, "request_payer", nil},
		{"no TLS", "s3://other/x?disable_https=true", "--require=<<.Task.name>>", 65, "disable_https", nil},
		{"a domain", "azblob://c/x?domain=" + strings.TrimPrefix(elsewhere.URL, "http://") + "&protocol=http", "--require=<<.Task.name>>", 65, "domain", nil},
		{"an emulator", "azblob://c/x?localemu=true", "--require=<<.Task.name>>", 65, "localemu", nil},
		{"a universe", "gs://b/x?universe_domain=example.com", "--require=<<.Task.name>>", 65, "universe_domain", nil},
		{"a way out", "s3://other/p/%2e%2e/x", "--require=<<.Task.name>>", 65, "..", nil},
		{"a user", "s3://u:p@other/x", "--require=<<.Task.name>>", 65, "user", nil},
		{"a fragment", "s3://other/x#y", "--require=<<.Task.name>>", 65, "%23", nil},
		{"a line break", "s3://other/x\ny", "--require=<<.Task.name>>", 65, "malformed", nil},
		{"the beginning of a URL", "s3://other", "--require=<<.Task.name>>/x", 65, "beginning of a URL", nil},
		{"the beginning of a URL, where no path can be", "s3://other", "--done-if=<<.Task.name>>/x", 64, "beginning of a URL", nil},
		{"a bucket", "other", "--require=s3://<<.Task.name>>/x", 64, "host", nil},
		{"a parameter", "endpoint=" + elsewhere.URL, "--require=s3://b/x?<<.Task.name>>", 64, "write name=", nil},
		{"a parameter's value", "r&endpoint=" + elsewhere.URL, "--require=s3://b/x?region=<<.Task.name>>", 65, "region", nil},
	} {
		rows := filepath.Join(t.TempDir(), "rows.jsonl")
		if err := os.WriteFile(rows, []byte(jsonOf(t, tt.row)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, stderr, code := program.Nth(t, []string{"NTH_INDEX=0", "AWS_ENDPOINT_URL=" + ours.URL, "AWS_ACCESS_KEY_ID=k", "AWS_SECRET_ACCESS_KEY=s"},
			"run", "--store-wait=0s", "--tasks=file://"+rows, "--markers=file://"+t.TempDir(), tt.flag, "--", "true")
		if code != tt.code || !strings.Contains(stderr, tt.says) {
			t.Errorf("%s: exit code %d, want %d, saying %q: %s", tt.name, code, tt.code, tt.says, stderr)
		}
		if diff := cmp.Diff(tt.asked, slices.Compact(ours.take())); diff != "" {
			t.Errorf("%s: it asked (-want +got):\n%s", tt.name, diff)
		}
		if paths := elsewhere.take(); len(paths) > 0 {
			t.Errorf("%s: it asked elsewhere for %q", tt.name, paths)
		}
	}
}

// TestJobsInURLs: a run, and a command that looks from outside, mean the same directory,
// and the plan shows it.
func TestJobsInURLs(t *testing.T) {
	dir := t.TempDir()
	const job = "a#b ?c=%2f"
	flags := []string{"--markers=file://" + dir + "/<<.Job>>", "--job=" + job}
	_, stderr, code := program.Nth(t, []string{"NTH_INDEX=0"}, append(append([]string{"run"}, flags...), "--", "true", "<<.Index>>")...)
	if _, err := os.Stat(filepath.Join(dir, job, "done", "0.json")); err != nil || code != 0 {
		t.Errorf("exit code %d, %v: %s", code, err, stderr)
	}
	if _, stderr, code := program.Nth(t, nil, "status", "--completions=1", flags[0], flags[1]); code != 0 {
		t.Errorf("status: exit code %d: %s", code, stderr)
	}
	stdout, stderr, code := program.Nth(t, nil, append(append([]string{"plan", "--completions=1", "--format=json", "--done-if=s3://b/<<.Job>>", "--logs=file:///l/<<.Index>>"}, flags...), "--", "true", "<<.Index>>")...)
	for _, want := range []string{`/a%23b%20%3Fc=%252f"`, `"done_if": "s3://b/a%23b%20%3Fc=%252f"`, `"logs": "file:///l/0"`} {
		if !strings.Contains(stdout, want) || code != 0 {
			t.Errorf("plan: exit code %d, want %s: %s%s", code, want, stdout, stderr)
		}
	}
	if _, stderr, code := program.Nth(t, []string{"NTH_INDEX=0"}, "run", flags[0], "--job=..", "--", "true"); code != 78 || !strings.Contains(stderr, "..") {
		t.Errorf("a Job that leads elsewhere: exit code %d: %s", code, stderr)
	}
}
