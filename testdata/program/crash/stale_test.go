//go:build linux

package crash

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// sweep is nth reset --stale, until it says so: a store may tell whole seconds.
func sweep(t *testing.T, env []string, markers, says string) {
	t.Helper()
	var stdout, stderr string
	harness.Await(t, func() bool {
		stdout, stderr, _ = program.Nth(t, env, "reset", "--stale", "--older-than", "1ms", "--yes", "--markers", markers)
		return strings.Contains(stdout+stderr, says)
	}, func() string { return stdout + stderr })
}

// TestStaleFile: what a run has written half that was killed outright is found, and goes.
func TestStaleFile(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	markers := "file://" + dir + "/m"
	cmd := exec.Command(nth, "run", "--index", "5", "--markers", markers, "--stdout", "file://"+dir+"/5.txt", "--", "sh", "-c", "head -c 20000000 /dev/zero; kill -KILL $PPID; sleep 6000")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("nth wasn't killed: %s", out)
	}
	left := func() (all []string) {
		for _, pattern := range []string{"/.nth/*/0/*", "/m/staging/5/*"} {
			found, _ := filepath.Glob(dir + pattern)
			all = append(all, found...)
		}
		return all
	}
	if len(left()) != 2 {
		t.Fatalf("left: %q", left())
	}
	stdout, stderr, code := program.Nth(t, nil, "reset", "--stale", "--yes", "--markers", markers)
	if code != 0 || stdout != "kept what 1 run may still be at work at: 5\n" || len(left()) != 2 {
		t.Errorf("too early: %d %s%s, left %q", code, stdout, stderr, left())
	}
	sweep(t, nil, markers, "removed 1 object that 1 run had staged, of 5")
	if _, err := os.Stat(dir + "/.nth"); !os.IsNotExist(err) || len(left()) > 0 {
		t.Errorf("left: %q, %v", left(), err)
	}
}

// TestStaleMinIO: the same on S3, of a run that was killed before it committed; what one has
// committed stays, and the next start publishes it.
func TestStaleMinIO(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range servers.S3Env() {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	server := servers.StartMinIO(t)
	server.Bucket(t, "data")
	var mu sync.Mutex
	var at string
	var victim *os.Process
	fault := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		mu.Lock()
		defer mu.Unlock()
		if victim == nil || r.Method != http.MethodPut || !strings.Contains(r.URL.Path, at) {
			return nil
		}
		_ = victim.Kill()
		return servers.Reset
	})
	query := "?use_path_style=true&endpoint=" + fault.URL
	listed := func(under string) (keys []string) {
		s, err := store.Open(t.Context(), server.URL("data", under))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		err = s.List(t.Context(), "", func(key string, _ int64, _ time.Time) error {
			keys = append(keys, key)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	for name, killed := range map[string]string{"uncommitted": "/commit/", "committed": "/done/"} {
		t.Run(name, func(t *testing.T) {
			markers, out := "s3://data/"+name+"/m"+query, filepath.Join(t.TempDir(), "out")
			args := []string{"run", "--index", "5", "--markers", markers, "--output", out + "=s3://data/" + name + "/out/5.txt" + query, "--", "sh", "-c", `echo made >"$0"`, out}
			cmd := exec.Command(nth, args...)
			mu.Lock()
			if err := cmd.Start(); err != nil {
				t.Error(err)
			}
			at, victim = killed, cmd.Process
			mu.Unlock()
			err := cmd.Wait()
			mu.Lock()
			victim = nil
			mu.Unlock()
			if err == nil || len(listed(name+"/out/.nth")) != 1 || len(listed(name+"/m/staging")) != 1 {
				t.Fatalf("%v, there are %q", err, listed(name))
			}
			if name == "committed" {
				sweep(t, servers.S3Env(), markers, "kept what 1 run had committed, for the next start to publish it: 5")
				if _, stderr, code := program.Nth(t, servers.S3Env(), args...); code != 0 {
					t.Errorf("exit code %d\n%s", code, stderr)
				}
				if diff := cmp.Diff([]string{"m/commit/5.json", "m/done/5.json", "out/5.txt"}, listed(name)); diff != "" {
					t.Error(diff)
				}
				return
			}
			sweep(t, servers.S3Env(), server.URL("data", name+"/m"), "decides whom to ask") // another endpoint
			sweep(t, servers.S3Env(), markers, "removed 1 object that 1 run had staged, of 5")
			if diff := cmp.Diff([]string(nil), listed(name)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
