package program

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// Appears waits for a file.
func Appears(t testing.TB, path string) {
	t.Helper()
	harness.Await(t, func() bool { _, err := os.Stat(path); return err == nil }, func() string { return path + " doesn't appear" })
}

// CheckFile compares what is in a file.
func CheckFile(t *testing.T, path, want string) {
	t.Helper()
	if body, err := os.ReadFile(path); err != nil || string(body) != want {
		t.Errorf("%s is %q (%v), want %q", path, body, err, want)
	}
}

// AwaitText waits until what is read has a text.
func AwaitText(t testing.TB, what string, read func() string, text string) {
	t.Helper()
	harness.Await(t, func() bool { return strings.Contains(read(), text) }, func() string { return fmt.Sprintf("no %s: %q", what, read()) })
}
