package program

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Appears waits for a file.
func Appears(t testing.TB, path string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	t.Fatalf("%s doesn't appear", path)
}

// CheckFile compares what is in a file.
func CheckFile(t *testing.T, path, want string) {
	t.Helper()
	if body, err := os.ReadFile(path); err != nil || string(body) != want {
		t.Errorf("%s is %q (%v), want %q", path, body, err, want)
	}
}

// AwaitText waits until what is read has a text.
func AwaitText(t *testing.T, what string, read func() string, text string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(read(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s: %q", what, read())
		}
	}
}
