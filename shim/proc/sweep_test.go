package proc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestEscapedWriter: what left the group and the session still writes when the
// command ends. Under process 1 it has ended before the marker is there.
func TestEscapedWriter(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	p := start(t, true, "--markers", "file://"+dir, "--", actorPath(t), "escape", out)
	p.ends(0)
	body, err := os.ReadFile(out)
	if err != nil || !strings.HasSuffix(string(body), "end\n") {
		t.Errorf("%v: the writer did not come to its end: …%q", err, last(string(body)))
	}
	written, err := os.Stat(out)
	if err != nil {
		t.Fatal(err)
	}
	marker, err := os.Stat(filepath.Join(dir, "done", "0.json"))
	if err != nil {
		t.Fatal(err)
	}
	if marker.ModTime().Before(written.ModTime()) {
		t.Error("the marker is older than the result")
	}
	if !strings.Contains(p.read("stderr"), `"leftovers":1`) {
		t.Errorf("no word of it on stderr:\n%s", p.read("stderr"))
	}
}

// TestDrainingWorker: the shell dies of SIGTERM at once, while its worker still
// has to finish.
func TestDrainingWorker(t *testing.T) {
	for _, target := range []string{"child", "group"} {
		t.Run(target, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				out := filepath.Join(t.TempDir(), "out")
				p := start(t, pid1, "--signal-target", target, "--", "sh", "-c", `"$ACTOR" writer "$0" & wait`, out)
				eventually(t, "the worker writes", func() bool { return size(out) > 0 })
				p.send(syscall.SIGTERM)
				p.ends(143)
				if body, _ := os.ReadFile(out); !strings.HasSuffix(string(body), "end\n") {
					t.Errorf("the worker was cut off: …%q", last(string(body)))
				}
			})
		})
	}
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// TestStubbornLeftover: what ignores SIGTERM, or is stopped, gets SIGKILL or SIGCONT.
func TestStubbornLeftover(t *testing.T) {
	for _, tt := range []struct{ name, grace, script string }{
		{"ignores SIGTERM", "300ms", `"$ACTOR" ignore SIGTERM >"$0" & echo pid $!` + atWork},
		{"is stopped", "10m", `sleep 600 & echo pid $!; kill -STOP $!`},
		{"holds stderr open", "10m", `sleep 600 2>&2 & echo pid $!`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				p := start(t, pid1, "--stderr-tail", "1000", "--sweep-grace", tt.grace, "--", "sh", "-c", tt.script+"; exit 6", t.TempDir()+"/out")
				p.ends(6)
				_, word, _ := strings.Cut(p.read("stdout"), "pid ")
				if pid, err := strconv.Atoi(strings.Fields(word)[0]); err != nil {
					t.Error(err)
				} else if !pid1 && !gone(pid) {
					t.Error("it still lives")
				}
			})
		})
	}
}

// TestEscapedHolder: what left the group holds nth neither by the pipe of stderr nor by
// writing to it on and on.
func TestEscapedHolder(t *testing.T) {
	for _, work := range []string{"sleep 600", "yes >&2"} {
		t.Run(work, func(t *testing.T) {
			pidFile := filepath.Join(t.TempDir(), "pid")
			p := start(t, false, "--stderr-tail", "1000", "--", "sh", "-c",
				`setsid sh -c 'echo $$ > "$0.new"; mv "$0.new" "$0"; exec `+work+`' "$0" & while ! [ -e "$0" ]; do sleep 0.01; done; exit 6`, pidFile)
			p.ends(6)
			body, _ := os.ReadFile(pidFile)
			if pid, err := strconv.Atoi(strings.TrimSpace(string(body))); err != nil || !gone(pid) {
				t.Errorf("it is still there (%v)", err)
			}
		})
	}
}

// TestTheCommandDiesWithNth: its successor may start the same item at once.
func TestTheCommandDiesWithNth(t *testing.T) {
	p := start(t, false, "--", "sleep", "600")
	var command int
	eventually(t, "the command runs", func() bool {
		for _, pid := range children(p.pid) {
			if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); string(name) == "sleep\n" {
				command = pid
			}
		}
		return command != 0
	})
	p.send(syscall.SIGKILL)
	_ = p.cmd.Wait()
	eventually(t, "the command is dead", func() bool { return gone(command) })
}

// gone tells whether a process has ended; it may be a zombie of someone else's.
func gone(pid int) bool {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(body), ") ")
	return err != nil || strings.HasPrefix(rest, "Z")
}
