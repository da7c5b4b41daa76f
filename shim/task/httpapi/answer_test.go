package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nth/shim/task"
)

// TestAnswers: what is a task, what is none, and what is neither.
func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		ownID      bool
		want       *task.Task
		err        string // of the answer, or, with a task, of the task
	}{
		{"all of it", `{"id": "a", "payload": "p", "attempt": 2, "receipt": "r", "meta": {"s": "x", "n": 1, "o": {"a": [1]}, "e": ""}}`, false,
			&task.Task{ID: "a", Payload: []byte("p"), Attempt: 2, Receipt: "r", Meta: map[string]string{"s": "x", "n": "1", "o": `{"a": [1]}`, "e": ""}}, ""},
		{"an object as payload", `{"id": "a", "payload": {"n": 1.50, "x" : null}}`, false, &task.Task{ID: "a", Payload: []byte(`{"n": 1.50, "x" : null}`)}, ""},
		{"a number", `{"id": "a", "payload": 12345678901234567890}`, false, &task.Task{ID: "a", Payload: []byte("12345678901234567890")}, ""},
		{"null as payload", `{"id": "a", "payload": null}`, false, &task.Task{ID: "a", Payload: []byte("null")}, ""},
		{"no bytes", `{"id": "a", "payload": ""}`, false, &task.Task{ID: "a", Payload: []byte{}}, ""},
		{"base64", `{"id": "a", "payload_base64": "AP8B"}`, false, &task.Task{ID: "a", Payload: []byte("\x00\xff\x01")}, ""},
		{"no bytes in base64", `{"id": "a", "payload_base64": ""}`, false, &task.Task{ID: "a", Payload: []byte{}}, ""},
		{"an ID of twenty digits", `{"id": 12345678901234567890, "payload": ""}`, false, &task.Task{ID: "12345678901234567890", Payload: []byte{}}, ""},
		{"a negative one", `{"id": -1, "payload": ""}`, false, &task.Task{ID: "-1", Payload: []byte{}}, ""},
		{"no envelope", ` {"id": 7, "receipt": "r", "attempt": 9, "video": "a.mp4"}` + "\n", false,
			&task.Task{ID: "7", Receipt: "r", Payload: []byte(` {"id": 7, "receipt": "r", "attempt": 9, "video": "a.mp4"}` + "\n")}, ""},
		{"names are as they are written", `{"id": 7, "Payload": "p", "ID": 8}`, false, &task.Task{ID: "7", Payload: []byte(`{"id": 7, "Payload": "p", "ID": 8}`)}, ""},
		{"none", "null", false, nil, ""},
		{"none, with an own ID", " null\n", true, nil, ""},
		{"own ID", `{"video": "a.mp4"}`, true, &task.Task{Payload: []byte(`{"video": "a.mp4"}`)}, ""},
		{"own ID, in an envelope", `{"payload": "a.mp4", "receipt": 5}`, true, &task.Task{Receipt: "5", Payload: []byte("a.mp4")}, ""},
		{"own ID, no JSON", "a.mp4\n", true, &task.Task{Payload: []byte("a.mp4\n")}, ""},
		{"own ID, no text", "{\xff\x00", true, &task.Task{Payload: []byte("{\xff\x00")}, ""},
		{"own ID, no byte", "", true, &task.Task{Payload: []byte("")}, ""},
		{"own ID, a page", " <!DocType HTML><body>", true, nil, "unreachable"},

		{"no body", "", false, nil, "unreachable"},
		{"a page", "<html>", false, nil, "unreachable"},
		{"a text", "Service is being updated", false, nil, "unreachable"},
		{"cut short", `{"id": 7, "payload": "`, false, nil, "unreachable"},
		{"a word too many", `null null`, false, nil, "unreachable"},
		{"a list", `[{"id": 7}]`, false, nil, "malformed"},
		{"an empty list", `[]`, false, nil, "malformed"},
		{"no task", `false`, false, nil, "malformed"},
		{"no member", `{}`, false, nil, "malformed"},
		{"no ID", `{"payload": "x"}`, false, nil, "malformed"},
		// These are tasks, and broken.
		{"an empty ID", `{"id": "", "payload": "x"}`, false, &task.Task{ID: "sha256:ba2df4903a2c14e8", Payload: []byte("x")}, "malformed"},
		{"null as ID", `{"id": null, "payload": "x"}`, false, &task.Task{ID: "sha256:ba2df4903a2c14e8", Payload: []byte("x")}, "malformed"},
		{"an object as ID", `{"id": {}, "payload": "x"}`, false, &task.Task{ID: "{}", Payload: []byte("x")}, "malformed"},
		{"a list as ID", `{"id": ["a"], "payload": "x"}`, false, &task.Task{ID: `["a"]`, Payload: []byte("x")}, "malformed"},
		{"an ID that is no UTF-8", "{\"id\": \"a\xff\", \"payload\": \"x\"}", false, &task.Task{ID: "\"a\uFFFD\"", Payload: []byte("x")}, "malformed"},
		{"an attempt and a half", `{"id": 7, "payload": "x", "attempt": 1.5}`, false, &task.Task{ID: "7", Payload: []byte("x")}, "malformed"},
		{"an attempt before the first", `{"id": 7, "payload": "x", "attempt": -1}`, false, &task.Task{ID: "7", Payload: []byte("x")}, "malformed"},
		{"meta is a list", `{"id": 7, "payload": "x", "meta": []}`, false, &task.Task{ID: "7", Payload: []byte("x")}, "malformed"},
		{"no base64", `{"id": 7, "payload_base64": "?"}`, false, &task.Task{ID: "7"}, "malformed"},
		{"null as base64", `{"id": 7, "payload_base64": null}`, false, &task.Task{ID: "7"}, "malformed"},
		{"no UTF-8", "{\"id\": 7, \"payload\": \"\xff\"}", false, &task.Task{ID: "7", Payload: []byte("\uFFFD")}, "malformed"},
		{"no UTF-8, with an own ID", "{\"payload\": \"\xff\"}", true, &task.Task{ID: "sha256:2c1ba6ac713bfc21", Payload: []byte("\uFFFD")}, "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse([]byte(tt.body), tt.ownID)
			var gotTask *task.Task
			if got != nil && err == nil {
				gotTask, err = got.task, got.task.Broken
				gotTask.Broken = nil
			}
			if tt.err == "" && err != nil || tt.err != "" && outcome(err) != tt.err {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, gotTask); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestBodies: also what stands around a body must fit.
func TestBodies(t *testing.T) {
	const document = `{"id": 7, "payload": "x"}`
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"compressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte(document))
		}, "unreachable"},
		{"as a text", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte(document))
		}, "a task"},
		{"in pieces", func(w http.ResponseWriter, _ *http.Request) {
			for i := range document {
				_, _ = w.Write([]byte(document[i : i+1]))
				w.(http.Flusher).Flush()
			}
		}, "a task"},
		{"an object ends by itself", raw("HTTP/1.0 200 OK\r\n\r\n" + document), "a task"},
		{"nothing else does", raw("HTTP/1.0 200 OK\r\n\r\nnull"), "unreachable"},
		{"fewer bytes than promised", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + document), "unreachable"},
		{"fewer pieces than promised", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnull\r\n"), "unreachable"},
		{"no HTTP", raw("+OK\r\n"), "unreachable"},
		{"nothing", raw(""), "unreachable"},
		{"a payload without end", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"id": 7, "payload": "`))
			for range maxAnswer >> 20 {
				_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
			}
			_, _ = w.Write([]byte(`"}`))
		}, "unreachable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source, _ := scripted(t, tt.answer)
			if got := outcome(calls[0].call(t.Context(), source)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// raw answers with just these bytes, and hangs up.
func raw(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = c.Write([]byte(answer))
			c.Close()
		}
	}
}

// TestLargest: 10 MiB of which each byte is escaped.
func TestLargest(t *testing.T) {
	source, _ := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id": 7, "payload": "` + strings.Repeat(`\u0000`, 10<<20) + `"}`))
	})
	got, err := source.Take(t.Context())
	if err != nil || !bytes.Equal(got.Payload, make([]byte, 10<<20)) {
		t.Errorf("took %v, %v", got != nil, err)
	}
}

// FuzzParse: what is taken has an ID, is what was sent, and comes back the same from
// an envelope of one's own; everything else is an error that says what to do.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"null", `{"id": "a", "payload": "p", "attempt": 2, "receipt": "r", "meta": {"s": "x", "n": 1}}`, `{"id":1,"payload_base64":"AP8B"}`,
		`{"id": 7, "video": "a.mp4"}`, `[1]`, "<html>", `{"id":"\ud800","payload":{"a":null}}`, "", "{\xff}", `{"payload":"x","receipt":1e3}`, `{"id":1,"payload":null,"meta":null,"attempt":null}`} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, ownID bool) {
		sent := bytes.Clone(body)
		got, err := parse(body, ownID)
		if !bytes.Equal(sent, body) {
			t.Fatal("the answer was changed")
		}
		switch {
		case err != nil:
			if kind := outcome(err); kind != "unreachable" && kind != "malformed" {
				t.Fatalf("%v", err)
			}
			return
		case got == nil:
			if string(bytes.TrimSpace(body)) != "null" {
				t.Fatal("it was taken for none")
			}
			return
		case got.task.Broken != nil:
			if outcome(got.task.Broken) != "malformed" || got.task.ID == "" {
				t.Fatalf("took %+v", got.task)
			}
			return
		case got.task.ID == "" && !ownID, got.task.Attempt < 0:
			t.Fatalf("took %+v", got.task)
		}
		var doc map[string]json.RawMessage
		if json.Unmarshal(body, &doc) != nil || doc["payload"] == nil && doc["payload_base64"] == nil {
			if !bytes.Equal(got.task.Payload, body) {
				t.Fatal("the payload is not the body")
			}
			return
		}
		envelope := map[string]any{"payload_base64": base64.StdEncoding.EncodeToString(got.task.Payload), "attempt": got.task.Attempt, "meta": got.task.Meta}
		if got.task.ID != "" {
			envelope["id"] = got.task.ID
		}
		if got.task.Receipt != "" {
			envelope["receipt"] = got.task.Receipt
		}
		again, err := json.Marshal(envelope)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parse(again, ownID)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if diff := cmp.Diff(got.task, back.task); diff != "" && utf8.Valid(body) {
			t.Fatalf("(-first +again):\n%s", diff)
		}
	})
}
