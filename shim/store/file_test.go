package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// TestReplaceLosesNothing: of all writers that replace one blob on condition none
// overwrites what it has not read.
func TestReplaceLosesNothing(t *testing.T) {
	for _, dir := range []string{t.TempDir(), memoryDir(t)} {
		s := open(t, "file://"+dir+"/m")
		must(t, "create", s.Create(t.Context(), "counter", []byte("1000")))
		const writers, each = 8, 25
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for done := 0; done < each; {
					body, token, err := s.Read(context.Background(), "counter")
					if err != nil {
						t.Error(err)
						return
					}
					n, _ := strconv.Atoi(string(body))
					switch err := s.Replace(context.Background(), "counter", []byte(strconv.Itoa(n+1)), token); {
					case err == nil:
						done++
					case store.Classify(err) != contract.Exists:
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		if body, _, err := s.Read(t.Context(), "counter"); string(body) != strconv.Itoa(1000+writers*each) || err != nil {
			t.Errorf("%s: the counter is at %s, want %d; %v", dir, body, 1000+writers*each, err)
		}
		if n := temporaryFiles(t, dir); n != 0 {
			t.Errorf("%d temporary files are left", n)
		}
	}
}

// TestVersionIsContent: two versions differ though inode, date and size are the same.
func TestVersionIsContent(t *testing.T) {
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	path := filepath.Join(dir, "x")
	must(t, "put", s.Put(t.Context(), "x", []byte("1")))
	info, err := os.Stat(path)
	must(t, "stat", err)
	_, token, err := s.Read(t.Context(), "x")
	must(t, "read", err)
	must(t, "write", os.WriteFile(path, []byte("2"), 0o666))
	must(t, "chtimes", os.Chtimes(path, info.ModTime(), info.ModTime()))
	wantKind(t, "replace", s.Replace(t.Context(), "x", []byte("3"), token), contract.Exists)
}

func TestUnmounted(t *testing.T) {
	dir := t.TempDir()
	ctx := t.Context()
	t.Run("its parent is missing", func(t *testing.T) {
		s := open(t, "file://"+dir+"/volume/markers")
		_, _, err := s.Read(ctx, "done/1.json")
		wantKind(t, "read", err, contract.Unreachable)
		_, err = s.Exists(ctx, "done/1.json")
		wantKind(t, "exists", err, contract.Unreachable)
		wantKind(t, "create", s.Create(ctx, "done/1.json", nil), contract.Unreachable)
		wantKind(t, "put", s.Put(ctx, "done/1.json", nil), contract.Unreachable)
		wantKind(t, "delete", s.Delete(ctx, "done/1.json"), contract.Unreachable)
		wantKind(t, "list", s.List(ctx, "done/", nil), contract.Unreachable)
		f := store.Fail(err, failure.TheJob, "look for", "it")
		want := `look for it: the directory ` + dir + `/volume does not exist (is the volume mounted? create_dir=true in the URL makes directories)`
		if diff := cmp.Diff(want, f.Error()); diff != "" || f.Code != 69 {
			t.Errorf("code %d, message (-want +got):\n%s", f.Code, diff)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 0 {
			t.Errorf("it made %v", entries)
		}
	})
	t.Run("only the last is missing", func(t *testing.T) {
		s := open(t, "file://"+dir+"/markers")
		_, _, err := s.Read(ctx, "done/1.json")
		wantKind(t, "read", err, contract.Absent)
		must(t, "list", s.List(ctx, "done/", nil))
		must(t, "create", s.Create(ctx, "done/1.json", nil))
	})
	t.Run("create_dir", func(t *testing.T) {
		s := open(t, "file://"+dir+"/some/where/markers?create_dir=true")
		_, _, err := s.Read(ctx, "done/1.json")
		wantKind(t, "read", err, contract.Absent)
		must(t, "create", s.Create(ctx, "done/1.json", nil))
	})
	t.Run("a file is in the way", func(t *testing.T) {
		must(t, "write", os.WriteFile(filepath.Join(dir, "plain"), nil, 0o666))
		s := open(t, "file://"+dir+"/plain")
		_, _, err := s.Read(ctx, "done/1.json")
		wantKind(t, "read", err, contract.Unreachable)
		wantKind(t, "create", s.Create(ctx, "done/1.json", nil), contract.Unreachable)
		wantKind(t, "list", s.List(ctx, "", nil), contract.Unreachable)
	})
}

// TestNotABlob: what stands in a blob's place and is none is neither absent nor a
// blob that another has written.
func TestNotABlob(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := open(t, "file://"+dir)
	must(t, "create", s.Create(ctx, "a/b", nil))
	for _, key := range []string{"a", "a/b/c"} {
		_, _, err := s.Read(ctx, key)
		wantKind(t, "read "+key, err, contract.Unreachable)
		_, err = s.Exists(ctx, key)
		wantKind(t, "exists "+key, err, contract.Unreachable)
		wantKind(t, "create "+key, s.Create(ctx, key, nil), contract.Unreachable)
		wantKind(t, "put "+key, s.Put(ctx, key, nil), contract.Unreachable)
		wantKind(t, "delete "+key, s.Delete(ctx, key), contract.Unreachable)
	}
	wantKind(t, "a name that is too long", s.Create(ctx, strings.Repeat("x", 300), nil), contract.Refused)
	if n := temporaryFiles(t, dir); n != 0 {
		t.Errorf("%d temporary files are left", n)
	}
}

// TestKeysStayInside: no key names a file outside of the directory, or a temporary one.
func TestKeysStayInside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "markers")
	s := open(t, "file://"+dir)
	keys := []string{"../x", "../../x", "a/../../x", "/x", "//x", "a/", "b//c", "d/.", "d/..", "./a", "a/./b", ".nth-tmp-0011", "a/.nth-tmp-x/b", "nul\x00byte"}
	for _, key := range keys {
		must(t, "create "+key, s.Create(t.Context(), key, []byte(key)))
	}
	got := map[string]bool{}
	must(t, "list", s.List(t.Context(), "", func(key string, _ int64, _ time.Time) error {
		got[key] = true
		return nil
	}))
	for _, key := range keys {
		if body, _, err := s.Read(t.Context(), key); string(body) != key || err != nil || !got[key] {
			t.Errorf("%q holds %q, listed %v; %v", key, body, got[key], err)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(dir)); len(entries) != 1 || err != nil {
		t.Errorf("outside there is %v, %v", entries, err)
	}
}

// TestForeignFiles: a directory may be a link, and may hold what nth never wrote.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	must(t, "mkdir", os.MkdirAll(filepath.Join(target, "empty"), 0o777))
	must(t, "link", os.Symlink(target, filepath.Join(dir, "link")))
	must(t, "write", os.WriteFile(filepath.Join(dir, "elsewhere"), []byte("12345"), 0o666))
	must(t, "link", os.Symlink(filepath.Join(dir, "elsewhere"), filepath.Join(target, "linked")))
	must(t, "link", os.Symlink("nowhere", filepath.Join(target, "dangling")))
	must(t, "link", os.Symlink(target, filepath.Join(target, "loop")))
	must(t, "fifo", syscall.Mkfifo(filepath.Join(target, "fifo"), 0o666))
	must(t, "write", os.WriteFile(filepath.Join(target, "__0x2e__"), nil, 0o666))  // "." needs it
	must(t, "write", os.WriteFile(filepath.Join(target, "a__0x2e__"), nil, 0o666)) // "a." doesn't
	must(t, "write", os.WriteFile(filepath.Join(target, "\xff"), nil, 0o666))
	must(t, "write", os.WriteFile(filepath.Join(target, ".nth-tmp-1"), nil, 0o666))
	s := open(t, "file://"+dir+"/link")
	got := map[string]int64{}
	must(t, "list", s.List(t.Context(), "", func(key string, size int64, _ time.Time) error {
		got[key] = size
		return nil
	}))
	if diff := cmp.Diff(map[string]int64{"linked": 5, ".": 0}, got); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

// TestNoAnswer: a file system that doesn't answer is given up when the context is
// over. A pipe without a writer blocks whoever opens it, as a dead NFS server does.
func TestNoAnswer(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	must(t, "fifo", syscall.Mkfifo(pipe, 0o666))
	t.Cleanup(func() { // lets the call that was given up go
		if f, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
			f.Close()
		}
	})
	s := open(t, "file://"+dir)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err := s.Read(ctx, "pipe")
	wantKind(t, "read", err, contract.Unreachable)
}

// TestStoppedLockHolder: nobody waits for ever for a process that was stopped.
func TestStoppedLockHolder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	must(t, "put", s.Put(t.Context(), "x", []byte("1")))
	_, token, err := s.Read(t.Context(), "x")
	must(t, "read", err)
	holder, err := os.Open(filepath.Join(dir, "x"))
	must(t, "open", err)
	defer holder.Close()
	must(t, "lock", syscall.Flock(int(holder.Fd()), syscall.LOCK_EX))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wantKind(t, "replace", s.Replace(ctx, "x", []byte("2"), token), contract.Unreachable)
	must(t, "unlock", syscall.Flock(int(holder.Fd()), syscall.LOCK_UN))
	must(t, "replace", s.Replace(t.Context(), "x", []byte("2"), token))
}
