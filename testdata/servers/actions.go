package servers

import (
	"io"
	"net/http"
	"time"
)

// Pass lets the server answer.
func Pass(f *Fault, w http.ResponseWriter, r *http.Request) { f.backend.ServeHTTP(w, r) }

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
