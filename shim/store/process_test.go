package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// The test binary is also the process that writes until it is killed, that has no
// right to write, and whose disk is full.
const (
	helperVariable = "NTH_TEST_STORE_HELPER"
	helperURL      = "NTH_TEST_STORE_URL"
)

func TestMain(m *testing.M) {
	helper, ok := helpers[os.Getenv(helperVariable)]
	if !ok {
		os.Exit(m.Run())
	}
	s, err := store.Open(context.Background(), os.Getenv(helperURL))
	if err == nil {
		err = helper(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var helpers = map[string]func(*store.Store) error{
	"endless":  writeEndlessly,
	"race":     raceToCreate,
	"readOnly": readWithoutRight,
	"full":     writeWhenFull,
}

func helperCommand(name, url string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperVariable+"="+name, helperURL+"="+url)
	return cmd
}

// wholeBody is a document that tells whether all of it is there.
func wholeBody(size int) []byte {
	body := make([]byte, 8+size, 8+size+sha256.Size)
	binary.BigEndian.PutUint64(body, uint64(size))
	for i := range size {
		body[8+i] = byte(rand.Uint32())
	}
	sum := sha256.Sum256(body)
	return append(body, sum[:]...)
}

func whole(body []byte) bool {
	n := len(body) - sha256.Size
	if n < 8 || binary.BigEndian.Uint64(body) != uint64(n-8) {
		return false
	}
	sum := sha256.Sum256(body[:n])
	return bytes.Equal(sum[:], body[n:])
}

func writeEndlessly(s *store.Store) error {
	for i := 0; ; i++ {
		body := wholeBody(rand.IntN(300_000))
		if err := s.Create(context.Background(), fmt.Sprintf("new/%d-%d", os.Getpid(), i), body); err != nil {
			return err
		}
		if i == 0 {
			fmt.Println("begun")
		}
		if err := s.Put(context.Background(), "same", body); err != nil {
			return err
		}
		_, token, err := s.Read(context.Background(), "replaced")
		if store.Classify(err) == contract.Absent && err != nil {
			err = s.Create(context.Background(), "replaced", body)
		} else if err == nil {
			err = s.Replace(context.Background(), "replaced", body, token)
		}
		if err != nil && store.Classify(err) != contract.Exists {
			return err
		}
	}
}

// TestKilledWriters: whatever moment a writer is killed at, each blob is whole, and
// what it leaves behind is not one.
func TestKilledWriters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "markers")
	s := open(t, "file://"+dir)
	leftovers, blobs := 0, 0
	for round := 0; round < 200 && (round < 20 || leftovers == 0); round++ {
		var all []*exec.Cmd
		for range 3 {
			cmd := helperCommand("endless", "file://"+dir)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			must(t, "pipe", err)
			must(t, "start", cmd.Start())
			_, err = out.Read(make([]byte, 100))
			must(t, "wait for its first blob", err)
			all = append(all, cmd)
		}
		time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
		for _, cmd := range all {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if !cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
				t.Fatalf("a writer ended by itself: %v", cmd.ProcessState)
			}
		}
		blobs = 0
		must(t, "list", s.List(t.Context(), "", func(key string, _ int64, _ time.Time) error {
			blobs++
			body, _, err := s.Read(t.Context(), key)
			if err != nil || !whole(body) || strings.Contains(key, "nth-tmp") {
				t.Errorf("%s: not whole, or no blob: %d bytes, %v", key, len(body), err)
			}
			return nil
		}))
		leftovers = temporaryFiles(t, dir)
	}
	if leftovers == 0 || blobs == 0 {
		t.Errorf("%d temporary files and %d blobs: no writer was killed at work", leftovers, blobs)
	}
	must(t, "write after all", s.Put(t.Context(), "same", wholeBody(10)))
}

func temporaryFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	must(t, "walk", filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(path), ".nth-tmp-") {
			n++
		}
		return err
	}))
	return n
}

func TestReadOnlyDirectory(t *testing.T) {
	// Not t.TempDir, which others than its owner may not enter.
	dir, err := os.MkdirTemp("", "nth-store-")
	must(t, "mkdir", err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := open(t, "file://"+dir)
	must(t, "create", s.Create(t.Context(), "done/1.json", []byte("x")))
	must(t, "chmod", os.Chmod(filepath.Join(dir, "done"), 0o555))
	must(t, "chmod", os.Chmod(dir, 0o555))
	cmd := helperCommand("readOnly", "file://"+dir)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func readWithoutRight(s *store.Store) error {
	ctx := context.Background()
	if body, _, err := s.Read(ctx, "done/1.json"); string(body) != "x" || err != nil {
		return fmt.Errorf("read %q, %w", body, err)
	}
	if there, err := s.Exists(ctx, "done/2.json"); there || err != nil {
		return fmt.Errorf("exists: %v, %w", there, err)
	}
	listed := 0
	if err := s.List(ctx, "", func(string, int64, time.Time) error { listed++; return nil }); listed != 1 || err != nil {
		return fmt.Errorf("listed %d, %w", listed, err)
	}
	for _, key := range []string{"done/2.json", "failed/2.json"} {
		if err := s.Create(ctx, key, nil); store.Classify(err) != contract.Denied || err == nil {
			return fmt.Errorf("create %s: %w", key, err)
		}
	}
	return nil
}

// TestFull: of a blob that the disk has no room for nothing is left.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	if out, err := helperCommand("full", "file://"+dir).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if n := temporaryFiles(t, dir); n != 0 {
		t.Errorf("%d temporary files are left", n)
	}
}

func writeWhenFull(s *store.Store) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 1000, Max: 1000} // write(2): a part, then EFBIG
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	err := s.Create(context.Background(), "done/1.json", bytes.Repeat([]byte("x"), 5000))
	if store.Classify(err) != contract.Unreachable || err == nil {
		return fmt.Errorf("create: %w", err)
	}
	if there, err := s.Exists(context.Background(), "done/1.json"); there || err != nil {
		return fmt.Errorf("half a blob is there: %v, %w", there, err)
	}
	return s.Create(context.Background(), "done/1.json", bytes.Repeat([]byte("x"), 900))
}
