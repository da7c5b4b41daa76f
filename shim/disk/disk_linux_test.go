package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// short is a deadline for what won't return.
func short(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// do is Run of a call that gives something.
func do(ctx context.Context, dir string, call func() (int, error)) (int, error) {
	var n int
	var err error
	if gaveUp := Run(ctx, dir, func() { n, err = call() }); gaveUp != nil {
		return 0, gaveUp
	}
	return n, err
}

// hanging gives a call that counts how often it was begun, and returns when told to.
func hanging(t *testing.T) (call func() (int, error), begun *atomic.Int64, let func()) {
	t.Helper()
	gate := make(chan struct{})
	begun = new(atomic.Int64)
	let = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(let)
	return func() (int, error) {
		begun.Add(1)
		<-gate
		return 7, nil
	}, begun, let
}

func gaveUp(t *testing.T, err error) *NoAnswer {
	t.Helper()
	e, ok := errors.AsType[*NoAnswer](err)
	if !ok || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the error is %v", err)
	}
	return e
}

// TestOneHangs: of a directory of which a call was given up none is begun until it has
// returned. Others' calls are.
func TestOneHangs(t *testing.T) {
	call, begun, let := hanging(t)
	_, err := do(short(t), "/dir", call)
	first := gaveUp(t, err)
	for range 20 {
		_, err := do(short(t), "/dir", call)
		if again := gaveUp(t, err); again.Since != first.Since {
			t.Errorf("it hangs since %s, and now since %s", first.Since, again.Since)
		}
	}
	if n := begun.Load(); n > 1 {
		t.Errorf("%d calls were begun", n)
	}
	if text := first.Error(); text != "the file system has not answered since "+first.Since.UTC().Format("2006-01-02 15:04:05Z") {
		t.Error(text)
	}
	if n, err := do(t.Context(), "/other", func() (int, error) { return 3, nil }); n != 3 || err != nil {
		t.Errorf("another directory's: %d, %v", n, err)
	}
	waits := make(chan error)
	go func() {
		n, err := do(t.Context(), "/dir", call)
		if n != 7 {
			err = fmt.Errorf("%d, %w", n, err)
		}
		waits <- err
	}()
	let()
	if err := <-waits; err != nil {
		t.Errorf("when it answers again: %v", err)
	}
	if len(hangs) != 0 {
		t.Errorf("it is remembered: %v", hangs)
	}
}

// TestLater: what cleans up is done once the directory answers, and holds nobody.
func TestLater(t *testing.T) {
	call, _, let := hanging(t)
	_, err := do(short(t), "/dir", call)
	gaveUp(t, err)
	cleaned := make(chan struct{})
	Later("/dir", func() { close(cleaned) })
	select {
	case <-cleaned:
		t.Error("it was done while the directory hung")
	default:
	}
	let()
	<-cleaned
	done := false
	Later("/dir", func() { done = true })
	if !done {
		t.Error("nothing hangs, and it wasn't done")
	}
}

// TestVolume: however many directories a volume has, few calls to it hang; a directory of
// another one is not concerned. (/proc and /sys are volumes; they are not asked anything.)
func TestVolume(t *testing.T) {
	call, begun, let := hanging(t)
	for k := range 3 * most {
		_, err := do(short(t), fmt.Sprint("/proc/", k), call)
		gaveUp(t, err)
	}
	if n := begun.Load(); n > most {
		t.Errorf("%d calls hang", n)
	}
	if n, err := do(t.Context(), "/sys/1", func() (int, error) { return 3, nil }); n != 3 || err != nil {
		t.Errorf("another volume's: %d, %v", n, err)
	}
	let()
	if n, err := do(t.Context(), "/proc/new", call); n != 7 || err != nil {
		t.Errorf("when it answers again: %d, %v", n, err)
	}
}

func TestVolumeOf(t *testing.T) {
	v := volumes{"/": true, "/mnt/a": true, "/mnt/a/b": true}
	for dir, want := range map[string]string{
		"/": "/", "/mnt": "/", "/mnt/a": "/mnt/a", "/mnt/a/": "/mnt/a", "/mnt/ab": "/", "/mnt/a/c/d": "/mnt/a", "/mnt/a/b/c": "/mnt/a/b", "here": ".",
	} {
		if got := v.of(dir); got != want {
			t.Errorf("%s is on %s, want %s", dir, got, want)
		}
	}
	if got := unescape(`/a\040b\134c\`); got != `/a b\c\` {
		t.Error(got)
	}
}

// TestPipe: what a writer puts into a pipe comes when it comes.
func TestPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	go func() {
		<-ctx.Done()
		_, _ = w.WriteString("xxxxxxxxxx")
		w.Close()
	}()
	if body, err := ReadFile(ctx, fmt.Sprintf("/proc/self/fd/%d", r.Fd()), 5); string(body) != "xxxxx" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if body, err := ReadFile(t.Context(), path, 3); string(body) != "tex" || err != nil {
		t.Errorf("it is %q, %v", body, err)
	}
	if _, err := Stat(t.Context(), path+"y"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
