// Package hosts has what starts many commands on one machine, with nth as the command.
package hosts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"nth/shim/marker"
	"nth/testdata/harness"
	"nth/testdata/program"
)

// host is a folder in which something starts nth; its markers are in markers/ there.
type host struct {
	t   *testing.T
	dir string
	out program.Buffer
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir()}
	h.write("lives", lives)
	return h
}

// lives is a command that has started others and waits for its end; each has the lock.
const lives = `exec 9>lock; flock -s 9
(trap "" TERM INT HUP; while :; do sleep 60; done) &
setsid sleep 6000 &
echo ready; while :; do sleep 0.1; done`

func (h *host) write(name, body string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(body), 0o755); err != nil {
		h.t.Fatal(err)
	}
}

// command is a program in the folder, with nth on the path and nothing that says an index.
func (h *host) command(words ...string) *exec.Cmd {
	h.t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = h.dir
	cmd.Env = []string{"PATH=" + filepath.Dir(nth) + ":" + os.Getenv("PATH"), "HOME=" + h.dir, "NTH_LOG_LEVEL=warn",
		"NTH_MARKERS=file://" + h.dir + "/markers?create_dir=true"}
	cmd.Stdout, cmd.Stderr = &h.out, &h.out
	return cmd
}

// shell runs a line to its end and gives its exit code.
func (h *host) shell(line string) int {
	h.t.Helper()
	cmd := h.command("bash", "-c", line)
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		h.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// done lists the indexes that are done, of the first ten.
func (h *host) done() (list string) {
	for i := range int64(10) {
		if _, err := os.Stat(filepath.Join(h.dir, "markers", filepath.FromSlash(marker.Key("done", i)))); err == nil {
			list += string(rune('0' + i))
		}
	}
	return list
}

// expect compares the exit code of what was run, and what is done.
func (h *host) expect(code, want int, done string) {
	h.t.Helper()
	if code != want || h.done() != done {
		h.t.Errorf("exit code %d, want %d; done %q, want %q: %s", code, want, h.done(), done, h.out.String())
	}
}

// free waits until all processes of lives have ended.
func (h *host) free() {
	h.t.Helper()
	f, err := os.Open(filepath.Join(h.dir, "lock"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	harness.Await(h.t, func() bool { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil },
		func() string { return "something of the command runs on: " + h.out.String() })
}

// lines gives the sorted lines of a file that many have written.
func (h *host) lines(name string) []string {
	h.t.Helper()
	body, err := exec.Command("sort", filepath.Join(h.dir, name)).Output()
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.Split(string(bytes.TrimSpace(body)), "\n")
}

// processes lists those whose directory is the folder, who began first comes first: so they are
// in a control group.
func (h *host) processes() (pids []int) {
	h.t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, p := range found {
		if dir, err := os.Readlink(p + "/cwd"); err == nil && dir == h.dir {
			pid, _ := strconv.Atoi(filepath.Base(p))
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}
