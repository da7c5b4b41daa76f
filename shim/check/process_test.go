package check_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"nth/shim/check"
	"nth/testdata/servers"
)

// helper is `nth check` as a process.
func helper(url string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	cmd = exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperURL+"="+url)
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// TestDirectoryOfAnother: the user who has no right is named, and the right.
func TestDirectoryOfAnother(t *testing.T) {
	for _, c := range []struct {
		name string
		mode os.FileMode
		want want
	}{
		{"may not write", 0o555, want{bad: "create=failed" + afterCreate, code: 77, lacks: every,
			missing: []string{"write access to DIR for uid 12345"}, says: "(grant write access to DIR for uid 12345)"}},
		{"may do nothing", 0o700, want{bad: "absent=failed list=failed stray=skipped create=failed" + afterCreate, code: 77, lacks: every,
			missing: []string{"read access to DIR for uid 12345", "write access to DIR for uid 12345"}, says: "(grant read access to DIR for uid 12345)"}},
		{"may not list", 0o733, want{bad: "list=failed", missing: []string{"read access to DIR for uid 12345"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Not t.TempDir, which others than its owner may not enter.
			dir, err := os.MkdirTemp("", "nth-check-")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			if err := os.Chmod(dir, c.mode); err != nil {
				t.Fatal(err)
			}
			cmd, stdout, stderr := helper("file://" + dir)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
			_ = cmd.Run()
			var r check.Report
			if err := json.Unmarshal([]byte(strings.ReplaceAll(stdout.String(), dir, "DIR")), &r); err != nil {
				t.Fatalf("%v: %s%s", err, stdout, stderr)
			}
			compare(t, &r, c.want, "file://"+dir)
			if code := cmd.ProcessState.ExitCode(); code != c.want.code {
				t.Errorf("exit code %d, want %d", code, c.want.code)
			}
		})
	}
}

// TestSignals: a signal in the middle of a write ends the check, and the probe is
// removed; so it is when nobody reads the report.
func TestSignals(t *testing.T) {
	server := s3Server(t)
	for _, c := range []struct {
		signal syscall.Signal
		code   int
	}{
		{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}, {syscall.SIGHUP, 129}, {syscall.SIGPIPE, 141},
	} {
		t.Run(c.signal.String(), func(t *testing.T) {
			told, started := false, make(chan *os.Process, 1)
			url := through(t, server, func(r *http.Request) servers.Action {
				if isCreate(r) && !told {
					told = true
					_ = (<-started).Signal(c.signal)
				}
				return nil
			})
			cmd, _, stderr := helper(url)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			started <- cmd.Process
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(stderr.String(), "stopped by SIG") {
				t.Errorf("exit code %d, want %d: %s", code, c.code, stderr)
			}
			if keys := left(t, server.URL("data", "p")); len(keys) > 0 {
				t.Errorf("%v is left", keys)
			}
		})
	}
}
