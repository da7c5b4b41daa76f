//go:build linux

package queues

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/program"
)

// heap is an API whose tasks come one after the other, and again and again, until it is
// told that they are done or dead.
type heap struct {
	mu    sync.Mutex
	tasks []string // documents, by what they are told under
	names []string
	told  []string
}

func (h *heap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.URL.Path == "/take" {
		if len(h.tasks) == 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		_, _ = io.WriteString(w, h.tasks[0])
		h.tasks, h.names = append(h.tasks[1:], h.tasks[0]), append(h.names[1:], h.names[0])
		return
	}
	var body struct{ Dead bool }
	_ = json.NewDecoder(r.Body).Decode(&body)
	_, what, _ := strings.Cut(r.URL.Path, "/")
	h.told = append(h.told, fmt.Sprint(what, " ", body.Dead))
	name, call, _ := strings.Cut(what, "/")
	if i := slices.Index(h.names, name); i >= 0 && (call == "done" || body.Dead) {
		h.tasks, h.names = slices.Delete(h.tasks, i, i+1), slices.Delete(h.names, i, i+1)
	}
}

// TestBrokenTasks: each has its attempts, of which the API is told as far as it can be,
// and no more, though the API gives them again and again. The others are done, and the
// worker ends.
func TestBrokenTasks(t *testing.T) {
	h := &heap{tasks: []string{`{"id": "..", "payload": "a"}`, `{"id": "", "payload": "b"}`, `{"id": ["c"], "payload": "c"}`, "{\"id\": \"no-text\", \"payload\": \"\xff\"}",
		`{"id": "bad", "payload": "d"}`, `{"id": "good", "payload": {"lease": 1}}`}, names: []string{"..", "", "[c]", "no-text", "bad", "good"}}
	server := httptest.NewServer(h)
	defer server.Close()
	_, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, "run", "--tasks="+server.URL+"/take", "--keep-url="+server.URL+"/{id}/keep",
		"--done-url="+server.URL+"/{id}/done", "--fail-url="+server.URL+"/{id}/fail", "--max-attempts=2", `--http-body=keep={"x": <<.Task.lease>>}`, "--", "true")
	if code != 65 || !strings.Contains(stderr, "5 put aside") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	slices.Sort(h.told)
	if diff := cmp.Diff([]string{"bad/fail false", "bad/fail true", "good/done false", "no-text/fail false", "no-text/fail true"}, h.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
