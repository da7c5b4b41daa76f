package servers

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"time"
)

// Pass lets the server answer.
func Pass(f *Fault, w http.ResponseWriter, r *http.Request) { f.backend.ServeHTTP(w, r) }

// Finish lets the server answer, also when nobody waits for it any more.
func Finish(f *Fault, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context())) // without an end of its own the proxy would look for the client's
	defer cancel()
	f.backend.ServeHTTP(w, r.WithContext(ctx))
}

// Delay lets the server answer, later.
func Delay(d time.Duration) Action {
	return func(f *Fault, w http.ResponseWriter, r *http.Request) {
		time.Sleep(d)
		f.backend.ServeHTTP(w, r)
	}
}

// CutRequest drops the connection in the middle of the request's body.
func CutRequest(_ *Fault, _ http.ResponseWriter, r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
	panic(http.ErrAbortHandler)
}

// Detached gives a request of its own with the same content, which outlives the
// connection that it came by.
func Detached(r *http.Request) *http.Request {
	body, _ := io.ReadAll(r.Body)
	d := r.Clone(context.WithoutCancel(r.Context()))
	d.Body = io.NopCloser(bytes.NewReader(body))
	return d
}

// Handle lets the server carry out a request whose answer nobody gets.
func Handle(f *Fault, r *http.Request) { f.backend.ServeHTTP(httptest.NewRecorder(), r) }

// Pieces gives the server's answer in so many pieces, each after a pause.
func Pieces(n int, pause time.Duration) Action {
	return func(f *Fault, w http.ResponseWriter, r *http.Request) { f.pieces(w, r, n, n, pause) }
}

// StallAfter gives a piece of the server's answer, of so many, and no other.
func StallAfter(n int) Action {
	return func(f *Fault, w http.ResponseWriter, r *http.Request) {
		f.pieces(w, r, n, 1, 0)
		Stall(f, w, r)
	}
}

func (f *Fault) pieces(w http.ResponseWriter, r *http.Request, n, given int, pause time.Duration) {
	answer := httptest.NewRecorder()
	f.backend.ServeHTTP(answer, r)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	size := answer.Body.Len()/n + 1
	for range given {
		time.Sleep(pause)
		_, _ = w.Write(answer.Body.Next(size))
		_ = http.NewResponseController(w).Flush()
	}
}
