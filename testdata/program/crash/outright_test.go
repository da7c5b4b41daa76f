//go:build linux

package crash

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/harness"
)

// works are commands that start others, in their group and out of it, and tell their
// numbers in the file $0 before they say so in $0.ready.
var works = map[string]string{
	"a shell's child":      `sleep 6000 & echo $! >>"$0"; echo $$ >>"$0"; touch "$0.ready"; wait; true`,
	"a session of its own": `setsid sh -c 'echo $$ >>"$0"; sleep 6000 & echo $! >>"$0"; touch "$0.ready"; wait' "$0" & wait; true`,
	"a group of its own":   `timeout 6000 sh -c 'echo $$ >>"$0"; sleep 6000 & echo $! >>"$0"; touch "$0.ready"; wait' "$0" & wait; true`,
	"an orphan":            `perl -e 'use POSIX; exit if fork; setsid; exit if fork; exec @ARGV' sh -c 'echo $$ >>"$0"; touch "$0.ready"; exec sleep 6000' "$0"; sleep 6000`,
	"its variables gone":   `env -i sleep 6000 & echo $! >>"$0"; touch "$0.ready"; wait; true`,
	"stubborn":             `setsid sh -c 'trap "" TERM HUP INT; echo $$ >>"$0"; touch "$0.ready"; while :; do sleep 0.1; done' "$0" & wait; true`,
}

// TestKilledOutright: what nth's command has started doesn't outlive an nth that is killed
// by a signal that none can catch, alone or with the group that it was started in.
func TestKilledOutright(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for name, work := range works {
		t.Run(name, func(t *testing.T) {
			for name, words := range map[string][]string{
				"run":   {"run", "--index", "0"},
				"each":  {"run", "--index", "0", "--completions", "1", "--items", "3", "--each", "--jobs", "2"},
				"local": {"local", "--completions", "2", "--parallelism", "1"},
			} {
				for _, whom := range []string{"nth", "its group"} {
					t.Run(name+", "+whom, func(t *testing.T) {
						pids := filepath.Join(t.TempDir(), "pids")
						t.Cleanup(func() { killAll(pids) })
						cmd := exec.Command(nth, append(words, "--", "sh", "-c", work, pids)...)
						cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
						if err := cmd.Start(); err != nil {
							t.Fatal(err)
						}
						harness.Await(t, func() bool { _, err := os.Stat(pids + ".ready"); return err == nil }, func() string { return "the command isn't ready" })
						target := cmd.Process.Pid
						if whom != "nth" {
							target = -target
						}
						if err := syscall.Kill(target, syscall.SIGKILL); err != nil {
							t.Error(err)
						}
						_ = cmd.Wait()
						allEnd(t, pids)
					})
				}
			}
		})
	}
}

// allEnd waits until the processes have ended whose numbers are in a file.
func allEnd(t *testing.T, path string) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil || len(body) == 0 {
		t.Fatal("there are no numbers", err)
	}
	for word := range strings.FieldsSeq(string(body)) {
		harness.Await(t, func() bool { return !lives(word) }, func() string { return word + " is still there" })
	}
}

// killAll ends, after a test that failed, the processes whose numbers are in a file.
func killAll(path string) {
	body, _ := os.ReadFile(path)
	for word := range strings.FieldsSeq(string(body)) {
		if pid, err := strconv.Atoi(word); err == nil && lives(word) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// lives tells whether a process is there and no zombie.
func lives(pid string) bool {
	body, err := os.ReadFile("/proc/" + pid + "/stat")
	_, state, _ := strings.Cut(string(body), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

// TestNextAttempt: nth local begins no second attempt beside what is left of the first one,
// which was killed outright: its nth where it has one of its own, else its command.
func TestNextAttempt(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	const second = `if [ -e "$0" ]; then for p in $(cat "$0"); do echo $p $(cut -d ' ' -f 3 /proc/$p/stat 2>/dev/null) >>"$0.states"; done; exit 0; fi; `
	const last = ` while ! [ -e "$0.ready" ]; do sleep 0.01; done; kill -KILL `
	for name, work := range works {
		attempts := func(t *testing.T, work, kill, how string, flags ...string) {
			pids := filepath.Join(t.TempDir(), "pids")
			t.Cleanup(func() { killAll(pids) })
			work = strings.Replace(strings.TrimSuffix(strings.TrimSuffix(work, " sleep 6000"), " wait; true"), "touch", "sync; touch", 1)
			args := append([]string{"local", "--completions", "1", "--retry-delay", "1ms"}, flags...)
			cmd := exec.Command(nth, append(args, "--", "sh", "-c", second+work+last+kill+"; sleep 6000", pids)...)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), how+", attempt 1") {
				t.Errorf("%v\n%s", err, out)
			}
			states, err := os.ReadFile(pids + ".states")
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(states)) {
				pid, state, _ := strings.Cut(strings.TrimSpace(line), " ")
				if state != "" && state != "Z" {
					t.Errorf("when the second attempt began, %s of the first was in state %s", pid, state)
				}
			}
		}
		t.Run(name, func(t *testing.T) { attempts(t, work, "$PPID", "killed by SIGKILL", "--isolated") })
		t.Run(name+" in one process", func(t *testing.T) { attempts(t, work, "$$", "exit 137 (SIGKILL)") })
	}
}
