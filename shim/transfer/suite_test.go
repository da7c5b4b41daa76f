package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/servers"
)

// places are the stores that bytes are moved to and from.
var places = []struct {
	name string
	url  func(t testing.TB) string
}{
	{"file", func(t testing.TB) string { return "file://" + t.TempDir() + "/blobs" }},
	{"mem", func(testing.TB) string { return "mem://" }},
	{"s3", func(t testing.TB) string { return s3Server(t).URL("data", "blobs") }},
}

func s3Server(t testing.TB) *servers.S3 {
	t.Helper()
	for _, v := range servers.S3Env() {
		name, value, _ := strings.Cut(v, "=")
		os.Setenv(name, value)
	}
	s := servers.StartS3(t)
	s.Bucket(t, "data")
	return s
}

// through is the URL of a place behind a proxy.
func through(address string) string {
	return "s3://data/blobs?endpoint=http://" + address + "&use_path_style=true"
}

func open(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), url)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patient is a policy that no slow machine exceeds.
var patient = store.Policy{Window: 10 * time.Minute, PerCall: 5 * time.Minute}

// once is a policy of one try.
var once = store.Policy{PerCall: 5 * time.Minute}

func text(seed uint64, n int) []byte {
	dice := rand.NewChaCha8([32]byte{byte(seed)})
	b := make([]byte, n)
	_, _ = dice.Read(b)
	return b
}

func sumOf(b []byte) Sum { return Sum{int64(len(b)), crc32.Checksum(b, castagnoli())} }

func newFile(t testing.TB, body []byte) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	must(t, err)
	t.Cleanup(func() { f.Close() })
	_, err = f.Write(body)
	must(t, err)
	return f
}

func wantFile(t testing.TB, f *os.File, want []byte) {
	t.Helper()
	got, err := os.ReadFile(f.Name())
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the file has %d bytes, other ones than the %d: %v", len(got), len(want), err)
	}
}

func wantBlob(t testing.TB, s *store.Store, key string, want []byte) {
	t.Helper()
	p, err := s.Part(context.Background(), key, "", 0, -1)
	must(t, err)
	defer p.Close()
	got, err := io.ReadAll(p)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the blob has %d bytes, other ones than the %d: %v", len(got), len(want), err)
	}
}

// listed gives what a listing tells of a blob. (That memblob names versions when it is asked
// for one blob, and never again, is no matter here.)
func listed(t testing.TB, s *store.Store, key string) store.Entry {
	t.Helper()
	e, err := s.Entries(key)(context.Background())
	must(t, err)
	if e.Key != key {
		t.Fatalf("%s is listed before %s", e.Key, key)
	}
	return e
}

func wantNone(t testing.TB, s *store.Store, key string) {
	t.Helper()
	if _, err := s.Stat(context.Background(), key); store.Classify(err) != contract.Absent {
		t.Errorf("%s is there: %v", key, err)
	}
}

// TestMove: whatever its size is, a blob comes and goes as it is, in each of the ways.
func TestMove(t *testing.T) {
	const part = 64 << 10
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			s := open(t, p.url(t))
			ctx := t.Context()
			for _, size := range []int{0, 1, part/2 - 1, part / 2, part - 1, part, part + 1, 5*part + 7, 40 * part} {
				m := &Mover{AtOnce: 3, PartSize: part, Policy: once}
				want, key := text(uint64(size), size), fmt.Sprint("a/", size)
				up, err := m.Upload(ctx, s, key, newFile(t, want))
				if err != nil || up != sumOf(want) {
					t.Errorf("upload of %d: %+v, %v", size, up, err)
				}
				wantBlob(t, s, key, want)
				for _, e := range []store.Entry{listed(t, s, key), Unknown(key)} {
					f := newFile(t, text(1, 7*part)) // what was there before is no part of it
					down, _, err := m.Download(ctx, s, e, f)
					if err != nil || down != sumOf(want) {
						t.Errorf("download of %d: %+v, %v", size, down, err)
					}
					wantFile(t, f, want)
					r := m.Reader(ctx, s, e)
					got, err := io.ReadAll(r)
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("read of %d: %d bytes, %v", size, len(got), err)
					}
					must(t, r.Close())
				}
				w := m.Writer(ctx, s, key+"w")
				for rest := want; len(rest) > 0; {
					n, err := w.Write(rest[:min(len(rest), 10007)])
					must(t, err)
					rest = rest[n:]
				}
				wantNone(t, s, key+"w")
				wrote, err := w.Finish()
				if err != nil || wrote != sumOf(want) {
					t.Errorf("write of %d: %+v, %v", size, wrote, err)
				}
				w.Abort() // does nothing any more
				wantBlob(t, s, key+"w", want)
			}
		})
	}
}

// TestNone: what isn't there is Absent, however it is asked for.
func TestNone(t *testing.T) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			s := open(t, p.url(t))
			must(t, s.Put(t.Context(), "other", nil))
			m := &Mover{Policy: patient}
			for _, e := range []store.Entry{Unknown("none"), {Key: "none", Size: 1, Version: "1-1-1"}, {Key: "none", Size: 100 << 20, Version: "1-1-1"}} {
				if _, _, err := m.Download(t.Context(), s, e, newFile(t, nil)); store.Classify(err) != contract.Absent {
					t.Errorf("download: %v", err)
				}
				r := m.Reader(t.Context(), s, e)
				if n, err := io.Copy(io.Discard, r); n != 0 || store.Classify(err) != contract.Absent {
					t.Errorf("read: %d, %v", n, err)
				}
				must(t, r.Close())
			}
		})
	}
}

// TestChangedFile: a file that doesn't stay as it was is not uploaded, in no way in which it
// may change.
func TestChangedFile(t *testing.T) {
	for _, p := range places {
		for name, change := range map[string]func(f *os.File) error{
			"shorter": func(f *os.File) error { return f.Truncate(1) },
			"longer":  func(f *os.File) error { return f.Truncate(10 << 20) },
			"overwritten": func(f *os.File) error {
				_, err := f.WriteAt([]byte("x"), 5)
				return errors.Join(err, os.Chtimes(f.Name(), time.Time{}, time.Now().Add(time.Minute)))
			},
		} {
			t.Run(p.name+" "+name, func(t *testing.T) {
				s := open(t, p.url(t))
				f := newFile(t, text(1, 3<<20))
				m := &Mover{PartSize: 1 << 20, Policy: patient}
				begun := false
				m.Moved = func(int64) {
					if !begun {
						begun = true
						must(t, change(f))
					}
				}
				_, err := m.Upload(t.Context(), s, "x", f)
				here, ok := errors.AsType[*FileError](err)
				if !ok || !errors.Is(here, ErrChanged) {
					t.Errorf("the error is %v", err)
				}
				wantNone(t, s, "x")
			})
		}
	}
}

// TestNoFile: what is wrong with the file isn't taken for the store's, and no other try is
// made of it.
func TestNoFile(t *testing.T) {
	s := open(t, places[0].url(t))
	must(t, s.Put(t.Context(), "x", []byte("body")))
	m := &Mover{Policy: patient, Retrying: func(err error, _ time.Duration) { t.Errorf("tried again after %v", err) }}
	f := newFile(t, nil)
	f.Close()
	_, _, down := m.Download(t.Context(), s, Unknown("x"), f)
	_, up := m.Upload(t.Context(), s, "y", f)
	dir, err := os.Open(t.TempDir())
	must(t, err)
	defer dir.Close()
	_, none := m.Upload(t.Context(), s, "y", dir)
	for what, err := range map[string]error{"download": down, "upload": up, "a directory": none} {
		if _, ok := errors.AsType[*FileError](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantNone(t, s, "y")
}

// TestStopped: all of it ends with the context, with its cause.
func TestStopped(t *testing.T) {
	stop := errors.New("stop")
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			s := open(t, p.url(t))
			must(t, s.Put(t.Context(), "x", text(1, 3<<20)))
			e := listed(t, s, "x")
			run := func(what string, do func(ctx context.Context, m *Mover) error) {
				ctx, cancel := context.WithCancelCause(t.Context())
				m := &Mover{PartSize: 1 << 20, Policy: patient, Moved: func(int64) { cancel(stop) }}
				if err := do(ctx, m); !errors.Is(err, stop) {
					t.Errorf("%s: %v", what, err)
				}
			}
			run("download", func(ctx context.Context, m *Mover) error {
				_, _, err := m.Download(ctx, s, e, newFile(t, nil))
				return err
			})
			run("upload", func(ctx context.Context, m *Mover) error {
				_, err := m.Upload(ctx, s, "y", newFile(t, text(1, 3<<20)))
				return err
			})
			run("read", func(ctx context.Context, m *Mover) error {
				r := m.Reader(ctx, s, e)
				defer r.Close()
				_, err := io.Copy(io.Discard, r)
				return err
			})
			run("write", func(ctx context.Context, m *Mover) error {
				w := m.Writer(ctx, s, "y")
				_, err := w.Write(text(1, 3<<20))
				_, finish := w.Finish()
				if finish == nil {
					return nil
				}
				return errors.Join(err, finish)
			})
			wantNone(t, s, "y")
		})
	}
}
