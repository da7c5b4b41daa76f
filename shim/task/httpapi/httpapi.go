// Package httpapi takes tasks from an HTTP API: one of the user's own, or what stands
// in front of a queue that nth doesn't speak to.
//
// Take is a POST with an Idempotency-Key and the body {"index", "run_id", "lease_s"}.
// The key stays the same until an answer has come, so that a task isn't lost with its
// answer: an API that knows the header gives the same task again, another one's comes
// back when the lease ends. The answer is
//
//   - 204, or 200 with null: there is none now.
//   - 200 with {"id", "payload", "attempt", "receipt", "meta"}: a task. A payload that
//     is a string is its text, any other is its JSON; bytes that are no text come as
//     "payload_base64".
//   - 200 with another JSON object: the object is the payload, and has the "id".
//
// Anything else is an error, and never an empty queue. Keep, Done and Fail send
// {"id", "receipt", "attempt", "index", "run_id"} and
//
//   - Keep "lease_s". 404, 409, 410 and 412 say that the lease is lost.
//   - Done nothing more. 404 and 410 say that the task is gone, which is what was
//     wanted; 409 and 412 that it is another's. An URL with a slip answers 404 as
//     well: then each task is delivered again. Said of a call that was made before, and
//     whose answer was lost, 409 and 412 are that call's doing.
//   - Fail "reason", "after_s" and "dead": whether the task has had all its attempts,
//     by the attempt that Take was told. An API that counts by itself answers with
//     {"dead": true|false}. With "release": true the task is only given back, and this
//     attempt shouldn't count. Without a URL for it, the lease's end gives it back. 404,
//     409, 410 and 412 say that the lease is lost, but of a call that was made before:
//     then it did what it should, and the task is dead if this was its last attempt.
//
// Unfinished is a GET, answered by true, false or {"unfinished": true|false}: whether
// there is a task that this index was the last to take (put the index into the URL).
// Without one, a worker knows only what it took itself in this run, and takes a task
// that it gave back for another's when, its delay being over, there is none to take.
// Then a worker that dies with the last task and comes back finds no reason to wait
// for it: an idle time of more than the lease does instead.
//
// Another method, and another body, can be given for each call. The answers and statuses
// mean the same then.
//
// A task whose answer has a member that can't be used (an id that is a list, a payload
// that is no UTF-8), or of which a call can't be made, is broken: it fails. Where even
// that can't be told, as its id can't stand in the URL, the source counts, and doesn't
// give it again when it has had all its attempts.
package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"nth/shim/store/web"
	"nth/shim/task"
)

// Settings is how an API is asked.
type Settings struct {
	// The URLs of the calls. In Keep, Done and Fail stand {id} and {receipt} for those
	// of the task, escaped for a path or a query, and before them may stand a method,
	// with a space after it. Fail and Unfinished may be empty.
	Take, Keep, Done, Fail, Unfinished string
	// Headers gives those of the next request: what is in a file may have changed. No
	// error shows their values.
	Headers func() (http.Header, error)
	// Body gives a call's body, JSON, where it isn't the usual one; what of it is secret
	// task.Options.Hide knows from then on. Empty: none is sent. An error of the kinds of
	// nth/shim/store/contract says that it isn't the task's fault; any other is.
	Body map[string]func(Call) (string, error)
	// OwnID says that the caller makes the tasks' IDs (--task-id): an answer needs
	// none, and may be any payload.
	OwnID bool
}

// Call is what a body may tell of its call: take, keep, done or fail.
type Call struct {
	Task          *task.Task // nil: take
	Reason        string     // of a failure, as what follows
	Delay         time.Duration
	Dead, Release bool
}

// source is a task.Source. Of the tasks that it took it keeps what it must say of them,
// and never their payloads.
type source struct {
	Settings
	task.Options
	client  *http.Client
	methods map[string]string // by call

	mu    sync.Mutex
	key   string               // of a Take that hasn't been answered
	keyed time.Time            // since when it is used
	waits map[string]time.Time // when the API wants to be called again, by call
	held  *held                // nil: none was taken
	// given are tasks that may still come back, as long as the API can't be asked, and
	// untold those of which it can't be told.
	given  *task.Given
	untold *task.Untold
}

// New opens an API without asking it anything.
func New(s Settings, o task.Options) (task.Source, error) {
	methods := map[string]string{"keep": cutMethod(&s.Keep), "done": cutMethod(&s.Done), "fail": cutMethod(&s.Fail)}
	if err := s.check(o, methods); err != nil {
		return nil, err
	}
	m := o.Remember()
	api := &source{Settings: s, Options: o, methods: methods, client: web.Client(), waits: map[string]time.Time{}, given: &m.Given, untold: &m.Untold}
	if err := api.checkBodies(); err != nil {
		return nil, err
	}
	return api, nil
}

// credentials are parameters that say who asks, and not what for.
var credentials = []string{"access_token", "api_key", "apikey", "password", "secret", "sig", "signature", "token"}

// Name gives the queue's name for its tasks' markers, by the URL of Take: the path, and
// the query as a number, as there may be secrets in it. Hosts have many names, and
// credentials change.
func Name(u *url.URL) string {
	name, query := strings.Trim(u.EscapedPath(), "/"), u.Query()
	for parameter := range query {
		if slices.Contains(credentials, strings.ToLower(parameter)) {
			query.Del(parameter)
		}
	}
	if len(query) > 0 {
		sum := sha256.Sum256([]byte(query.Encode()))
		name += "?" + hex.EncodeToString(sum[:8])
	}
	return name
}

// Close closes connections.
func (s *source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// String shows nothing that may be secret.
func (s *source) String() string { return "tasks of an HTTP API" }
