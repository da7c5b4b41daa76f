package transfer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// TestOneRequest: what fits into a part costs one request, and nobody asks about it before.
func TestOneRequest(t *testing.T) {
	server := s3Server(t)
	f := servers.StartFault(t, server.Address, nil)
	s := open(t, through(strings.TrimPrefix(f.URL, "http://")))
	body := text(1, 100)
	must(t, s.Put(t.Context(), "x", body))
	e := listed(t, s, "x")
	m := &Mover{Policy: once}
	before := len(f.Requests())
	for _, e := range []store.Entry{Unknown("x"), e} {
		to := newFile(t, nil)
		_, _, err := m.Download(t.Context(), s, e, to)
		must(t, err)
		wantFile(t, to, body)
		r := m.Reader(t.Context(), s, e)
		_, err = io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
	}
	if got := f.Requests()[before:]; len(got) != 4 || strings.Join(got, "") != strings.Repeat("GET /data/blobs/x", 4) {
		t.Errorf("the requests are %q", got)
	}
}

// TestCut: a connection that is cut at any byte costs what was under way, and nothing else:
// what comes is whole, though no connection lasts for a whole part.
func TestCut(t *testing.T) {
	server := s3Server(t)
	body := text(2, 6<<20)
	direct := open(t, server.URL("data", "blobs"))
	must(t, direct.Put(t.Context(), "x", body))
	e := listed(t, direct, "x")
	for seed := range uint64(3) {
		cutter := servers.StartCutter(t, server.Address, seed, 700<<10)
		s := open(t, through(cutter.Addr().String()))
		m := &Mover{AtOnce: 4, PartSize: 2 << 20, Policy: patient}
		to := newFile(t, nil)
		sum, _, err := m.Download(t.Context(), s, e, to)
		if err != nil || sum != sumOf(body) {
			t.Errorf("seed %d: %+v, %v", seed, sum, err)
		}
		wantFile(t, to, body)
		r := m.Reader(t.Context(), s, Unknown("x"))
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("seed %d: %d bytes were read, %v", seed, len(got), err)
		}
		must(t, r.Close())
		if cutter.Cuts.Load() < 5 {
			t.Errorf("seed %d: it cut %d times", seed, cutter.Cuts.Load())
		}
	}
}

// TestKept: what came before a connection was cut doesn't come again.
func TestKept(t *testing.T) {
	server := s3Server(t)
	body := text(3, 4<<20)
	direct := open(t, server.URL("data", "blobs"))
	must(t, direct.Put(t.Context(), "x", body))
	ranges := []string{}
	f := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		if ranges = append(ranges, r.Header.Get("Range")); len(ranges) < 3 {
			return servers.Truncate // a half of what was asked for
		}
		return nil
	})
	s := open(t, through(strings.TrimPrefix(f.URL, "http://")))
	to := newFile(t, nil)
	m := &Mover{Policy: patient}
	_, _, err := m.Download(t.Context(), s, listed(t, direct, "x"), to)
	must(t, err)
	wantFile(t, to, body)
	want := []string{"bytes=0-4194303", "bytes=2097152-4194303", "bytes=3145728-4194303"}
	if fmt.Sprint(ranges) != fmt.Sprint(want) {
		t.Errorf("asked for %q, want %q", ranges, want)
	}
}

// TestReplaced: of a blob that is replaced while it comes nothing is taken for one of the
// versions.
func TestReplaced(t *testing.T) {
	const size = 3 << 20
	server := s3Server(t)
	dir := t.TempDir()
	for _, same := range []bool{true, false} {
		for _, kind := range []string{"file", "s3"} {
			url := "file://" + dir
			if kind == "s3" {
				url = server.URL("data", "blobs")
			}
			s := open(t, url)
			for _, known := range []bool{true, false} {
				t.Run(fmt.Sprint(kind, " of the same size ", same, ", asked about before ", known), func(t *testing.T) {
					must(t, s.Put(t.Context(), "x", text(4, size)))
					e := Unknown("x")
					if known {
						e = listed(t, s, "x")
					}
					replaced := false
					m := &Mover{AtOnce: 1, PartSize: 1 << 20, Policy: patient, Moved: func(int64) {
						if !replaced {
							replaced = true
							n := size
							if !same {
								n++
							}
							must(t, s.Put(context.Background(), "x", text(5, n)))
						}
					}}
					if _, _, err := m.Download(t.Context(), s, e, newFile(t, nil)); store.Classify(err) != contract.Exists {
						t.Errorf("download: %v", err)
					}
					replaced = false
					must(t, s.Put(t.Context(), "x", text(4, size)))
					e = Unknown("x")
					if known {
						e = listed(t, s, "x")
					}
					r := m.Reader(t.Context(), s, e)
					got, err := io.ReadAll(r)
					if store.Classify(err) != contract.Exists || !bytes.HasPrefix(text(4, size), got) {
						t.Errorf("read %d bytes: %v", len(got), err)
					}
					must(t, r.Close())
				})
			}
		}
	}
}

// wrong is a store of one blob, of 3,000 bytes, whose bodies aren't as long as they should
// be, and end as if they were.
type wrong struct {
	driver.Bucket
	by int64
}

type wrongReader struct{ io.Reader }

func (wrongReader) Close() error                         { return nil }
func (wrongReader) As(any) bool                          { return false }
func (wrongReader) Attributes() *driver.ReaderAttributes { return &driver.ReaderAttributes{Size: 3000} }

func (w *wrong) NewRangeReader(_ context.Context, _ string, _, n int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	return wrongReader{strings.NewReader(strings.Repeat("x", int(n+w.by)))}, nil
}

func (w *wrong) Close() error                       { return nil }
func (w *wrong) ErrorCode(error) gcerrors.ErrorCode { return gcerrors.Unknown }

// TestWrongLength: a body that is shorter or longer than it should be is no success, however
// well its answer ends.
func TestWrongLength(t *testing.T) {
	for by, want := range map[int64]contract.Kind{-1: contract.Unreachable, 1: contract.Malformed} {
		scheme := fmt.Sprint("zz-wrong", by+1)
		blob.DefaultURLMux().RegisterBucket(scheme, opener(by))
		s := open(t, scheme+"://")
		m := &Mover{PartSize: 1000, Policy: once}
		for _, e := range []store.Entry{Unknown("x"), {Key: "x", Size: 3000}} {
			if _, _, err := m.Download(t.Context(), s, e, newFile(t, nil)); store.Classify(err) != want || err == nil {
				t.Errorf("by %d: download: %v", by, err)
			}
			r := m.Reader(t.Context(), s, e)
			if _, err := io.ReadAll(r); store.Classify(err) != want || err == nil {
				t.Errorf("by %d: read: %v", by, err)
			}
			must(t, r.Close())
		}
	}
}

type opener int64

func (o opener) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return blob.NewBucket(&wrong{by: int64(o)}), nil
}

// TestAbort: nothing of a blob that was given up is there, nor of one whose source broke.
func TestAbort(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			u := p.url(t)
			s := open(t, u)
			m := &Mover{PartSize: 6 << 20, Policy: patient}
			for _, n := range []int{0, 1, 20 << 20} {
				w := m.Writer(t.Context(), s, "x")
				_, err := w.Write(text(7, n))
				must(t, err)
				w.Abort()
				if _, err := w.Write([]byte("more")); err == nil {
					t.Error("a write after it was given up succeeded")
				}
				if _, err := w.Finish(); err == nil {
					t.Error("what was given up was finished")
				}
				wantNone(t, s, "x")
			}
			if dir, ok := strings.CutPrefix(u, "file://"); ok {
				left, err := os.ReadDir(dir)
				if err != nil || len(left) != 0 {
					t.Errorf("%v is left, %v", left, err)
				}
			}
		})
	}
}

// TestAbortedParts: nor is there any part of it, for which somebody would pay.
func TestAbortedParts(t *testing.T) {
	server := s3Server(t)
	s := open(t, server.URL("data", "blobs"))
	w := (&Mover{PartSize: 6 << 20, Policy: patient}).Writer(t.Context(), s, "x")
	_, err := w.Write(text(8, 30<<20))
	must(t, err)
	w.Abort()
	must(t, filepath.WalkDir(server.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s is left", path)
		}
		return err
	}))
}

// TestWriteError: a write after the store has failed gives its error, and so does the end.
func TestWriteError(t *testing.T) {
	server := s3Server(t)
	f := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		if r.Method == http.MethodPut && r.URL.Query().Has("partNumber") {
			return servers.S3Error(http.StatusForbidden, "AccessDenied")
		}
		return nil
	})
	s := open(t, through(strings.TrimPrefix(f.URL, "http://")))
	w := (&Mover{PartSize: 6 << 20, Policy: once}).Writer(t.Context(), s, "x")
	var err error
	for n := 0; err == nil; n++ {
		if n > 100 {
			t.Fatal("no write fails")
		}
		_, err = w.Write(text(9, 6<<20))
	}
	if store.Classify(err) != contract.Denied {
		t.Errorf("the error is %v", err)
	}
	if _, again := w.Write([]byte("x")); again != err {
		t.Errorf("and then it is %v", again)
	}
	if _, end := w.Finish(); end != err {
		t.Errorf("and at the end %v", end)
	}
	wantNone(t, s, "x")
}

// TestRetried: a request of an upload that fails is made again, and the sum of what was
// moved is that of the file.
func TestRetried(t *testing.T) {
	server := s3Server(t)
	puts := 0
	f := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		if r.Method != http.MethodPut {
			return nil
		}
		if puts++; puts < 3 {
			return servers.S3Error(http.StatusServiceUnavailable, "SlowDown")
		}
		return nil
	})
	s := open(t, through(strings.TrimPrefix(f.URL, "http://")))
	body := text(10, 1<<20)
	moved, retried := int64(0), 0
	m := &Mover{Policy: patient, Moved: func(n int64) { moved += n }, Retrying: func(error, time.Duration) { retried++ }}
	sum, err := m.Upload(t.Context(), s, "x", newFile(t, body))
	if err != nil || sum != sumOf(body) || moved != int64(len(body)) || retried != 2 {
		t.Errorf("%+v, %v; %d bytes were moved, with %d tries that failed", sum, err, moved, retried)
	}
	wantBlob(t, s, "x", body)
}
