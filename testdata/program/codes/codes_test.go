// Package codes is the exit codes by who said what, and when: 64 and 78 end a whole Job, so
// only the command line and the pod template may bring them about.
package codes

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"nth/testdata/program"
)

// api is a queue behind HTTP that answers as it is told: a status and a body a call, and
// when they are used up, the last one again.
type api struct {
	mu      sync.Mutex
	answers map[string][]string // by the call, "200 {…}"
	calls   map[string]int
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := strings.Split(r.URL.Path, "/")[1]
	_, _ = io.Copy(io.Discard, r.Body)
	a.mu.Lock()
	list := a.answers[call]
	answer := "204"
	if len(list) > 0 {
		answer = list[min(a.calls[call], len(list)-1)]
	}
	a.calls[call]++
	a.mu.Unlock()
	var status int
	head, body, _ := strings.Cut(answer, " ")
	_, _ = fmt.Sscan(head, &status)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// TestQueueAnswers: what an API says before anything was taken may be about the URL; what it
// says afterwards is what a server says now; and what a task says is that task's failure.
func TestQueueAnswers(t *testing.T) {
	const good, other = `200 {"id": "good", "payload": "x"}`, `200 {"id": "other", "payload": "y"}`
	for _, tt := range []struct {
		name    string
		answers map[string][]string
		flags   []string
		code    int
		says    []string
		done    int // tasks whose command succeeded
	}{
		{"no such queue", map[string][]string{"take": {"404"}}, nil, 78, []string{"404"}, 0},
		{"a bad request, at first", map[string][]string{"take": {"400"}}, nil, 78, []string{"400"}, 0},
		{"a proxy's 404, after a task", map[string][]string{"take": {good, "404", "404", other, "204"}}, []string{"--store-wait=1m"}, 0, []string{"trying again"}, 2},
		{"a 404 that stays, after a task", map[string][]string{"take": {good, "404"}}, nil, 69, []string{"404"}, 1},
		{"a 400 that stays, after a task", map[string][]string{"take": {good, "400"}}, nil, 69, []string{"400"}, 1},
		{"501, after a task", map[string][]string{"take": {good, "501"}}, nil, 69, []string{"501"}, 1},
		{"a page, after a task", map[string][]string{"take": {good, "200 <html>sign in</html>"}}, nil, 69, nil, 1},
		{"a login, after a task", map[string][]string{"take": {good, "401"}}, nil, 77, nil, 1},
		{"an id that is a step in a path", map[string][]string{"take": {`200 {"id": "..", "payload": "x"}`, good, "204"}}, nil, 65, []string{"put aside", "task done"}, 1},
		{"an empty id", map[string][]string{"take": {`200 {"id": "", "payload": "x"}`, good, "204"}}, nil, 65, []string{"task done"}, 1},
		{"an id that is a list", map[string][]string{"take": {`200 {"id": [1], "payload": "x"}`, good, "204"}}, nil, 65, []string{"task done"}, 1},
		{"a payload that is not UTF-8", map[string][]string{"take": {"200 {\"id\": \"bad\", \"payload\": \"\xff\"}", good, "204"}}, nil, 65, []string{"task done"}, 1},
		{"a body that can't be made of one payload", map[string][]string{"take": {`200 {"id": "bad", "payload": {"n": 1}}`, `200 {"id": "good", "payload": {"n": 1, "m": 2}}`, "204"}},
			[]string{`--http-body=done={"m": <<.Task.m>>}`}, 65, []string{"task done"}, 1},
		{"an acknowledgement that is refused", map[string][]string{"take": {`200 {"id": "good", "payload": "x", "attempt": 1}`, "204"}, "done": {"422"}}, nil, 65, []string{"acknowledge the task", "put aside"}, 1},
		{"a proxy's 404 for an acknowledgement", map[string][]string{"take": {good, other, "204"}, "done": {"403", "200"}}, nil, 0, []string{"trying again"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &api{answers: tt.answers, calls: map[string]int{}}
			s := httptest.NewServer(a)
			defer s.Close()
			dir := t.TempDir()
			args := []string{"run", "--tasks=" + s.URL + "/take", "--keep-url=" + s.URL + "/keep/{id}", "--done-url=" + s.URL + "/done/{id}", "--fail-url=" + s.URL + "/fail/{id}",
				"--max-attempts=1", "--store-wait=1s", "--marker-timeout=1s", "--lease=5s", "--markers=file://" + dir + "/markers"}
			args = append(append(args, tt.flags...), "--", "sh", "-c", "echo ran >> "+dir+"/ran")
			_, stderr, code := program.Nth(t, []string{"NTH_INDEX=0"}, args...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, stderr)
			}
			for _, want := range tt.says {
				if !strings.Contains(stderr, want) {
					t.Errorf("it should say %q: %s", want, stderr)
				}
			}
			body, _ := os.ReadFile(dir + "/ran")
			if n := strings.Count(string(body), "ran"); n != tt.done {
				t.Errorf("%d commands ran, want %d: %s", n, tt.done, stderr)
			}
		})
	}
}

// TestItemsOwn: what one row, or one index's object, says is that index's failure.
func TestItemsOwn(t *testing.T) {
	dir := t.TempDir()
	rows := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(rows, []byte("name\na#b\na?b=c\n100%\ndir/\nplain\n\"\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain", "a#b"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	unable := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) }))
	t.Cleanup(unable.Close)
	long := strings.Repeat("x", 300)
	for _, tt := range []struct {
		name  string
		index string
		flags []string
		code  int
		says  string
	}{
		{"a row with #", "0", []string{"--tasks=file://" + rows, "--require=file://" + dir + "/<<.Task.name>>"}, 0, ""},
		{"a row with ?", "1", []string{"--tasks=file://" + rows, "--require=file://" + dir + "/<<.Task.name>>"}, 66, "a%3Fb=c"},
		{"a row with %", "2", []string{"--tasks=file://" + rows, "--require=file://" + dir + "/<<.Task.name>>"}, 66, "100%25"},
		{"a row that is a folder", "3", []string{"--tasks=file://" + rows, "--require=file://" + dir + "/<<.Task.name>>"}, 66, "dir/"}, // nothing is below it
		{"a row that is empty", "5", []string{"--tasks=file://" + rows, "--require=file://" + dir + "/<<.Task.name>>"}, 65, "empty"},   // and not what is in the folder
		{"a row that is empty, in a path", "5", []string{"--tasks=file://" + rows, "--require=" + dir + "/<<.Task.name>>"}, 65, "empty"},
		{"one that isn't", "4", []string{"--tasks=file://" + rows, "--require=file://" + dir + "/<<.Task.name>>"}, 0, ""},
		{"a slip in a URL that no row has a part in", "0", []string{"--tasks=file://" + rows, "--require=file://" + dir + "/plain?nope=1"}, 64, "nope"},
		{"# in the command line's own", "0", []string{"--require=file://" + dir + "/a#b"}, 64, "%23"},
		{"a name that is too long", "0", []string{"--require=file://" + dir + "/" + long + "<<.Index>>"}, 65, ""},
		{"an object that a server can't tell of", "0", []string{"--require=s3://bucket/file_<<.Index>>?anonymous=true&endpoint=" + unable.URL}, 69, "501"},
		{"a row's own .Index", "4", []string{"--tasks=file://" + rows, "--require=" + dir + "/file_<<.Index>>.txt"}, 66, "file_4.txt"},
		{"a row's file that isn't there", "4", []string{"--tasks=file://" + rows, `--env=A=<<file (printf "%s/none/%s" "` + dir + `" .Task.name)>>`}, 65, "no such file"},
		{"a row's file below one", "4", []string{"--tasks=file://" + rows, `--env=A=<<file (printf "%s/rows.csv/%s" "` + dir + `" .Task.name)>>`}, 65, "not a directory"},
		{"a row's file that can't be read", "4", []string{"--tasks=file://" + rows, `--env=A=<<if .Task>><<file "/proc/self/mem">><<end>>`}, 69, "input/output error"},
		{"no such manifest column, of any row", "4", []string{"--tasks=file://" + rows, "--env=A=<<.Task.nothing>>"}, 64, "nothing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"run", "--store-wait=0s"}, tt.flags...)
			_, stderr, code := program.Nth(t, []string{"NTH_INDEX=" + tt.index}, append(args, "--", "true")...)
			if code != tt.code || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit code %d, want %d, saying %q: %s", code, tt.code, tt.says, stderr)
			}
		})
	}
}

// TestIndexOfItems: of a row and of an API's item the index is the index, in what is shown
// and recorded too; only a queue's task may come to any worker.
func TestIndexOfItems(t *testing.T) {
	dir := t.TempDir()
	rows := filepath.Join(dir, "rows.txt")
	if err := os.WriteFile(rows, []byte("a\nb\nc\nd\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `"item"`) }))
	defer s.Close()
	for name, tasks := range map[string]string{"a row": "file://" + rows, "an API's item": s.URL + "/items/<<.Index>>"} {
		markers := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		_, stderr, code := program.Nth(t, []string{"NTH_INDEX=3"}, "run", "--tasks="+tasks, "--markers=file://"+markers, "--env=PART=<<.Index>>", "--", "true", "item <<.Index>>")
		body, err := os.ReadFile(markers + "/done/3.json")
		if code != 0 || err != nil || !strings.Contains(string(body), `"item 3"`) || !strings.Contains(stderr, "item 3") {
			t.Errorf("%s: exit code %d, %v: %s %s", name, code, err, body, stderr)
		}
	}
}
