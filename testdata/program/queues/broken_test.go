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
	takes int
	// odd is what the third take, and every later one, is answered, if it isn't zero.
	odd int
}

func (h *heap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.URL.Path == "/take" {
		h.takes++
		if h.odd != 0 && h.takes >= 3 {
			w.WriteHeader(h.odd)
			return
		}
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

func workAt(t *testing.T, h *heap, more ...string) (stderr string, code int) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	flags := append([]string{"run", "--tasks=" + server.URL + "/take", "--keep-url=" + server.URL + "/{id}/keep", "--done-url=" + server.URL + "/{id}/done",
		"--fail-url=" + server.URL + "/{id}/fail", "--max-attempts=2", "--store-wait=1s", "--marker-timeout=1s"}, more...)
	_, stderr, code = program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, append(flags, "--", "true")...)
	return stderr, code
}

// TestBrokenTasks: what one task says of itself is that task's failure. The others are
// done, and the worker ends.
func TestBrokenTasks(t *testing.T) {
	h := &heap{tasks: []string{`{"id": "..", "payload": "a"}`, `{"id": "", "payload": "b"}`, `{"id": ["c"], "payload": "c"}`, "{\"id\": \"no-text\", \"payload\": \"\xff\"}",
		`{"id": "bad", "payload": "d"}`, `{"id": "good", "payload": {"lease": 1}}`}, names: []string{"..", "", "[c]", "no-text", "bad", "good"}}
	stderr, code := workAt(t, h, `--http-body=keep={"x": <<.Task.lease>>}`)
	if code != 65 || !strings.Contains(stderr, "5 put aside") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	slices.Sort(h.told)
	if diff := cmp.Diff([]string{"bad/fail false", "bad/fail true", "good/done false", "no-text/fail false", "no-text/fail true"}, h.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestOddAnswers: what the API says at first is about the Job, and in the middle of the
// work about the API.
func TestOddAnswers(t *testing.T) {
	for status, want := range map[int]int{400: 78, 404: 78, 501: 78, 502: 69, 403: 77} {
		if stderr, code := workAt(t, &heap{odd: status, takes: 5}); code != want {
			t.Errorf("%d at first: exit code %d, want %d: %s", status, code, want, stderr)
		}
		if want == 78 {
			want = 69
		}
		h := &heap{odd: status, tasks: []string{`{"id": 1}`, `{"id": 2}`}, names: []string{"1", "2"}}
		if stderr, code := workAt(t, h); code != want || !slices.Equal(h.told, []string{"1/done false", "2/done false"}) {
			t.Errorf("%d in the middle: exit code %d, want %d, told %v: %s", status, code, want, h.told, stderr)
		}
	}
}
