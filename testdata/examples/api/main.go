// Command api is the least that an HTTP API must do to give nth its tasks: it leases
// one at a time, keeps the lease, and knows who took it last. The tasks are in memory.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

type task struct {
	ID      int    `json:"id"`
	Payload string `json:"payload"`
	State   string `json:"state"`   // ready, leased, done or dead
	Attempt int    `json:"attempt"` // deliveries so far
	index   int64  // of the worker that took it last
	receipt string // names its last delivery
	due     time.Time
}

// asked is what nth sends.
type asked struct {
	Index         int64
	Receipt       string
	Lease         float64 `json:"lease_s"`
	After         float64 `json:"after_s"`
	Dead, Release bool
}

var (
	mu    sync.Mutex
	tasks []*task
)

func main() {
	http.HandleFunc("POST /tasks", add)
	http.HandleFunc("GET /tasks", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(w).Encode(tasks)
	})
	http.HandleFunc("POST /take", take)
	http.HandleFunc("POST /tasks/{id}/keep", held(func(t *task, a asked) { t.due = in(a.Lease) }))
	http.HandleFunc("POST /tasks/{id}/done", held(func(t *task, _ asked) { t.State = "done" }))
	http.HandleFunc("POST /tasks/{id}/fail", held(fail))
	http.HandleFunc("GET /unfinished", unfinished)
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}

func in(seconds float64) time.Time {
	return time.Now().Add(time.Duration(seconds * float64(time.Second)))
}

func add(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	mu.Lock()
	defer mu.Unlock()
	tasks = append(tasks, &task{ID: len(tasks), Payload: string(body), State: "ready", index: -1})
}

func take(w http.ResponseWriter, r *http.Request) {
	var a asked
	if json.NewDecoder(r.Body).Decode(&a) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	mu.Lock()
	defer mu.Unlock()
	for _, t := range tasks {
		if (t.State == "ready" || t.State == "leased") && time.Now().After(t.due) {
			t.State, t.index, t.receipt, t.due = "leased", a.Index, rand.Text(), in(a.Lease)
			t.Attempt++
			_ = json.NewEncoder(w).Encode(map[string]any{"id": t.ID, "payload": t.Payload, "attempt": t.Attempt, "receipt": t.receipt})
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// held finds the task for who still has it.
func held(do func(*task, asked)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var a asked
		id, err := strconv.Atoi(r.PathValue("id"))
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil || id < 0 || id >= len(tasks) || json.NewDecoder(r.Body).Decode(&a) != nil:
			w.WriteHeader(http.StatusNotFound)
		case tasks[id].State != "leased" || tasks[id].receipt != a.Receipt:
			w.WriteHeader(http.StatusConflict)
		default:
			do(tasks[id], a)
		}
	}
}

func fail(t *task, a asked) {
	t.State, t.due = "ready", in(a.After)
	if a.Dead {
		t.State = "dead"
	}
	if a.Release { // nobody has failed at it
		t.Attempt--
	}
}

// unfinished tells whether the worker must come back for a task.
func unfinished(w http.ResponseWriter, r *http.Request) {
	mu.Lock()
	defer mu.Unlock()
	yes := false
	for _, t := range tasks {
		yes = yes || (t.State == "ready" || t.State == "leased") && fmt.Sprint(t.index) == r.FormValue("index")
	}
	fmt.Fprint(w, yes)
}
