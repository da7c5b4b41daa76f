// Package harness gives tests the program as it is released.
package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
)

// Root is the folder of the module.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Binary builds nth once a process, just as a release is built, and gives its path.
// Where NTH_TEST_BINARY names one that was built so, this is used: who runs many
// packages builds it once. The caller removes the folder of what it gets at the end.
var Binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "nth-test-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // other users run it too
		return "", err
	}
	path := filepath.Join(dir, "nth")
	if built := os.Getenv("NTH_TEST_BINARY"); built != "" {
		if out, err := exec.Command("cp", built, path).CombinedOutput(); err != nil {
			return "", fmt.Errorf("copy NTH_TEST_BINARY: %w\n%s", err, out)
		}
		return path, nil
	}
	build := exec.Command(filepath.Join(Root(), ".ci", "build"), path)
	build.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", build, err, out)
	}
	return path, nil
})
