package store_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// sender is a server that takes large blobs in parts.
type sender struct {
	name  string
	extra int  // requests of a large blob beside its parts
	turns bool // one part after the other
	start func(t *testing.T) (address string, uploads func(key string) int)
	url   func(t *testing.T, fault *servers.Fault) string
}

func s3Sender(name string, start func(testing.TB) *servers.S3) sender {
	return sender{name, 2, false, func(t *testing.T) (string, func(string) int) {
		server := s3Bucket(t, start)
		return server.Address, func(key string) int { return server.Uploads(t, "data", "p/"+key) }
	}, func(_ *testing.T, fault *servers.Fault) string { return "s3://data/p?endpoint=" + fault.URL }}
}

var senders = []sender{
	s3Sender("versitygw", servers.StartS3), s3Sender("MinIO", servers.StartMinIO), s3Sender("moto", servers.StartMoto),
	{"azure", 1, false, func(t *testing.T) (string, func(string) int) { return azureServer(t).Address, nil },
		func(t *testing.T, fault *servers.Fault) string {
			setAzure(t, strings.TrimPrefix(fault.URL, "http://"))
			return "azblob://data/p"
		}},
	{"gcs", 1, true, func(t *testing.T) (string, func(string) int) { return gcsServer(t).Address, nil },
		func(t *testing.T, fault *servers.Fault) string {
			t.Setenv("STORAGE_EMULATOR_HOST", fault.URL)
			return "gs://data/p"
		}},
}

// isPart tells a request that sends a part.
func isPart(r *http.Request) bool {
	q := r.URL.Query()
	return r.Method == http.MethodPut && (q.Has("partNumber") || q.Get("comp") == "block" || q.Has("upload_id"))
}

// isEnd tells the one that makes the blob visible.
func isEnd(r *http.Request) bool {
	q := r.URL.Query()
	return r.Method == http.MethodPost && q.Has("uploadId") || q.Get("comp") == "blocklist"
}

// through opens the server behind a proxy, which decides on each request; nil is Pass.
func (c sender) through(t *testing.T, address string, decide func(*http.Request) servers.Action) (*store.Store, *servers.Fault) {
	var fault *servers.Fault
	fault = servers.StartFault(t, address, func(_ int, r *http.Request) servers.Action {
		if action := decide(r); action != nil || !c.turns {
			return action
		}
		return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) { // it names itself, not the proxy
			answer := httptest.NewRecorder()
			servers.Pass(f, answer, r)
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			if at := answer.Header().Get("Location"); at != "" {
				w.Header().Set("Location", strings.Replace(at, "http://"+address, fault.URL, 1))
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		}
	})
	if c.turns {
		fault.Call(address)
	}
	return open(t, c.url(t, fault)), fault
}

const largePart = 5 << 20

func largeBody(t *testing.T, parts int) []byte {
	t.Helper()
	body, err := io.ReadAll(io.LimitReader(&pattern{}, int64(parts)*largePart-1000))
	must(t, "make a blob", err)
	return body
}

// wantBody reads all of a blob.
func wantBody(t *testing.T, s *store.Store, key string, want []byte) {
	t.Helper()
	p, err := s.Part(t.Context(), key, "", 0, -1)
	must(t, "read "+key, err)
	defer p.Close()
	got, err := io.ReadAll(p)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s has %d bytes, want %d, or others: %v", key, len(got), len(want), err)
	}
}

// TestParts: a large blob's parts go several at once, and one whose connection breaks in its
// middle goes again, alone; a small blob is one request. What was left of it is nothing.
func TestParts(t *testing.T) {
	for _, c := range senders {
		t.Run(c.name, func(t *testing.T) {
			address, uploads := c.start(t)
			for _, size := range []int{0, 1, largePart - 1, largePart} {
				s, fault := c.through(t, address, func(*http.Request) servers.Action { return nil })
				body := largeBody(t, 2)[:size]
				must(t, "stream", s.Stream(t.Context(), "small", io.MultiReader(bytes.NewReader(body)), contract.Parts{AtOnce: 3, Size: largePart}))
				if n := len(fault.Requests()); n != 1 {
					t.Errorf("%d bytes: %v", size, fault.Requests())
				}
				wantBody(t, s, "small", body)
			}

			const parts, atOnce = 7, 3
			body := largeBody(t, parts)
			var mu sync.Mutex
			cond, came, now, most, broken := sync.NewCond(&mu), 0, 0, 0, 0
			s, fault := c.through(t, address, func(r *http.Request) servers.Action {
				if c.turns || !isPart(r) {
					return nil
				}
				return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					came++
					n := came
					now++
					most = max(most, now)
					cond.Broadcast()
					for n <= atOnce && came < atOnce { // no part is answered before three have come
						cond.Wait()
					}
					breaks := n == 2
					if breaks {
						broken++
					}
					mu.Unlock()
					defer func() {
						mu.Lock()
						now--
						mu.Unlock()
					}()
					if breaks {
						servers.CutRequest(f, w, r)
					}
					servers.Pass(f, w, r)
				}
			})
			must(t, "stream", s.Stream(t.Context(), "large", bytes.NewReader(body), contract.Parts{AtOnce: atOnce, Size: largePart, Try: patiently}))
			mu.Lock()
			if n, want := len(fault.Requests()), parts+c.extra+broken; n != want || !c.turns && (most != atOnce || broken != 1) {
				t.Errorf("%d requests, want %d; %d at once, %d broken: %v", n, want, most, broken, fault.Requests())
			}
			mu.Unlock()
			wantBody(t, s, "large", body)
			if uploads != nil {
				if n := uploads("large"); n != 0 {
					t.Errorf("%d uploads are left", n)
				}
			}
		})
	}
}

// TestPartsFail: a part that can't be sent, and a source that breaks, leave nothing, neither
// a blob nor parts of it, and what was there is there.
func TestPartsFail(t *testing.T) {
	for _, c := range senders {
		t.Run(c.name, func(t *testing.T) {
			address, uploads := c.start(t)
			var mu sync.Mutex
			fails, part := false, 0
			s, _ := c.through(t, address, func(r *http.Request) servers.Action {
				mu.Lock()
				defer mu.Unlock()
				if !isPart(r) || !fails {
					return nil
				}
				if part++; part != 3 {
					return nil
				}
				return servers.Answer(503, "")
			})
			how := contract.Parts{AtOnce: 3, Size: largePart}
			must(t, "stream", s.Stream(t.Context(), "old", strings.NewReader("old"), how))
			body, broke := largeBody(t, 6), errors.New("the source broke")
			for _, key := range []string{"old", "new"} {
				mu.Lock()
				fails, part = true, 0
				mu.Unlock()
				wantKind(t, "a part that fails", s.Stream(t.Context(), key, bytes.NewReader(body), how), contract.Unreachable)
				mu.Lock()
				fails = false
				mu.Unlock()
				if err := s.Stream(t.Context(), key, io.MultiReader(bytes.NewReader(body), brokenReader{broke}), how); !errors.Is(err, broke) {
					t.Errorf("the source's error came back as %v", err)
				}
				if uploads != nil {
					if n := uploads(key); n != 0 {
						t.Errorf("%s: %d uploads are left", key, n)
					}
				}
			}
			wantBody(t, s, "old", []byte("old"))
			_, err := s.Stat(t.Context(), "new")
			wantKind(t, "what failed", err, contract.Absent)
		})
	}
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

// TestLostEnd: the request that makes a large blob visible was carried out, and its answer
// was lost: it is asked again, and it is there.
func TestLostEnd(t *testing.T) {
	for _, c := range senders {
		if c.turns {
			continue // the last part's, which the driver's own tests lose
		}
		t.Run(c.name, func(t *testing.T) {
			address, _ := c.start(t)
			var mu sync.Mutex
			ends := 0
			s, _ := c.through(t, address, func(r *http.Request) servers.Action {
				mu.Lock()
				defer mu.Unlock()
				if !isEnd(r) {
					return nil
				}
				if ends++; ends > 1 {
					return nil
				}
				return servers.LoseReply
			})
			body := largeBody(t, 2)
			must(t, "stream", s.Stream(t.Context(), "x", bytes.NewReader(body), contract.Parts{AtOnce: 2, Size: largePart, Try: patiently}))
			if ends != 2 {
				t.Errorf("%d ends", ends)
			}
			wantBody(t, s, "x", body)
		})
	}
}

// TestCorrupted: a byte that becomes another one on its way is noticed by who keeps it.
func TestCorrupted(t *testing.T) {
	flip := func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
		d := servers.Detached(r)
		body, _ := io.ReadAll(d.Body)
		body[len(body)/2] ^= 1
		d.Body = io.NopCloser(bytes.NewReader(body))
		servers.Pass(f, w, d)
	}
	for _, c := range senders {
		t.Run(c.name, func(t *testing.T) {
			address, _ := c.start(t)
			if c.name == "moto" {
				return // it believes a signature's checksum
			}
			for _, parts := range []int{1, 3} {
				s, _ := c.through(t, address, func(r *http.Request) servers.Action {
					if r.ContentLength < largePart/4 {
						return nil
					}
					return flip
				})
				if err := s.Stream(t.Context(), "x", bytes.NewReader(largeBody(t, parts)), contract.Parts{AtOnce: 2, Size: largePart}); err == nil {
					t.Errorf("%d parts: nobody noticed", parts)
				}
				_, err := s.Stat(t.Context(), "x")
				wantKind(t, "what was kept", err, contract.Absent)
			}
		})
	}
}

// TestAbsentSource: a copy of what isn't there is absence, and one in no bucket is none.
func TestAbsentSource(t *testing.T) {
	for _, c := range senders {
		t.Run(c.name, func(t *testing.T) {
			address, _ := c.start(t)
			s, fault := c.through(t, address, func(*http.Request) servers.Action { return nil })
			wantKind(t, "copy", s.Copy(t.Context(), "to", "nothing"), contract.Absent)
			none := open(t, strings.Replace(c.url(t, fault), "//data/", "//nowhere/", 1))
			wantKind(t, "copy in no bucket", none.Copy(t.Context(), "to", "nothing"), contract.Unreachable)
		})
	}
}

var _ = harness.Patience
