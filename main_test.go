package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBug: a panic is exit code 70 and one line, like any other failure.
func TestBug(t *testing.T) {
	subcommands["panic"] = func([]string) int { panic("on purpose") }
	defer delete(subcommands, "panic")
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NTH_TERMINATION_LOG", log)
	if code := dispatch([]string{"panic"}); code != 70 {
		t.Errorf("exit code %d, want 70", code)
	}
	if body, err := os.ReadFile(log); err != nil || !strings.Contains(string(body), "on purpose") || strings.Contains(string(body), "\n") {
		t.Errorf("the termination message is %q (%v)", body, err)
	}
}
