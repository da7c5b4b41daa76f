package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"nth/testdata/program"
)

// TestItem: the index is the item, and an HTTP API says what it is.
func TestItem(t *testing.T) {
	first := true
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/tasks/1":
			_, _ = w.Write([]byte(`{"file": "a b.txt"}`))
		case "/tasks/2":
			if r.Header.Get("Authorization") != "Bearer token-canary" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write([]byte(`{"file": "secret.txt"}`))
		case "/tasks/3":
			if first = !first; !first {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			_, _ = w.Write([]byte("late"))
		case "/tasks/4":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte("out of order"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer api.Close()
	markers := "--markers=file://" + t.TempDir() + "/markers"
	for _, tt := range []struct {
		index string
		flags []string
		word  string
		code  int
		out   string
		says  string
	}{
		{"1", nil, "<<.Task.file>>", 0, "a b.txt\n", "index 1 is recorded as done"},
		{"1", nil, "<<.Task.file>>", 0, "", "index 1 is done already"},
		{"2", []string{"--store-wait=0s"}, "<<.Task.file>>", 77, "", "--http-header"},
		{"2", []string{`--http-header=Authorization=Bearer <<secret "TOKEN">>`}, "<<.Task.file>>", 0, "secret.txt\n", ""},
		{"3", nil, "<<.Task>>", 0, "late\n", "trying again"},
		{"4", []string{"--store-wait=0s"}, "<<.Task>>", 69, "", "status 500: out of order"},
		{"5", nil, "<<.Task>>", 66, "", "index 5 has no item there"},
		{"1", []string{"--max-tasks=2"}, "<<.Task>>", 78, "", "is about a queue"},
		{"1", nil, "<<.TaskID>><<.Task>>", 65, "", "of another command"},
	} {
		args := append([]string{"run", "--tasks", api.URL + "/tasks/<<.Index>>", markers}, tt.flags...)
		stdout, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=" + tt.index, "TOKEN=token-canary"}, append(args, "--", "echo", tt.word)...)
		if code != tt.code || stdout != tt.out || !strings.Contains(stderr, tt.says) || strings.Contains(stderr, "canary") {
			t.Errorf("index %s: exit code %d, want %d; stdout %q, want %q; it should say %q: %s", tt.index, code, tt.code, stdout, tt.out, tt.says, stderr)
		}
	}
}

// TestManifest: the index is a row of a file.
func TestManifest(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return "file://" + dir + "/" + name
	}
	users := put("users.csv", "\ufeffid,name\r\n7,\"Smith, \"\"Bob\"\"\"\r\n8,Ann\r\n")
	lines := put("lines.txt", "first\nsecond one\n")
	markers := "file://" + dir + "/markers"
	for _, tt := range []struct {
		index, tasks string
		word         string
		code         int
		out, says    string
	}{
		{"0", users, "<<.Task.id>> <<.Task.name>>", 0, "7 Smith, \"Bob\"\n", "index 0 is recorded as done"},
		{"1", users, "<<.Task.id>> <<.Task.name>>", 0, "8 Ann\n", ""},
		{"1", users, "<<.Task.id>> <<.Task.name>>", 0, "", "index 1 is done already"},
		{"2", users, "<<.Task.id>>", 66, "", "there is no row 2: the file has 2"},
		{"1", lines, "<<.Task>>", 65, "", "of another command"},
		{"1", put("ragged.csv", "a,b\n1,2\n3\n"), "<<.Task.a>>", 65, "", "row 1"},
		{"0", put("mac.csv", "a\r1\r2\r"), "<<.Task.a>>", 65, "", "its lines end in CR alone"},
		{"0", users, "<<.Task.none>>", 64, "", `the file has no column \"none\"; it has \"id\", \"name\"`},
		{"0", strings.Replace(users, "users", "<<if lt .Index 9>>users<<end>>", 1), "<<.Task.none>>", 65, "", "none"},
		{"3", put("names.tsv", "my id\tb-c\t\t\n1\t2\t\t\n1\t2\t\t\n1\t2\t\t\n1\t2\t\t\n"), `<<field "my id">> <<field "b-c">><<.Task.none | default "d">><<if .Task.none>>x<<end>>`, 0, "1 2d\n", ""},
		{"0", "file://" + dir + "/nothing.csv", "<<.Task.a>>", 66, "", "nothing.csv"},
		{"0", "file:///not/mounted/x.csv", "<<.Task.a>>", 69, "", "/not/mounted"},
	} {
		args := []string{"run", "--store-wait=0s", "--markers", markers, "--tasks", tt.tasks, "--", "echo", tt.word}
		stdout, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=" + tt.index}, args...)
		if code != tt.code || stdout != tt.out || !strings.Contains(stderr, tt.says) {
			t.Errorf("row %s of %s: exit code %d, want %d; stdout %q, want %q; it should say %q: %s", tt.index, tt.tasks, code, tt.code, stdout, tt.out, tt.says, stderr)
		}
	}
	body, err := os.ReadFile(filepath.Join(dir, "markers", "done", "1.json"))
	if err != nil || !strings.Contains(string(body), `"manifest"`) || !strings.Contains(string(body), "users.csv") {
		t.Errorf("the marker doesn't tell the manifest: %v %s", err, body)
	}
	many := put("many.txt", strings.Repeat("a line like all the others, of some length\n", 100_000)+"the last\n")
	for range 2 { // the second by the index that the first has left
		stdout, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=100000"}, "run", "--markers", markers+"2?create_dir=true", "--tasks", many, "--on-change=rerun", "--env=X=<<volatile .RunID>>", "--", "echo", "<<.Task>>")
		if code != 0 || stdout != "the last\n" && !strings.Contains(stderr, "is done already") {
			t.Errorf("exit code %d, %q: %s", code, stdout, stderr)
		}
	}
	if found, err := filepath.Glob(filepath.Join(dir, "markers2", "manifest", "*.idx")); len(found) != 1 || err != nil {
		t.Errorf("the manifest's index wasn't kept: %v, %v", found, err)
	}
}

// TestItemsOfStrangers: a 200 is no item that came from a login page, was encoded on the
// way, or broke off where nothing tells where it ends. It is asked for again.
func TestItemsOfStrangers(t *testing.T) {
	raw := func(header, body string) string { return "HTTP/1.0 200 OK\r\n" + header + "\r\n" + body }
	sized := func(header, body string) string {
		return raw(header+"Content-Length: "+strconv.Itoa(len(body))+"\r\n", body)
	}
	for _, tt := range []struct {
		name, answer string
		says         string // "": it is an item
	}{
		{"a page by its type", sized("Content-Type: text/html; charset=utf-8\r\n", "please log in"), "a page for people"},
		{"XHTML", sized("Content-Type: application/xhtml+xml\r\n", "<html/>"), "a page for people"},
		{"a page by its beginning", sized("Content-Type: text/plain\r\n", "\uFEFF\n<!DOCTYPE html><p>Log in"), "a page for people"},
		{"a page of no type", sized("", "<HTML><body>Log in"), "a page for people"},
		{"encoded", sized("Content-Encoding: gzip\r\n", "\x1f\x8b"), "encoded as gzip"},
		{"empty", sized("", " \n"), "it is empty"},
		{"a text cut off", raw("", "file_1"), "nothing tells where it ends"},
		{"an object cut off", raw("", `{"file": "a`), "nothing tells where it ends"},
		{"a number cut off", raw("", "12"), "nothing tells where it ends"},
		{"shorter than it says", raw("Content-Length: 20\r\n", "file_1"), "before its answer was complete"},
		{"an object that ends by itself", raw("", `{"file": "a"}`), ""},
		{"XML", sized("Content-Type: text/xml\r\n", "<item/>"), ""},
		{"a text", sized("Content-Encoding: identity\r\n", "file_1"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // each waits before it asks again
			var calls atomic.Int32
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				_, _ = conn.Write([]byte(tt.answer))
			}))
			defer api.Close()
			dir := t.TempDir()
			args := []string{"run", "--index=1", "--tasks", api.URL + "/tasks/<<.Index>>", "--markers=file://" + dir + "/markers?create_dir=true", "--store-wait=1s", "--", "touch", dir + "/ran"}
			_, errs, code := program.Nth(t, nil, args...)
			_, ran := os.Stat(dir + "/ran")
			_, marked := os.Stat(dir + "/markers/done/1.json")
			switch {
			case tt.says == "" && (code != 0 || ran != nil || marked != nil):
				t.Errorf("code %d, %v, %v: %s", code, ran, marked, errs)
			case tt.says != "" && (code != 69 || ran == nil || marked == nil || !strings.Contains(errs, tt.says) || calls.Load() < 2):
				t.Errorf("code %d after %d calls, %v, %v: %s", code, calls.Load(), ran, marked, errs)
			}
		})
	}
}
