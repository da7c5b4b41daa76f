package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/hung"
)

func init() { helpers["hung"] = askWhatHangs }

// TestHung: a store that doesn't answer takes no further thread however often it is asked:
// a limit of processes would end nth, and what it runs with it. Another store works.
func TestHung(t *testing.T) {
	fs := hung.Mount(t)
	must(t, "chmod", os.Chmod(filepath.Dir(fs.Dir), 0o755)) // another user asks
	cmd := helperCommand("hung", "file://"+fs.Dir+"/markers")
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "whole\n" {
		t.Errorf("%v:\n%.2000s", err, out)
	}
}

// askWhatHangs asks as a user who may have few threads more.
func askWhatHangs(s *store.Store) error {
	dir, err := os.MkdirTemp("", "healthy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	const user, room = 63210, 40
	if err := errors.Join(os.Chown(dir, user, user), unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: room, Max: room}), syscall.Setuid(user)); err != nil {
		return err
	}
	for k := range 100 {
		if err := inVain(s, fmt.Sprintf("done/%d.json", k)); err != nil {
			return err
		}
	}
	healthy, err := store.Open(context.Background(), "file://"+filepath.Join(dir, "markers"))
	if err != nil {
		return err
	}
	if err := healthy.Create(context.Background(), "done/1.json", []byte("whole\n")); err != nil {
		return err
	}
	body, _, err := healthy.Read(context.Background(), "done/1.json")
	fmt.Print(string(body))
	return err
}

// inVain asks everything that a store can be asked, and is an error if there is an answer.
func inVain(s *store.Store, key string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, _, read := s.Read(ctx, key)
	_, exists := s.Exists(ctx, key)
	_, holds := s.Holds(ctx)
	for name, err := range map[string]error{"read": read, "exists": exists, "holds": holds, "create": s.Create(ctx, key, []byte("x")),
		"put": s.Put(ctx, key, []byte("x")), "delete": s.Delete(ctx, key), "list": s.List(ctx, "done/", nil)} {
		if err == nil || store.Classify(err) != contract.Unreachable {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// TestAnswersAgain: when the call that hung has returned, the store works.
func TestAnswersAgain(t *testing.T) {
	fs := hung.Mount(t)
	s := open(t, "file://"+fs.Dir)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := s.Read(ctx, "x")
	wantKind(t, "read", err, contract.Unreachable)
	fs.Answer()
	_, _, err = s.Read(t.Context(), "x")
	wantKind(t, "read", err, contract.Absent)
}
