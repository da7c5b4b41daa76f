//go:build linux

package queues

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/program"
)

// jobsAPI is an API as somebody else wrote it: other methods, other names, and a token
// that is good for the requests of one minute alone.
type jobsAPI struct {
	mu    sync.Mutex
	token string
	jobs  []string // still to be had
	calls []string
	kept  chan struct{} // closed at the first
	once  sync.Once
}

func (a *jobsAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Header.Get("Authorization") != "Token "+a.token {
		http.Error(w, "not "+r.Header.Get("Authorization"), http.StatusUnauthorized)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodPatch {
		a.calls = append(a.calls, fmt.Sprint(r.Method, " ", r.URL.Path, " ", string(body)))
	}
	switch {
	case len(body) > 0 && !json.Valid(body):
		http.Error(w, "no JSON", http.StatusBadRequest)
	case r.Method == http.MethodPost && len(a.jobs) == 0:
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost:
		_, _ = io.WriteString(w, a.jobs[0])
		a.jobs = a.jobs[1:]
	case r.Method == http.MethodPatch:
		a.once.Do(func() { close(a.kept) })
		fallthrough
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// TestAnotherAPI: methods, bodies and headers are those of the API that is there, no
// value gets out of its place in a body, and a token that was replaced in its file is
// the next request's.
func TestAnotherAPI(t *testing.T) {
	api := &jobsAPI{token: "first-canary", kept: make(chan struct{}), jobs: []string{
		`{"id": 7, "lease": "a\"b", "file": "x\",\"admin\":true,\"y\":\""}`, `{"id": 8, "attempt": 1, "payload": {"id": 8, "lease": "c", "file": "bad"}}`,
	}}
	server := httptest.NewServer(api)
	defer server.Close()
	q := &filledQueue{dead: func() int { return 0 }, left: func() int { return 0 }}
	s := newScene(t, q)
	replace := func(token string) {
		api.mu.Lock()
		defer api.mu.Unlock()
		api.token = token
		if err := os.WriteFile(s.path("token.new"), []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(s.path("token.new"), s.path("token")); err != nil {
			t.Fatal(err)
		}
	}
	replace("first-canary")
	s.flags = []string{"--tasks=" + server.URL + "/claims", "--lease=3s", "--max-attempts=1",
		"--keep-url=PATCH " + server.URL + "/jobs/{id}", "--done-url=DELETE " + server.URL + "/jobs/{id}", "--fail-url=PUT " + server.URL + "/jobs/{id}/state",
		`--http-header=Authorization=Token <<file "` + s.path("token") + `">>`,
		`--http-body=take={"worker": <<printf "w%d" .Index>>, "seconds": <<.Lease>>}`,
		`--http-body=keep={"seconds": <<.Lease>>, "lease": <<.Task.lease>>}`, `--http-body=done=`,
		`--http-body=fail={"state": <<if .Release>>"ready"<<else if .Dead>>"failed"<<else>>"again"<<end>>, "job": <<.Task.id>>, "file": <<.Task.file>>, "why": <<.Reason>>}`}
	p := s.start(3, []string{"sh", "-c", `test <<quote .Task.file>> != bad && touch ` + s.path("began") + ` && while [ ! -e ` + s.path("go") + ` ]; do sleep 0.05; done`})
	p.says("task taken")
	<-api.kept
	replace("second-canary")
	s.touch("go")
	p.ends(65, "task done", "put aside")
	want := []string{
		`POST /claims {"worker": "w3", "seconds": 3}`, `DELETE /jobs/7 `, `POST /claims {"worker": "w3", "seconds": 3}`,
		`PUT /jobs/8/state {"state": "failed", "job": 8, "file": "bad", "why": "nth: index 3: task \"8\": run sh: exit code 1"}`, `POST /claims {"worker": "w3", "seconds": 3}`,
	}
	if diff := cmp.Diff(want, api.calls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAnotherBody: what can't be said to an API is found before there is anything to say,
// and of one task it is that task's failure.
func TestAnotherBody(t *testing.T) {
	api := &jobsAPI{token: "x", kept: make(chan struct{})}
	server := httptest.NewServer(api)
	defer server.Close()
	flags := []string{"run", "--tasks=" + server.URL + "/claims", "--keep-url=" + server.URL + "/keep", "--done-url=" + server.URL + "/done", "--store-wait=0s", "--http-header=Authorization=Token x"}
	for _, tt := range []struct {
		flag string
		code int
		says string
	}{
		{`--http-body={"x": 1}`, 64, "it is not CALL=TEMPLATE"},
		{`--http-body=ack={"x": 1}`, 64, "it is not CALL=TEMPLATE"},
		{`--http-body=done={"x": <<.Nothing>>}`, 64, "there is no field .Nothing"},
		{`--http-body=done={"x": <<.Reason>>}`, 64, "there is no field .Reason"},
		{`--http-body=take={"x": <<.TaskID>>}`, 64, "there is none yet"},
		{`--http-body=take={"x": "<<.Lease>>`, 78, "the body of take is no JSON"},
		{`--http-body=done={"x": "<<.TaskID>>"}`, 78, "the body of done is no JSON"},
		{`--http-body=keep={"x": <<.Task.lease>>}`, 65, "the body of keep"},
		{`--http-body=fail={"x": <<secret "NOTHING">>}`, 78, "the body of fail"},
		{`--done-url=GET http://127.0.0.1:1/canary`, 78, `the method \"GET\" of done`},
		{`--done-url=http://127.0.0.1:1/{receipt}`, 65, "done: the task's {receipt} is"},
		{`--http-header=X=<<file "/no/such">>`, 77, "no such file"},
	} {
		api.mu.Lock()
		api.jobs = []string{`{"id": 7}`}
		api.mu.Unlock()
		stdout, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, append(append(flags[:len(flags):len(flags)], tt.flag), "--", "echo", "ran")...)
		if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.says) {
			t.Errorf("%s: exit code %d, want %d and %q: %s%s", tt.flag, code, tt.code, tt.says, stdout, stderr)
		}
	}
}
