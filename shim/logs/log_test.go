package logs

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// never is an interval that no test lives to see.
const never = time.Hour

// rig is a log with small parts.
type rig struct {
	*Log
	t          *testing.T
	warn, back atomic.Int64
}

func begin(t *testing.T, s *store.Store, change func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t}
	o := Options{Store: s, Name: Index(7, "run"), PerCall: time.Minute, Describe: error.Error,
		Warn: func(string) { r.warn.Add(1) }, Back: func() { r.back.Add(1) }, Rest: func() {},
		size: 1000, early: []time.Duration{never}, patience: time.Minute}
	if change != nil {
		change(&o)
	}
	r.Log = New(o)
	return r
}

func (r *rig) finish(want bool) {
	r.t.Helper()
	r.End(time.Minute, time.Minute)
	if got := r.Wait(); got != want {
		r.t.Errorf("the store has all of it: %v, want %v", got, want)
	}
}

// text reads the log of the only attempt.
func text(t *testing.T, s *store.Store) string {
	t.Helper()
	list, err := Attempts(t.Context(), s, 7)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d attempts, %v", len(list), err)
	}
	var b bytes.Buffer
	if err := list[0].Copy(t.Context(), s, time.Minute, &b); err != nil {
		t.Fatal(err)
	}
	if int64(b.Len()) != list[0].Size {
		t.Errorf("%d bytes, and the list says %d", b.Len(), list[0].Size)
	}
	return b.String()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(harness.Patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// lines writes n lines, which tell where they are missing, in pieces of any size.
func lines(w io.Writer, mark string, n int) string {
	var all bytes.Buffer
	for i := range n {
		fmt.Fprintf(&all, "%s line %06d\n", mark, i)
	}
	for rest := all.Bytes(); len(rest) > 0; {
		size := min(1+rand.IntN(700), len(rest))
		_, _ = w.Write(rest[:size])
		rest = rest[size:]
	}
	return all.String()
}

// TestTwoStreams: all of both is there, each in its own order, over many parts.
func TestTwoStreams(t *testing.T) {
	s, dir := openStore(t)
	r := begin(t, s, nil)
	var both sync.WaitGroup
	want := make([]string, 2)
	for i, mark := range []string{"out", "err"} {
		both.Go(func() {
			w := r.Stream()
			defer w.Close()
			want[i] = lines(w, mark, 2000)
		})
	}
	both.Wait()
	r.finish(true)
	got := text(t, s)
	if len(got) != len(want[0])+len(want[1]) {
		t.Errorf("%d bytes of %d", len(got), len(want[0])+len(want[1]))
	}
	parts, _ := filepath.Glob(dir + "/7/run.log*")
	if want := (len(got) + 999) / 1000; len(parts) != want {
		t.Errorf("%d parts, want %d", len(parts), want)
	}
	for _, p := range parts {
		if info, err := os.Stat(p); err != nil || info.Size() > 1000 {
			t.Errorf("%s: %v, %v", p, info.Size(), err)
		}
	}
	if r.warn.Load() > 0 {
		t.Error("warned")
	}
}

// TestBytes: nothing is changed, whatever it is.
func TestBytes(t *testing.T) {
	s, _ := openStore(t)
	all := make([]byte, 10_000)
	for i := range all {
		all[i] = byte(rand.Uint32())
	}
	r := begin(t, s, func(o *Options) { o.Secrets = []string{"canary"} })
	w := r.Stream()
	for i := range all {
		_, _ = w.Write(all[i : i+1])
	}
	_ = w.Close()
	r.finish(true)
	if text(t, s) != string(all) {
		t.Error("the bytes were changed")
	}
}

// TestSecretOverParts: a secret that begins in one part and ends in the next.
func TestSecretOverParts(t *testing.T) {
	for at := 990; at <= 1001; at++ {
		s, _ := openStore(t)
		r := begin(t, s, func(o *Options) { o.Secrets = []string{"canary"} })
		out, errs := r.Stream(), r.Stream()
		_, _ = out.Write(append(bytes.Repeat([]byte("."), at), "can"...))
		_, _ = errs.Write([]byte("between"))
		_, _ = out.Write([]byte("ary, the end"))
		_ = out.Close()
		_ = errs.Close()
		r.finish(true)
		if diff := cmp.Diff(strings.Repeat(".", at)+"between***, the end", text(t, s)); diff != "" {
			t.Errorf("at %d: %s", at, diff)
		}
	}
}

// TestWhileItRuns: what is there is uploaded after the first intervals, and at once
// when the command is told to stop.
func TestWhileItRuns(t *testing.T) {
	read := func(dir string) string {
		body, _ := os.ReadFile(dir + "/7/run.log")
		return string(body)
	}
	t.Run("early", func(t *testing.T) {
		s, dir := openStore(t)
		r := begin(t, s, func(o *Options) { o.early = slices.Repeat([]time.Duration{time.Millisecond}, 60_000) })
		defer r.finish(true)
		_, _ = r.Stream().Write([]byte("so far"))
		eventually(t, "an early upload", func() bool { return read(dir) == "so far" })
	})
	t.Run("after a time without", func(t *testing.T) {
		s, dir := openStore(t)
		r := begin(t, s, func(o *Options) { o.early = slices.Repeat([]time.Duration{time.Millisecond}, 60_000) })
		defer r.finish(true)
		want := ""
		for range 3 {
			eventually(t, "no time is set", func() bool {
				r.mu.Lock()
				defer r.mu.Unlock()
				return r.quiet
			})
			_, _ = r.Stream().Write([]byte("line\n"))
			want += "line\n"
			eventually(t, "an upload", func() bool { return read(dir) == want })
		}
	})
	t.Run("stop", func(t *testing.T) {
		s, dir := openStore(t)
		r := begin(t, s, nil)
		defer r.finish(true)
		w := r.Stream()
		for _, word := range []string{"one ", "two ", "three"} {
			before := read(dir)
			_, _ = w.Write([]byte(word))
			if now := read(dir); now != before {
				t.Errorf("uploaded without a reason: %q", now)
			}
			r.Soon()
			eventually(t, "an upload", func() bool { return read(dir) == before+word })
		}
	})
}

// TestDueAfterAFullPart: a part that is full goes first, and what is due isn't forgotten.
func TestDueAfterAFullPart(t *testing.T) {
	full, growing := &piece{number: 1, limit: 3}, &piece{number: 2, limit: 3}
	full.add([]byte("abc"))
	growing.add([]byte("d"))
	l := &Log{old: full, now: growing, due: true}
	l.room = sync.NewCond(&l.mu)
	var got []string
	for u := l.take(); u.piece != nil; u = l.take() {
		got = append(got, string(u.body))
		l.stored(u)
	}
	if diff := cmp.Diff([]string{"abc", "d"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoOutput(t *testing.T) {
	s, _ := openStore(t)
	r := begin(t, s, nil)
	r.Soon()
	r.finish(true)
	if diff := cmp.Diff("", text(t, s)); diff != "" {
		t.Error(diff)
	}
	other, dir := openStore(t)
	begin(t, other, nil).Discard()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a command that never started left %v, %v", entries, err)
	}
}

var gap = regexp.MustCompile(`(?m)^\[nth: (\d+) bytes are missing here: (.*)\]\n`)

// account checks that what a log holds, and what it says that it lacks, is all there
// was: whole lines, in order, with the end.
func account(t *testing.T, got, want string, gaps int) {
	t.Helper()
	missing := 0
	for _, m := range gap.FindAllStringSubmatch(got, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Error(err)
		}
		missing += n
	}
	kept := gap.Split(got, -1)
	if len(kept) != gaps+1 {
		t.Fatalf("%d gaps, want %d: %q", len(kept)-1, gaps, got)
	}
	length, from := 0, 0
	for i, piece := range kept {
		if i+1 < len(kept) && !strings.HasSuffix(want[:max(0, strings.Index(want, piece)+len(piece))], piece) {
			piece = strings.TrimSuffix(piece, "\n") // so that the gap has a line of its own
		}
		at := strings.Index(want[from:], piece)
		if at < 0 {
			t.Fatalf("piece %d isn't what was written: %q", i, piece)
		}
		from += at + len(piece)
		length += len(piece)
	}
	if length+missing != len(want) || from != len(want) {
		t.Errorf("%d bytes kept and %d missing of %d, the end at %d", length, missing, len(want), from)
	}
}

// recovers checks what the store has in the end, when it works again after want was
// written to w.
func (r *rig) recovers(w io.Writer, want string) {
	r.t.Helper()
	eventually(r.t, "the store works again", func() bool {
		r.Soon()
		return r.back.Load() == 1
	})
	want += lines(w, "up", 1000)
	r.finish(false)
	account(r.t, text(r.t, r.Store), want, 1)
}

// TestDown: a store that isn't there holds nobody, and gets what there is room for,
// the beginning and the end, when it comes back.
func TestDown(t *testing.T) {
	dir := t.TempDir() + "/mount"
	s, err := store.Open(t.Context(), "file://"+dir+"/logs")
	if err != nil {
		t.Fatal(err)
	}
	r := begin(t, s, nil)
	w := r.Stream()
	want := lines(w, "down", 1000)
	eventually(t, "a warning", func() bool { return r.warn.Load() == 1 })
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.recovers(w, want)
}

// TestDownToTheEnd: nobody waits longer than agreed, and nothing is there.
func TestDownToTheEnd(t *testing.T) {
	s, err := store.Open(t.Context(), "file:///no/such/dir")
	if err != nil {
		t.Fatal(err)
	}
	r := begin(t, s, nil)
	lines(r.Stream(), "down", 1000)
	r.End(never, time.Millisecond)
	if r.Wait() {
		t.Error("the store has all of it")
	}
}

// bucket opens one of a real server behind a proxy that misbehaves.
func bucket(t *testing.T, decide func(int, *http.Request) servers.Action) *store.Store {
	t.Helper()
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	f := servers.StartFault(t, s3.Address, decide)
	for _, e := range servers.S3Env() {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	s, err := store.Open(t.Context(), "s3://bucket/logs?use_path_style=true&endpoint="+f.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestStalled: a store that takes connections and never answers holds the command for
// the agreed time once, and not again.
func TestStalled(t *testing.T) {
	var stall, stalled atomic.Bool
	s := bucket(t, func(int, *http.Request) servers.Action {
		if stall.Load() {
			stalled.Store(true)
			return servers.Stall
		}
		return nil
	})
	const held = 100 * time.Millisecond
	r := begin(t, s, func(o *Options) { o.patience, o.PerCall = held, 5*held })
	w := r.Stream()
	stall.Store(true)
	want := lines(w, "stalled", 1000) // ten seconds' worth, were each part waited for
	eventually(t, "a warning", func() bool { return r.warn.Load() == 1 })
	if !stalled.Load() {
		t.Error("it never stalled")
	}
	stall.Store(false)
	r.recovers(w, want)
}

// TestSlow: a store that keeps up, however slowly, gets everything.
func TestSlow(t *testing.T) {
	s := bucket(t, func(int, *http.Request) servers.Action {
		time.Sleep(5 * time.Millisecond)
		return nil
	})
	r := begin(t, s, nil)
	want := lines(r.Stream(), "slow", 2000)
	r.finish(true)
	if got := text(t, s); got != want {
		t.Errorf("%d bytes of %d", len(got), len(want))
	}
	if r.warn.Load() > 0 {
		t.Error("warned")
	}
}

// TestLinesWithSecrets: what one stream writes at once stays together, also where a mask is put
// into it while another stream writes.
func TestLinesWithSecrets(t *testing.T) {
	s, _ := openStore(t)
	r := begin(t, s, func(o *Options) { o.Secrets, o.size = []string{"s3cr3t-canary"}, 1<<20 })
	var all sync.WaitGroup
	for range 4 {
		stream := r.Stream()
		all.Go(func() {
			for range 2000 {
				_, _ = stream.Write([]byte("before s3cr3t-canary behind\n"))
			}
			_ = stream.Close()
		})
	}
	all.Wait()
	r.finish(true)
	for line := range strings.Lines(text(t, s)) {
		if line != "before *** behind\n" {
			t.Fatalf("a line is %q", line)
		}
	}
}
