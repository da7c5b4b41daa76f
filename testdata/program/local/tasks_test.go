//go:build linux

package local

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// watched collects what a terminal shows, and tells when it has shown something.
type watched struct {
	text  strings.Builder
	until string
	seen  func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.text.Write(p)
	if w.seen != nil && strings.Contains(w.text.String(), w.until) {
		w.seen()
		w.seen = nil
	}
	return len(p), nil
}

// TestLocalTasks: the bar counts the tasks of a queue, as far as the queue can be asked.
func TestLocalTasks(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	r := servers.StartRedis(t)
	var payloads []string
	for i := range 20 {
		payloads = append(payloads, fmt.Sprint(i))
	}
	for name, tt := range map[string]struct {
		queue, until string
		deny         string
		counted      bool
	}{
		"counted":               {"counted", "20 tasks left", "", true},
		"a count that's denied": {"denied", "2 running", "llen", false},
		"one for each index":    {"own_<<.Index>>", "2 running", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r.Do(t, "ACL", "SETUSER", "teller", "reset", "on", ">canary", "~*", "+@all")
			if tt.deny != "" {
				r.Do(t, "ACL", "SETUSER", "teller", "-"+tt.deny)
			}
			if tt.counted || tt.deny != "" {
				program.QueueOf(t, r, tt.queue, payloads...)
			} else {
				program.QueueOf(t, r, "own_0", payloads...)
				program.QueueOf(t, r, "own_1", payloads...)
			}
			// Nothing is done before the bar was seen.
			gate := filepath.Join(dir, "gate")
			cmd := exec.Command(nth, "local", "--completions", "2", "--parallelism", "2", "--tasks", "redis://teller:canary@"+r.Address+"/0?queue="+tt.queue, "--",
				"sh", "-c", `until test -e "$0"; do sleep 0.02; done; echo <<.Task>> >> "$1"`, gate, filepath.Join(dir, "log"))
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm"}
			terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 100, Rows: 10})
			if err != nil {
				t.Fatal(err)
			}
			w := &watched{until: tt.until, seen: func() {
				if err := os.WriteFile(gate, nil, 0o600); err != nil {
					t.Error(err)
				}
			}}
			_, _ = io.Copy(w, terminal) // a terminal ends with an error
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v:\n%s", err, w.text.String())
			}
			if log, _ := r.Do(t, "ACL", "LOG").([]any); tt.deny != "" && len(log) == 0 {
				t.Error("nobody tried to count")
			}
			shown := w.text.String()
			if strings.Contains(shown, "tasks left") != tt.counted || strings.Contains(shown, "canary") {
				t.Errorf("the terminal shows\n%q", shown)
			}
			if tt.counted && !strings.Contains(shown, "0/20  0%  20 tasks left  2 running") {
				t.Errorf("the terminal shows\n%q", shown)
			}
		})
	}
}
