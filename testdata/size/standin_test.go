package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// TestStandIns: what the release is built with instead of lines of modules, and of a package
// of Go's, does the same: the tests that are about that pass on it as well.
func TestStandIns(t *testing.T) {
	build := exec.Command(filepath.Join(harness.Root(), ".ci", "build"), filepath.Join(t.TempDir(), "nth"))
	build.Env = append(os.Environ(), "VERSION=v0.0.0", "COMMIT=0", "TEST=-v -run=^Test("+
		"Given|Bytes|Read|Said|Direct|Help|Refuses|Variables|KongVariables|Names|Proxy|Roots|ServiceAccount|Federation|Workforce|User|Metadata|NoIdentity|Parts"+
		")$ ./shim/flags ./shim/store/web ./shim/store/gcs ./shim/status/page")
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, name := range []string{"TestKongVariables", "TestNames", "TestWorkforce", "TestParts"} {
		if !strings.Contains(string(out), "--- PASS: "+name+" ") {
			t.Errorf("%s wasn't run:\n%s", name, out)
		}
	}
}
