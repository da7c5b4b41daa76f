package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// scripted opens an API that answers each request as it is told, for a worker that
// gives a task up after its third attempt.
func scripted(t *testing.T, answer http.HandlerFunc) (task.Source, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	s := settings(strings.TrimPrefix(server.URL, "http://"), "q", 0)
	return mustOpen(t, s, task.Options{RunID: "a", Lease: time.Minute, MaxAttempts: 3}), server
}

// outcome names what a call came to.
func outcome(err error) string {
	kinds := map[contract.Kind]string{contract.Unreachable: "unreachable", contract.Denied: "denied", contract.Refused: "refused",
		contract.Malformed: "malformed", contract.NoSuch: "no such", contract.Unsupported: "unsupported", contract.Invalid: "invalid"}
	if errors.Is(err, task.ErrLost) {
		return "lost"
	}
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return kinds[e.Kind]
	}
	return fmt.Sprint(err)
}

// calls are those of a source, on a task that it never took.
var calls = []struct {
	name string
	call func(context.Context, task.Source) error
}{
	{"take", func(ctx context.Context, s task.Source) error {
		got, err := s.Take(ctx)
		if got != nil {
			return errors.New("a task")
		}
		return err
	}},
	{"keep", func(ctx context.Context, s task.Source) error { return s.Keep(ctx, &task.Task{ID: "7"}) }},
	{"done", func(ctx context.Context, s task.Source) error { return s.Done(ctx, &task.Task{ID: "7"}) }},
	{"fail", func(ctx context.Context, s task.Source) error {
		_, err := s.Fail(ctx, &task.Task{ID: "7"}, task.Failure{})
		return err
	}},
	{"release", func(ctx context.Context, s task.Source) error { return s.Release(ctx, &task.Task{ID: "7"}) }},
	{"unfinished", func(ctx context.Context, s task.Source) error { _, err := s.Unfinished(ctx); return err }},
}

// TestStatuses: what each status means to take, keep, done, fail, release and
// unfinished. Only 204 is an empty queue, and no 200 without the right body is.
func TestStatuses(t *testing.T) {
	const (
		ok, lost, u, d, x, n, s = "<nil>", "lost", "unreachable", "denied", "refused", "no such", "unsupported"
	)
	for status, want := range map[int][6]string{
		200: {u, ok, ok, ok, ok, u}, 201: {u, ok, ok, ok, ok, u}, 202: {u, ok, ok, ok, ok, u}, 203: {u, u, u, u, u, u},
		204: {ok, ok, ok, ok, ok, u}, 205: {u, u, u, u, u, u}, 206: {u, u, u, u, u, u}, 207: {u, u, u, u, u, u}, 299: {u, u, u, u, u, u},
		300: {u, u, u, u, u, u}, 301: {n, n, n, n, n, n}, 302: {u, u, u, u, u, u}, 303: {u, u, u, u, u, u}, 304: {u, u, u, u, u, u},
		307: {u, u, u, u, u, u}, 308: {n, n, n, n, n, n},
		400: {x, x, x, x, x, x}, 401: {d, d, d, d, d, d}, 402: {d, d, d, d, d, d}, 403: {d, d, d, d, d, d},
		404: {n, lost, ok, lost, lost, n}, 405: {x, x, x, x, x, x}, 406: {x, x, x, x, x, x}, 407: {d, d, d, d, d, d},
		408: {u, u, u, u, u, u}, 409: {u, lost, lost, lost, lost, u}, 410: {n, lost, ok, lost, lost, n}, 411: {x, x, x, x, x, x},
		412: {x, lost, lost, lost, lost, x}, 413: {x, x, x, x, x, x}, 415: {x, x, x, x, x, x}, 421: {u, u, u, u, u, u},
		422: {x, x, x, x, x, x}, 423: {u, u, u, u, u, u}, 425: {u, u, u, u, u, u}, 426: {x, x, x, x, x, x}, 428: {x, x, x, x, x, x},
		429: {u, u, u, u, u, u}, 431: {x, x, x, x, x, x}, 451: {x, x, x, x, x, x}, 499: {x, x, x, x, x, x},
		500: {u, u, u, u, u, u}, 501: {s, s, s, s, s, s}, 502: {u, u, u, u, u, u}, 503: {u, u, u, u, u, u}, 504: {u, u, u, u, u, u},
		505: {s, s, s, s, s, s}, 507: {u, u, u, u, u, u}, 511: {u, u, u, u, u, u}, 520: {u, u, u, u, u, u}, 599: {u, u, u, u, u, u}, 600: {u, u, u, u, u, u},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			source, _ := scripted(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			for i, c := range calls {
				got := outcome(c.call(t.Context(), source))
				if got != want[i] {
					t.Errorf("%s: %s, want %s", c.name, got, want[i])
				}
			}
		})
	}
}

// TestPages: some login's or proxy's page is no answer to anything, whatever is in it.
func TestPages(t *testing.T) {
	for name, page := range map[string]http.HandlerFunc{
		"by its type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(`{"id": 1, "payload": "x", "unfinished": false}`))
		},
		"XHTML": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/xhtml+xml")
			_, _ = w.Write([]byte(`null`))
		},
		"found out by net/http": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<!DOCTYPE html><title>Log in</title>"))
		},
		"nothing in it": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusAccepted)
		},
	} {
		t.Run(name, func(t *testing.T) {
			source, _ := scripted(t, page)
			for _, c := range calls {
				if got := outcome(c.call(t.Context(), source)); got != "unreachable" {
					t.Errorf("%s: %s", c.name, got)
				}
			}
		})
	}
}

// TestUnfinishedAnswers: true or false, and nothing that could be taken for either.
func TestUnfinishedAnswers(t *testing.T) {
	for body, want := range map[string]string{
		"true": "true <nil>", " false\n": "false <nil>", `{"unfinished": true}`: "true <nil>", `{"unfinished": false, "more": 1}`: "false <nil>",
		"": "false unreachable", "null": "false unreachable", "{}": "false unreachable", "0": "false unreachable", `"true"`: "false unreachable",
		`{"unfinished": "no"}`: "false unreachable", `{"unfinished": null}`: "false unreachable", "true false": "false unreachable", "[true]": "false unreachable",
	} {
		source, _ := scripted(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				t.Errorf("asked by %s", r.Method)
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(body))
		})
		got, err := source.Unfinished(t.Context())
		if diff := cmp.Diff(want, fmt.Sprint(got, " ", outcome(err))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

// TestDead: who says whether a task is dead, and what when the API doesn't.
func TestDead(t *testing.T) {
	for _, tt := range []struct {
		name    string
		attempt int
		status  int
		body    string
		want    string
	}{
		{"the API counts, and has more", 3, 200, `{"dead": false}`, "false <nil>"},
		{"the API counts, and has less", 1, 200, `{"dead": true}`, "true <nil>"},
		{"asked for, and no word", 3, 204, "", "true <nil>"},
		{"not asked for, and no word", 2, 204, "", "false <nil>"},
		{"another word", 3, 200, "OK", "true <nil>"},
		{"no count", 0, 200, "{}", "false <nil>"},
		{"no answer", 3, 502, "", "false unreachable"},
	} {
		source, _ := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		})
		dead, err := source.Fail(t.Context(), &task.Task{ID: "7", Attempt: tt.attempt}, task.Failure{Reason: "exit code 1"})
		if diff := cmp.Diff(tt.want, fmt.Sprint(dead, " ", outcome(err))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
