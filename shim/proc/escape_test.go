package proc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// escapes are ways in which a command's processes leave its group: each leaves "$ACTOR"
// writer "$0" behind.
var escapes = map[string]string{
	"setsid":               `setsid "$ACTOR" writer "$0" &`,
	"timeout":              `timeout 6000 "$ACTOR" writer "$0" &`,
	"a group of its own":   `perl -e 'use POSIX; exit if fork; setpgid 0, 0; exec @ARGV' "$ACTOR" writer "$0"`,
	"a session of its own": `perl -e 'use POSIX; exit if fork; setsid; exec @ARGV' "$ACTOR" writer "$0"`,
	"forked twice":         `perl -e 'use POSIX; exit if fork; setsid; exit if fork; exec @ARGV' "$ACTOR" writer "$0"`,
	"below another":        `setsid sh -c '"$ACTOR" writer "$0" & trap : TERM; wait; wait' "$0" &`,
	"its variables gone":   `env -i "$ACTOR" writer "$0" &`,
}

// atWork waits until the writer writes.
const atWork = "\n" + `while ! [ -s "$0" ]; do sleep 0.01; done`

// cameToItsEnd checks that a writer was told to end and waited for.
func cameToItsEnd(t *testing.T, out string) {
	t.Helper()
	if body, err := os.ReadFile(out); err != nil || !strings.HasSuffix(string(body), "end\n") {
		t.Errorf("%v: the writer did not come to its end: …%q", err, last(string(body)))
	}
}

// markedAfter checks that the marker is no older than the result.
func markedAfter(t *testing.T, dir, out string) {
	t.Helper()
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
}

// endWriters kills, at the end of a test, what writes to one of its files still.
func endWriters(t *testing.T, dir string) {
	t.Cleanup(func() {
		files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range files {
			body, _ := os.ReadFile(f)
			if pid, err := strconv.Atoi(strings.Split(f, "/")[2]); err == nil && strings.Contains(string(body), "writer\x00"+dir) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
}

// TestEscaped: whatever group or session what a command leaves behind is in, it has ended
// when the marker is there.
func TestEscaped(t *testing.T) {
	for name, script := range escapes {
		t.Run(name, func(t *testing.T) {
			for name, flags := range map[string][]string{"one": nil, "one of many": many(1, 1), "of two at a time": many(1, 2)} {
				t.Run(name, func(t *testing.T) {
					both(t, func(t *testing.T, pid1 bool) {
						dir := t.TempDir()
						endWriters(t, dir)
						out := filepath.Join(dir, "out")
						p := start(t, pid1, append(slices.Clone(flags), "--markers", "file://"+dir, "--", "sh", "-c", script+atWork, out)...)
						p.ends(0)
						cameToItsEnd(t, out)
						markedAfter(t, dir, out)
					})
				})
			}
		})
	}
}

// TestEscapedItem: with many, it has ended when its item is judged, so when the next one
// starts in its place, while another works.
func TestEscapedItem(t *testing.T) {
	for name, script := range escapes {
		t.Run(name, func(t *testing.T) {
			for name, way := range map[string]struct {
				jobs   int
				script string
			}{
				"alone": {1, `case <<.Item>> in 0) exit;; 1) `},
				// The first works until the others have ended.
				"beside another": {2, `case <<.Item>> in 0) while ! [ -s "$0.2" ]; do sleep 0.01; done; exit;; 1) `},
			} {
				t.Run(name, func(t *testing.T) {
					both(t, func(t *testing.T, pid1 bool) {
						dir := t.TempDir()
						endWriters(t, dir)
						out := filepath.Join(dir, "out")
						p := start(t, pid1, many(3, way.jobs, "--", "sh", "-c", way.script+script+atWork+`;; 2) tail -n 1 "$0" >"$0.2";; esac`, out)...)
						p.ends(0)
						body, err := os.ReadFile(out + ".2")
						if err != nil || string(body) != "end\n" {
							t.Errorf("%v: when the next item started, the writer's last line was %q", err, body)
						}
					})
				})
			}
		})
	}
}

// TestEscapedUnknown: of what nobody can tell whose it is, a warning tells, and it has ended
// in the end; what another item has started isn't touched.
func TestEscapedUnknown(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		dir := t.TempDir()
		endWriters(t, dir)
		out := filepath.Join(dir, "out")
		p := start(t, pid1, many(3, 2, "--markers", "file://"+dir, "--", "sh", "-c", `case <<.Item>> in
			0) while ! [ -e "$0.go" ]; do sleep 0.01; done; (setsid sh -c 'sleep 0.1; echo well >"$0.other"' "$0" &); while ! [ -e "$0.other" ]; do sleep 0.01; done;;
			1) setsid env -i "$ACTOR" writer "$0" & `+atWork+`;;
			2) touch "$0.go";; esac`, out)...)
		p.ends(0)
		cameToItsEnd(t, out)
		markedAfter(t, dir, out)
		if !strings.Contains(p.read("stderr"), "whose item can't be told") {
			t.Errorf("no word of it on stderr:\n%s", p.read("stderr"))
		}
	})
}

// TestThereBefore: children that nth had before its command are nobody's, theirs neither.
func TestThereBefore(t *testing.T) {
	for name, flags := range map[string][]string{"one": nil, "many": many(3, 1), "of two at a time": many(3, 2)} {
		t.Run(name, func(t *testing.T) {
			pids := filepath.Join(t.TempDir(), "pids")
			p := prepare(t, false)
			script := `sh -c 'sleep 6000 & echo $! >>"$0"; wait' "$0" & echo $! >>"$0"
				while [ $(wc -l <"$0") -lt 2 ]; do sleep 0.01; done; exec "$@"`
			words := append([]string{"sh", "-c", script, pids, binary(t), "run", "--log-level", "warn"}, flags...)
			p.cmd.Path, p.cmd.Args = "/bin/sh", append(words, "--", "sh", "-c", `setsid sleep 6000 & echo $! >>"$0.own"`, pids)
			p.begin()
			p.ends(0)
			for _, pid := range numbers(t, pids) {
				if gone(pid) {
					t.Errorf("%d has been ended", pid)
				}
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			for _, pid := range numbers(t, pids+".own") {
				if !gone(pid) {
					t.Errorf("%d is still there", pid)
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		})
	}
}

// TestGuardian: while a command works, a process waits for nth's end that holds nothing of
// nth's, and with the command it is gone.
func TestGuardian(t *testing.T) {
	for name, flags := range oneAndMany {
		t.Run(name, func(t *testing.T) {
			p := start(t, false, append(slices.Clone(flags), "--", "sh", "-c", "echo ready; exec sleep 6000")...)
			p.sees("ready")
			pid := 0
			eventually(t, "there is a guardian", func() bool { pid = guardian(p.pid); return pid != 0 })
			eventually(t, "it waits", func() bool { files, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); return len(files) == 2 })
			if dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil || dir != "/" {
				t.Errorf("its folder is %s (%v)", dir, err)
			}
			if session, err := unix.Getsid(pid); err != nil || session != pid {
				t.Errorf("its session is %d (%v)", session, err)
			}
			if n := resident(t, pid); n > 1<<10 {
				t.Errorf("it takes %d KiB", n)
			}
			p.send(syscall.SIGTERM)
			p.ends(143)
			if !gone(pid) {
				t.Error("it is still there")
			}
		})
	}
	p := start(t, true, "--", "sh", "-c", "echo ready; exec sleep 6000")
	p.sees("ready")
	if pid := guardian(p.pid); pid != 0 {
		t.Error("process 1 has one")
	}
	p.send(syscall.SIGTERM)
	p.ends(143)
}

// numbers reads the process numbers in a file.
func numbers(t *testing.T, path string) (list []int) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsSeq(string(body)) {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, n)
	}
	return list
}

// guardian finds that of an nth.
func guardian(pid int) int {
	for _, child := range children(pid) {
		if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", child)); string(name) == "nth-guardian\n" {
			return child
		}
	}
	return 0
}
