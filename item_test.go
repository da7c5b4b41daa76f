package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
		stdout, stderr, code := nth(t, []string{"JOB_COMPLETION_INDEX=" + tt.index, "TOKEN=token-canary"}, append(args, "--", "echo", tt.word)...)
		if code != tt.code || stdout != tt.out || !strings.Contains(stderr, tt.says) || strings.Contains(stderr, "canary") {
			t.Errorf("index %s: exit code %d, want %d; stdout %q, want %q; it should say %q: %s", tt.index, code, tt.code, stdout, tt.out, tt.says, stderr)
		}
	}
}
