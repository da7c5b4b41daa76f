package gcs

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"gocloud.dev/blob"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// session plays a resumable upload as Google describes it, which fake-gcs-server doesn't:
// it takes the question how much is there for the upload's end.
type session struct {
	t     *testing.T
	mu    *sync.Mutex // of all: who gave a connection up asks anew while its handler still runs
	url   string
	keep  func(n int, body []byte) []byte // of the n-th part; nil: the connection breaks, and half of it is kept
	lose  int                             // the answer that is lost though all is kept, from 1; 0: none
	slow  bool                            // all is there, and isn't the object before it is asked again
	sum   string                          // instead of the content's
	spans []string
	hash  string // that came with the last part
	ended []string
	got   bytes.Buffer
	whole bool
}

func (p *session) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.Method == http.MethodPost:
		w.Header().Set("Location", p.url+"/upload/here?upload_id=1")
	case r.Method == http.MethodDelete:
		p.ended = append(p.ended, r.URL.Path)
		w.WriteHeader(499)
	default:
		p.put(w, r)
	}
}

func (p *session) put(w http.ResponseWriter, r *http.Request) {
	span := r.Header.Get("Content-Range")
	p.spans = append(p.spans, span)
	body, _ := io.ReadAll(r.Body)
	var from, to, total int64
	total = -1
	_, all, _ := strings.Cut(span, "/")
	if all != "*" {
		_, _ = fmt.Sscan(all, &total)
		p.hash = cmp.Or(p.hash, r.Header.Get("X-Goog-Hash"))
	}
	if n, _ := fmt.Sscanf(span, "bytes %d-%d/", &from, &to); n == 2 {
		if from != int64(p.got.Len()) || to-from+1 != int64(len(body)) {
			p.t.Errorf("%s with %d bytes, and %d are there", span, len(body), p.got.Len())
		}
		kept := body
		if p.keep != nil {
			kept = p.keep(len(p.spans), body)
		}
		if kept == nil {
			p.got.Write(body[:len(body)/2])
			panic(http.ErrAbortHandler)
		}
		p.got.Write(kept)
	}
	if p.lose == len(p.spans) {
		p.whole = int64(p.got.Len()) == total
		panic(http.ErrAbortHandler)
	}
	if int64(p.got.Len()) == total {
		p.whole, p.slow = p.whole || !p.slow, false
	}
	if p.whole {
		sum := web.WriteSum(web.Sum(p.got.Bytes()))
		if p.sum != "" {
			sum = p.sum
		}
		fmt.Fprintf(w, `{"kind":"storage#object","generation":"7","size":"%d","crc32c":%q}`, p.got.Len(), sum)
		return
	}
	if p.got.Len() > 0 {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", p.got.Len()-1))
	}
	w.WriteHeader(http.StatusPermanentRedirect)
}

// TestResumable: a server may keep less of a part than was sent, and a connection may break
// in its middle: the rest is sent. What can't be sent is taken back.
func TestResumable(t *testing.T) {
	const first, second, third = "bytes 0-8388607/*", "bytes 8388608-16777215/*", "bytes 16777216-17825791/17825792"
	half := func(at int) func(int, []byte) []byte {
		return func(n int, body []byte) []byte {
			if n == at {
				return body[:len(body)/2]
			}
			return body
		}
	}
	breaks := func(at int) func(int, []byte) []byte {
		return func(n int, body []byte) []byte {
			if n == at {
				return nil
			}
			return body
		}
	}
	for name, c := range map[string]struct {
		session
		want  []string
		ended []string // what was deleted; nil: it is there
	}{
		"all is kept":           {session{}, []string{first, second, third}, nil},
		"half of a part":        {session{keep: half(2)}, []string{first, second, "bytes 12582912-16777215/*", third}, nil},
		"half of the last":      {session{keep: half(3)}, []string{first, second, third, "bytes 17301504-17825791/17825792"}, nil},
		"nothing of a part":     {session{keep: func(int, []byte) []byte { return []byte{} }}, []string{first, "bytes */*", first, "bytes */*", first}, []string{"/upload/here"}},
		"a part breaks":         {session{keep: breaks(1)}, []string{first, "bytes */*", "bytes 4194304-8388607/*", second, third}, nil},
		"the last part breaks":  {session{keep: breaks(3)}, []string{first, second, third, "bytes */17825792", "bytes 17301504-17825791/17825792"}, nil},
		"a lost answer":         {session{lose: 2}, []string{first, second, "bytes */*", third}, nil},
		"the last one's":        {session{lose: 3}, []string{first, second, third, "bytes */17825792"}, nil},
		"all is there, and not": {session{slow: true}, []string{first, second, third, "bytes */17825792"}, nil},
		"another content":       {session{sum: "AAAAAA=="}, []string{first, second, third, "bytes */17825792", "bytes */17825792"}, []string{blobPath, blobPath, blobPath, "/upload/here"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &c.session
			p.t, p.mu = t, new(sync.Mutex)
			d := opened(t, p)
			p.url = d.endpoint.String()
			b := blob.NewBucket(d)
			defer b.Close()
			content := bytes.Repeat([]byte("0123456789abcdef"), 17<<16)
			how := &contract.Parts{AtOnce: 3, Try: func(ctx context.Context, request func(context.Context) error) (err error) {
				for range 3 {
					if err = request(ctx); err == nil {
						break
					}
				}
				return err
			}}
			err := b.Upload(t.Context(), "x", io.MultiReader(bytes.NewReader(content)), &blob.WriterOptions{ContentType: "a/b",
				BeforeWrite: func(as func(any) bool) error {
					var parts *contract.Parts
					if !as(&parts) {
						t.Error("no parts")
					}
					*parts = *how
					return nil
				}})
			if (err == nil) != (c.ended == nil) {
				t.Errorf("error %v", err)
			}
			if diff := gocmp.Diff(c.want, p.spans); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(c.ended, p.ended); diff != "" {
				t.Errorf("taken back (-want +got):\n%s", diff)
			}
			if err == nil && (!p.whole || !bytes.Equal(p.got.Bytes(), content) || p.hash != "crc32c="+web.WriteSum(web.Sum(content))) {
				t.Errorf("%d bytes came, with %q; whole: %v", p.got.Len(), p.hash, p.whole)
			}
		})
	}
}

const blobPath = "/storage/v1/b/data/o/p/x"
