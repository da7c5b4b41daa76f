package servers

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// Action is what a Fault does with one request.
type Action func(f *Fault, w http.ResponseWriter, r *http.Request)

// Fault stands between nth and a real server, and misbehaves when it is told to.
// It leaves the Host as it is, so that signatures hold.
type Fault struct {
	*httptest.Server
	backend *httputil.ReverseProxy
	ended   chan struct{}

	mu       sync.Mutex
	host     string   // for the server, instead of the request's own
	requests []string // "GET /bucket/key"
	decide   func(n int, r *http.Request) Action
}

// StartFault starts a proxy before the server at an address; decide gives the action for the
// n-th request, from 0. Nil is Pass.
func StartFault(t testing.TB, address string, decide func(n int, r *http.Request) Action) *Fault {
	f := &Fault{decide: decide, ended: make(chan struct{})}
	backend := &url.URL{Scheme: "http", Host: address}
	f.backend = &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(backend)
		f.mu.Lock()
		defer f.mu.Unlock()
		if p.Out.Host = p.In.Host; f.host != "" {
			p.Out.Host = f.host
		}
	}}
	f.backend.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err error) {
		if r.Context().Err() == nil { // who asks is still there
			t.Logf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		w.WriteHeader(http.StatusBadGateway)
	}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		close(f.ended)
		f.Server.Close()
	})
	return f
}

// Call says how the server is called, instead of by the request's own host.
func (f *Fault) Call(host string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.host = host
}

func (f *Fault) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	n := len(f.requests)
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	action := Action(nil)
	if f.decide != nil {
		action = f.decide(n, r)
	}
	f.mu.Unlock()
	if action == nil {
		f.backend.ServeHTTP(w, r)
		return
	}
	action(f, w, r)
}

// Requests gives what has come so far.
func (f *Fault) Requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.requests...)
}

// LoseReply lets the server handle the request, and drops its answer.
func LoseReply(f *Fault, w http.ResponseWriter, r *http.Request) {
	f.backend.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// Reset drops the connection.
func Reset(*Fault, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// Stall never answers.
func Stall(f *Fault, _ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-f.ended:
	}
}

// Truncate breaks the connection in the middle of the answer's body.
func Truncate(f *Fault, w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	f.backend.ServeHTTP(answer, r)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
	panic(http.ErrAbortHandler)
}

// Answer answers by itself.
func Answer(status int, body string) Action {
	return func(_ *Fault, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// S3Error answers as S3 does (Amazon S3 API reference, "Error responses").
func S3Error(status int, code string) Action {
	return Answer(status, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code><Message>on purpose</Message></Error>`)
}
