package servers

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// TasksAPI is an HTTP API of a test's own that gives tasks out, as a company would
// write one: leases by receipt, attempts, delays, dead letters, and Idempotency-Key.
// It keeps its queues in memory, also while it is stopped. A Fault before it
// misbehaves on request.
//
//	POST /queues/NAME/take             a task, or 204
//	POST /queues/NAME/tasks/ID/keep    and done, fail (release too)
//	GET  /queues/NAME/unfinished?index=
type TasksAPI struct {
	Address string // host:port
	Token   string // what each request must bear; "": none

	handler http.Handler
	server  *http.Server
	mu      sync.Mutex
	queues  map[string]*apiQueue
}

type apiQueue struct {
	tasks   []*apiTask
	answers map[string]apiAnswer // by Idempotency-Key
}

type apiTask struct {
	id, payload, state string // ready, leased, done, dead
	attempt            int
	index              int64 // who took it last; -1: nobody
	receipt            string
	ends, due          time.Time
}

type apiAnswer struct {
	status        int
	request, body []byte
}

// apiRequest is what a worker sends.
type apiRequest struct {
	Index         int64
	Receipt       string
	Reason        string
	Lease         float64 `json:"lease_s"`
	After         float64 `json:"after_s"`
	Dead, Release bool
}

// StartTasksAPI starts one, and stops it when the test ends.
func StartTasksAPI(t testing.TB) *TasksAPI {
	t.Helper()
	a := &TasksAPI{Address: Address(t), queues: map[string]*apiQueue{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /queues/{queue}/take", a.once(a.take))
	mux.HandleFunc("POST /queues/{queue}/tasks/{id}/keep", a.held(a.keep))
	mux.HandleFunc("POST /queues/{queue}/tasks/{id}/done", a.held(a.done))
	mux.HandleFunc("POST /queues/{queue}/tasks/{id}/fail", a.once(a.held(a.fail)))
	mux.HandleFunc("GET /queues/{queue}/unfinished", a.unfinished)
	a.handler = mux
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Stop)
	return a
}

// Start starts it, again after a Stop at the address that it had.
func (a *TasksAPI) Start() error {
	l, err := net.Listen("tcp", a.Address)
	if err != nil {
		return err
	}
	a.server = &http.Server{Handler: http.HandlerFunc(a.serve)}
	go func() { _ = a.server.Serve(l) }()
	return nil
}

// Stop drops all connections.
func (a *TasksAPI) Stop() { _ = a.server.Close() }

// URL is that of a path below a queue.
func (a *TasksAPI) URL(queue, path string) string {
	return "http://" + a.Address + "/queues/" + queue + "/" + path
}

// Queue makes an empty queue.
func (a *TasksAPI) Queue(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queues[name] = &apiQueue{answers: map[string]apiAnswer{}}
}

// Fill adds tasks.
func (a *TasksAPI) Fill(queue string, payloads ...[]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.queues[queue]
	for _, p := range payloads {
		q.tasks = append(q.tasks, &apiTask{id: strconv.Itoa(len(q.tasks)), payload: string(p), state: "ready", index: -1})
	}
}

// In gives the payloads of the tasks in one of these states: ready, leased, done, dead.
func (a *TasksAPI) In(queue string, states ...string) (payloads [][]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range a.queues[queue].tasks {
		for _, s := range states {
			if t.state == s {
				payloads = append(payloads, []byte(t.payload))
			}
		}
	}
	return payloads
}

func (a *TasksAPI) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.Token != "" && r.Header.Get("Authorization") != "Bearer "+a.Token {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.handler.ServeHTTP(w, r)
}

// once answers a request that comes again as it did the first time (the draft
// draft-ietf-httpapi-idempotency-key-header).
func (a *TasksAPI) once(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, key := a.queues[r.PathValue("queue")], r.Header.Get("Idempotency-Key")
		if q == nil || key == "" {
			http.Error(w, "no such queue, or no Idempotency-Key", cmp.Or(map[bool]int{true: http.StatusNotFound}[q == nil], http.StatusBadRequest))
			return
		}
		request, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(request))
		answer, seen := q.answers[key]
		if !seen {
			rec := httptest.NewRecorder()
			next(rec, r)
			answer = apiAnswer{rec.Code, request, rec.Body.Bytes()}
			q.answers[key] = answer
		}
		if !bytes.Equal(answer.request, request) {
			http.Error(w, "this Idempotency-Key was another request's", http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body)
	}
}

// free finds a task to take: of those whose lease has ended, else of those that are due.
func (q *apiQueue) free(now time.Time) *apiTask {
	for _, t := range q.tasks {
		if t.state == "leased" && now.After(t.ends) {
			return t
		}
	}
	for _, t := range q.tasks {
		if t.state == "ready" && !now.Before(t.due) {
			return t
		}
	}
	return nil
}

func (a *TasksAPI) take(w http.ResponseWriter, r *http.Request) {
	var asked apiRequest
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Lease <= 0 {
		http.Error(w, "no lease_s", http.StatusBadRequest)
		return
	}
	now := time.Now()
	t := a.queues[r.PathValue("queue")].free(now)
	if t == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	t.state, t.index, t.receipt, t.ends = "leased", asked.Index, rand.Text(), now.Add(seconds(asked.Lease))
	t.attempt++
	answer := map[string]any{"id": t.id, "attempt": t.attempt, "receipt": t.receipt, "meta": map[string]any{"queue": r.PathValue("queue"), "number": 7}}
	if utf8.ValidString(t.payload) {
		answer["payload"] = t.payload
	} else {
		answer["payload_base64"] = []byte(t.payload)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// held finds the task for who still has it.
func (a *TasksAPI) held(next func(http.ResponseWriter, *apiTask, apiRequest)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var asked apiRequest
		q := a.queues[r.PathValue("queue")]
		id, err := strconv.Atoi(r.PathValue("id"))
		if q == nil || err != nil || id >= len(q.tasks) {
			http.Error(w, "no such task", http.StatusNotFound)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		switch t := q.tasks[id]; {
		case asked.Receipt != t.receipt || t.state == "ready":
			http.Error(w, "it is another's now", http.StatusConflict)
		case t.state != "leased":
			http.Error(w, "it is "+t.state, http.StatusGone)
		default:
			next(w, t, asked)
		}
	}
}

func (a *TasksAPI) keep(w http.ResponseWriter, t *apiTask, asked apiRequest) {
	if now := time.Now(); now.Before(t.ends) {
		t.ends = now.Add(seconds(asked.Lease))
		return
	}
	http.Error(w, "too late", http.StatusPreconditionFailed)
}

func (a *TasksAPI) done(w http.ResponseWriter, t *apiTask, _ apiRequest) {
	t.state = "done"
	w.WriteHeader(http.StatusNoContent)
}

func (a *TasksAPI) fail(w http.ResponseWriter, t *apiTask, asked apiRequest) {
	t.state, t.due = "ready", time.Now().Add(seconds(asked.After))
	if asked.Release {
		t.attempt--
	}
	if asked.Dead {
		t.state = "dead"
	}
	fmt.Fprintf(w, `{"dead": %v}`, asked.Dead)
}

func (a *TasksAPI) unfinished(w http.ResponseWriter, r *http.Request) {
	q := a.queues[r.PathValue("queue")]
	index, err := strconv.ParseInt(r.FormValue("index"), 10, 64)
	if q == nil || err != nil {
		http.NotFound(w, r)
		return
	}
	left := false
	for _, t := range q.tasks {
		left = left || t.index == index && (t.state == "ready" || t.state == "leased")
	}
	fmt.Fprintf(w, `{"unfinished": %v}`, left)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
