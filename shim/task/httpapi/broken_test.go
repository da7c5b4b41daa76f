package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/testdata/tasks"
)

// leasing is an API that gives one task to whoever asks, as if its lease had ended each
// time, and says that it is unfinished. It takes down what it is told.
type leasing struct {
	*httptest.Server
	answer string
	told   []string
}

func startLeasing(t *testing.T, answer string) *leasing {
	a := &leasing{answer: answer}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/take":
			_, _ = io.WriteString(w, a.answer)
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, "true")
		default:
			var body struct {
				ID   json.RawMessage
				Dead bool
			}
			_ = json.NewDecoder(r.Body).Decode(&body)
			a.told = append(a.told, fmt.Sprintf("%s %s %v", r.URL.Path, body.ID, body.Dead))
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// own is a body that can't be made where the payload is "bad".
func own(c Call) (string, error) {
	if string(c.Task.Payload) == "bad" {
		return "", errors.New("there is no member lease in it")
	}
	return `{"x": 1}`, nil
}

// TestBroken: a task that nothing can be done with is a task, and fails. The API is told
// as far as it can be; where it can't, the task has its attempts all the same, and then
// isn't seen again.
func TestBroken(t *testing.T) {
	const attempts = 2
	for _, tt := range []struct {
		name, answer string
		fail         string // its URL
		body         func(Call) (string, error)
		says         string
		told         []string // by two failures
	}{
		{"a step in a path", `{"id": "..", "payload": "x"}`, "/{id}/fail", nil, `the task's {id} is "..", which can't stand in a URL`, nil},
		{"an empty id", `{"id": "", "payload": "x"}`, "/{id}/fail", nil, "its id is neither a string nor a number", nil},
		{"a list", `{"id": ["a"], "payload": "x"}`, "/{id}/fail", nil, "its id is neither a string nor a number", nil},
		{"no receipt", `{"id": "a", "payload": "x"}`, "/{id}/{receipt}/fail", nil, `the task's {receipt} is ""`, nil},
		{"a list that is told", `{"id": ["a"], "payload": "x", "attempt": 2}`, "/fail", nil, "its id is neither", []string{`/fail ["a"] true`, `/fail ["a"] true`}},
		{"no UTF-8", "{\"id\": 7, \"payload\": \"\xff\"}", "/{id}/fail", nil, "it is not UTF-8", []string{"/7/fail 7 false", "/7/fail 7 true"}},
		{"a body that can't be made", `{"id": 7, "payload": "bad"}`, "/{id}/fail", own, "the body of done: there is no member lease in it", []string{"/7/fail 7 false", "/7/fail 7 true"}},
		{"without a URL", `{"id": "..", "payload": "x"}`, "", nil, "can't stand in a URL", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api := startLeasing(t, tt.answer)
			s := Settings{Take: api.URL + "/take", Keep: api.URL + "/{id}/keep", Done: api.URL + "/{id}/done", Unfinished: api.URL + "/unfinished",
				Body: map[string]func(Call) (string, error){"done": tt.body}}
			if tt.body == nil {
				s.Body = nil
			}
			o := task.Options{RunID: "a", Lease: time.Minute}
			most := 1
			if tt.fail != "" {
				s.Fail, o.MaxAttempts, most = api.URL+tt.fail, attempts, attempts
			}
			source := mustOpen(t, s, o)
			for n := 1; n <= most; n++ {
				got, err := source.Take(t.Context())
				if err != nil || got == nil || got.Broken == nil || !strings.Contains(got.Broken.Error(), tt.says) || got.ID == "" {
					t.Fatalf("took %+v, %v", got, err)
				}
				unfinished(t, source, true)
				dead, err := source.Fail(t.Context(), got, task.Failure{Reason: "broken"})
				if want := n == most || got.Attempt == attempts; dead != want || err != nil {
					t.Errorf("failure %d: dead %v, %v", n, dead, err)
				}
			}
			if diff := cmp.Diff(tt.told, api.told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if tt.told != nil {
				return
			}
			if got, err := source.Take(t.Context()); got != nil || err != nil {
				t.Errorf("took %+v, %v", got, err)
			}
			unfinished(t, source, false)
			api.answer = `{"id": "fine", "payload": "x", "receipt": "r"}`
			if got, err := source.Take(t.Context()); got == nil || got.ID != "fine" || got.Broken != nil || err != nil {
				t.Errorf("took %+v, %v", got, err)
			}
		})
	}
}

// TestNotTheTask: what is no task's fault is an error, and so is what every task would
// fail of.
func TestNotTheTask(t *testing.T) {
	api := startLeasing(t, `{"id": 7, "payload": "x"}`)
	s := settings(strings.TrimPrefix(api.URL, "http://"), "q", 0)
	s.Take = api.URL + "/take"
	s.Body = map[string]func(Call) (string, error){"fail": func(Call) (string, error) {
		return "", fmt.Errorf("expand: %w", &contract.Error{Kind: contract.Denied, Cause: errors.New("the secret isn't there")})
	}}
	got, err := mustOpen(t, s, task.Options{RunID: "a", Lease: time.Minute}).Take(t.Context())
	if got != nil || outcome(err) != "denied" || !strings.Contains(err.Error(), "the body of fail: the secret isn't there") {
		t.Errorf("took %+v, %v", got, err)
	}
	s.Body["fail"] = func(c Call) (string, error) { return `{"x": "` + `"` + c.Task.ID + `"` + `"}`, nil }
	if _, err := New(s, task.Options{}); outcome(err) != "invalid" || err.Error() != "the body of fail is no JSON" {
		t.Errorf("%v", err)
	}
}

// TestMemory: what was given back leaves next to nothing behind, and never its payload.
func TestMemory(t *testing.T) {
	const many = 3000
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/take" {
			n++
			fmt.Fprintf(w, `{"id": "task-%d", "payload": %q, "receipt": "r", "attempt": 1}`, n, strings.Repeat("x", 1000))
		}
	}))
	defer server.Close()
	source := mustOpen(t, Settings{Take: server.URL + "/take", Keep: server.URL + "/{id}/keep", Done: server.URL + "/{id}/done", Fail: server.URL + "/{id}/fail"},
		task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 9})
	before := tasks.Bytes(source)
	for i := range many {
		got, err := source.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			err = source.Release(t.Context(), got)
		} else {
			_, err = source.Fail(t.Context(), got, task.Failure{After: time.Hour})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if more := tasks.Bytes(source) - before; more > 20_000 {
		t.Errorf("%d tasks left %d bytes behind", many, more)
	}
	unfinished(t, source, true)
}
