//go:build linux

package local

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nth/shim/proc"
	"nth/testdata/harness"
)

// running is a Job at work, in a folder of its own, in which its output is too.
type running struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
}

// prepare makes a Job of a shell's script, which finds its folder as $D.
func prepare(t *testing.T, way []string, script string, flags ...string) *running {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(r.dir, "m"), 0o755); err != nil {
		t.Fatal(err)
	}
	words := slices.Concat([]string{"local", "--retry-delay=10ms"}, way, flags, []string{"--", "sh", "-c", script, "<<.Index>>"})
	r.cmd = exec.Command(nth, words...)
	r.cmd.Dir, r.cmd.Env = r.dir, []string{"PATH=" + os.Getenv("PATH"), "D=" + r.dir}
	r.cmd.Stdout, r.cmd.Stderr = r.file("stdout"), r.file("stderr")
	return r
}

func begin(t *testing.T, way []string, script string, flags ...string) *running {
	t.Helper()
	r := prepare(t, way, script, flags...)
	r.start()
	return r
}

func (r *running) start() {
	r.t.Helper()
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if r.cmd.ProcessState == nil {
			_ = r.cmd.Process.Kill()
			_ = r.cmd.Wait()
		}
	})
}

func (r *running) file(name string) *os.File {
	r.t.Helper()
	f, err := os.OpenFile(filepath.Join(r.dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { f.Close() })
	return f
}

func (r *running) read(name string) string {
	body, _ := os.ReadFile(filepath.Join(r.dir, name))
	return string(body)
}

// lines counts those of a file that begin so.
func (r *running) lines(name, with string) (n int) {
	for line := range strings.Lines(r.read(name)) {
		if strings.HasPrefix(line, with) {
			n++
		}
	}
	return n
}

// reaches waits until a file has so many lines.
func (r *running) reaches(name string, lines int) {
	r.t.Helper()
	harness.Await(r.t, func() bool { return r.lines(name, "") >= lines },
		func() string {
			return fmt.Sprintf("%s never has %d lines: %s\n%s", name, lines, r.read(name), r.read("stderr"))
		})
}

func (r *running) send(sig syscall.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(sig); err != nil {
		r.t.Fatal(err)
	}
}

// ends waits for the end, wants this exit code, and that nothing is left of those whose
// numbers stand in the file pids.
func (r *running) ends(code int) {
	r.t.Helper()
	_ = r.cmd.Wait()
	if got := r.cmd.ProcessState.ExitCode(); got != code {
		r.t.Errorf("exit code %d, want %d: %s", got, code, r.read("stderr"))
	}
	for _, word := range strings.Fields(r.read("pids")) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			r.t.Fatal(err)
		}
		harness.Await(r.t, func() bool { return over(pid) }, func() string { return word + " still runs" })
	}
}

// over tells whether a process has ended: a zombie has.
func over(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
}

func (r *running) says(name, text string) {
	r.t.Helper()
	if !strings.Contains(r.read(name), text) {
		r.t.Errorf("%s doesn't say %q: %s", name, text, r.read(name))
	}
}

// waiting is a command that says that it is there, and what it is sent; it ends well even so.
const waiting = `trap 'echo term >>terms; exit 0' TERM; trap 'echo int >>ints' INT; echo $$ >>pids; while :; do sleep 0.02; done`

// TestStopped: at the first signal each command gets SIGTERM, what it does then isn't
// recorded, and the same command goes on with the rest.
func TestStopped(t *testing.T) {
	for sig, code := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130, syscall.SIGHUP: 129} {
		t.Run(sig.String(), func(t *testing.T) {
			inBothWays(t, func(t *testing.T, way []string) {
				r := begin(t, way, `test -e go && exit; `+waiting, "--completions=5", "--parallelism=3", markersIn(t))
				r.reaches("pids", 3)
				r.send(sig)
				r.ends(code)
				if r.lines("terms", "") != 3 || r.read("ints") != "" || r.lines("pids", "") != 3 {
					t.Errorf("%d commands had SIGTERM of %d", r.lines("terms", ""), r.lines("pids", ""))
				}
				r.says("stderr", "0 of 5 succeeded, 5 not finished")
				r.says("stderr", "run the same command again")
				if n := strings.Count(r.read("stderr"), "not taken for success"); n != 3 {
					t.Errorf("it is said of %d of 3 commands why they don't count: %s", n, r.read("stderr"))
				}
				r.file("go")
				again := exec.Command(r.cmd.Path, r.cmd.Args[1:]...)
				again.Dir, again.Env = r.dir, r.cmd.Env
				if out, err := again.CombinedOutput(); err != nil || !strings.Contains(string(out), "5 of 5 succeeded") {
					t.Errorf("%v: %s", err, out)
				}
			})
		})
	}
}

// TestStoppedTold: of each command that a stop has ended one line tells, also where it left
// processes behind, as every shell does that is killed.
func TestStoppedTold(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		r := begin(t, way, `sleep 600 & echo $! $$ >>pids; wait`, "--completions=5", "--parallelism=2")
		r.reaches("pids", 2)
		r.send(syscall.SIGINT)
		r.ends(130)
		for _, index := range []string{"[0] ", "[1] "} {
			if r.lines("stderr", index) != 1 {
				t.Errorf("%d lines tell of %s: %s", r.lines("stderr", index), index, r.read("stderr"))
			}
		}
		r.says("stderr", "killed by SIGTERM")
	})
}

// TestStoppedTwice: at the second signal nothing is waited for, and nothing is left.
func TestStoppedTwice(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		r := begin(t, way, `trap 'echo >>terms' TERM; (trap "" TERM; echo a >>pids.up; exec setsid sleep 600) & echo $! $$ >>pids; while :; do sleep 0.02; done`,
			"--completions=5", "--parallelism=2", "--stop-grace=10m")
		r.reaches("pids", 2)
		r.reaches("pids.up", 2)
		r.send(syscall.SIGTERM)
		r.reaches("terms", 2)
		time.Sleep(proc.Doubled)
		r.send(syscall.SIGTERM)
		r.ends(143)
	})
}

// TestStopDoubled: timeout(1) and Grid Engine send one stop twice, which is no second one: each
// command has its time to end well.
func TestStopDoubled(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		for soon := false; !soon; { // a round that the machine was too slow for says nothing
			r := begin(t, way, `trap 'echo >>terms; until test -e twice; do sleep 0.01; done; sleep 0.1; echo saved; exit 1' TERM; echo >>ready; while :; do sleep 0.02; done`,
				"--completions=2", "--parallelism=2")
			r.reaches("ready", 2)
			sent := time.Now()
			r.send(syscall.SIGTERM)
			r.reaches("terms", 2)
			r.send(syscall.SIGTERM)
			soon = time.Since(sent) < proc.Doubled
			if err := os.WriteFile(filepath.Join(r.dir, "twice"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			r.ends(143)
			if saved := strings.Count(r.read("stdout"), "saved"); soon && saved != 2 {
				t.Errorf("%d of 2 commands had time to end: %s", saved, r.read("stderr"))
			}
		}
	})
}

// TestReaderGone: an index whose output nobody took, for the reader has gone, isn't done; and
// where it has a marker it is said.
func TestReaderGone(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		for range 5 { // it may hear of the stop, or have ended before that
			markers := t.TempDir()
			r := prepare(t, way, `test $0 = 0 || until test -e gone; do sleep 0.01; done; exec echo result of $0`, "--completions=3", "--parallelism=1", "--markers=file://"+markers)
			r.cmd.Stdout = nil
			out, err := r.cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			r.start()
			if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "[0] result of 0\n" {
				t.Fatal(line, err)
			}
			out.Close()
			r.file("gone")
			r.ends(141)
			r.says("stderr", "1 of 3 succeeded, 2 not finished")
			if _, err := os.Stat(filepath.Join(markers, "done/1.json")); err == nil {
				r.says("stderr", "ended well and may have markers: nth reset")
			}
		}
	})
}

// TestStopGraceLocal: what doesn't heed the signal is killed when its time is over.
func TestStopGraceLocal(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		r := begin(t, way, `trap "" TERM; echo $$ >>pids; while :; do sleep 0.02; done`, "--completions=5", "--parallelism=2", "--stop-grace=200ms")
		r.reaches("pids", 2)
		r.send(syscall.SIGTERM)
		r.ends(143)
	})
}

// TestStoppedByItsParent: a batch system signals everybody, one after the other; a command
// that ended well by then isn't done. Its parent is nth.
func TestStoppedByItsParent(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		r := begin(t, way, `echo >>began; kill -TERM $PPID; exit 0`, "--completions=1", "--backoff-limit-per-index=0", markersIn(t))
		code := 1 // an nth of its own was stopped: the index has failed
		if way == nil {
			code = 143
		}
		r.ends(code)
		r.says("stderr", "0 of 1 succeeded")
		if r.read("began") != "\n" {
			t.Error("it wasn't run once")
		}
	})
}

// TestStoppedQuietly: attempts whose command had ended well, and that only waited for their
// verdict, don't say each that they were stopped.
func TestStoppedQuietly(t *testing.T) {
	// Each brings a signal with it that may have ended those before: of these many wait.
	r := begin(t, nil, `i=0; test "$0" -lt 60 || { kill -TERM $PPID; exec sleep 600; }; exit 0`, "--completions=61", "--parallelism=2", markersIn(t))
	r.ends(143)
	text := r.read("stderr")
	if n := strings.Count(text, " ERR "); n > 2 {
		t.Errorf("%d lines of what nobody has to know: %s", n, text)
	}
	r.says("stderr", "not finished")
}

// TestKilledLocally: nothing is left of an nth local that is killed.
func TestKilledLocally(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		r := begin(t, way, `(trap "" TERM HUP; exec setsid sh -c 'echo $$ >>pids; exec sleep 600') & trap "" TERM HUP; echo $$ >>pids; while :; do sleep 0.02; done`,
			"--completions=5", "--parallelism=3")
		r.reaches("pids", 6)
		_ = r.cmd.Process.Kill()
		r.ends(-1)
	})
}

// TestPaused: an nth local that is stopped for a while goes on.
func TestPaused(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		r := begin(t, way, `echo >>began; until test -e go; do sleep 0.02; done`, "--completions=4", "--parallelism=2")
		r.reaches("began", 2)
		r.send(syscall.SIGSTOP) // SIGTSTP has no effect in a group without a terminal
		stat := fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid)
		harness.Await(t, func() bool { body, _ := os.ReadFile(stat); return strings.Contains(string(body), ") T ") }, func() string { return "it goes on" })
		r.file("go")
		r.send(syscall.SIGCONT)
		r.ends(0)
		r.says("stderr", "4 of 4 succeeded")
	})
}

// TestLeftBehind: nothing is left of an index's command when the index is done.
func TestLeftBehind(t *testing.T) {
	for name, script := range map[string]string{
		"a child":             `sleep 600 & echo $! >>pids`,
		"another session":     `setsid sleep 600 & echo $! >>pids`,
		"a grandchild":        `(setsid sh -c 'echo $$ >>pids; echo >up; exec sleep 600' &); until test -e up; do sleep 0.01; done`,
		"another environment": `env -i PATH="$PATH" sh -c 'echo $$ >>pids; echo >up; exec sleep 600' & until test -e up; do sleep 0.01; done`,
		"nothing in common":   `(setsid env -i PATH="$PATH" sh -c 'echo $$ >>pids; echo >up; exec sleep 600' &); until test -e up; do sleep 0.01; done`,
	} {
		t.Run(name, func(t *testing.T) {
			inBothWays(t, func(t *testing.T, way []string) {
				// The second index finds out whether anything of the first is left.
				r := begin(t, way, `if test "$0" = 1; then for p in $(cat pids); do kill -0 $p 2>&1 && echo $p is left; done; exit 0; fi; rm -f up; `+script,
					"--completions=2", "--parallelism=1", "--sweep-grace=10s", markersIn(t))
				r.ends(0)
				if strings.Contains(r.read("stdout"), "is left") || r.read("pids") == "" {
					t.Errorf("%s%s", r.read("stdout"), r.read("stderr"))
				}
			})
		})
	}
}

func markersIn(t *testing.T) string { return "--markers=file://" + t.TempDir() }

// TestLateOutput: what a process writes that nobody knows isn't taken for another command's.
func TestLateOutput(t *testing.T) {
	r := begin(t, nil, `case $0 in
	0) (setsid env -i PATH="$PATH" sh -c 'trap "" PIPE; echo up >up; until test -e late; do sleep 0.01; done; echo a stray word; echo a stray error >&2; echo >said' &); until test -e up; do sleep 0.01; done;;
	1) echo >here1; until test -e done1; do sleep 0.01; done;;
	*) until test -e here1; do sleep 0.01; done; echo >late; i=0; until test -e said || test $i = 50; do sleep 0.01; i=$((i+1)); done; echo $0 is over; test $0 != 5 || echo >done1;;
	esac`, "--completions=6", "--parallelism=2")
	r.ends(0)
	for _, name := range []string{"stdout", "stderr"} {
		if strings.Contains(r.read(name), "a stray") {
			t.Errorf("%s: %s", name, r.read(name))
		}
	}
	r.says("stdout", "[5] 5 is over")
}

// TestHeadOfLocal: a reader who has enough ends it without a word; a full disk doesn't.
func TestHeadOfLocal(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		r := prepare(t, way, `echo $$ >>pids; echo out; exec sleep 0.05`, "--completions=2000", "--parallelism=2")
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.cmd.Stdout = write
		r.start()
		write.Close()
		if _, err := read.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		read.Close()
		r.ends(141)
		r.says("stderr", "stopped by SIGPIPE")
	})
}

// TestFullOfLocal is stdout on a full disk.
func TestFullOfLocal(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		r := prepare(t, way, `echo out`, "--completions=50", "--parallelism=1", markersIn(t))
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		r.cmd.Stdout = full
		r.start()
		r.ends(69)
		r.says("stderr", "its output can't be written")
	})
}

// TestFirstProcess: as process 1 of a container it reaps what commands leave to it.
func TestFirstProcess(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		r := prepare(t, way, `(setsid env -i sh -c "sleep 0.01" &) ; (true &); sleep 0.05; exit $(($0 % 2))`, "--completions=12", "--parallelism=3", "--backoff-limit-per-index=1", "--max-failed=100%")
		r.cmd.Path, r.cmd.Args = "/usr/bin/unshare", append([]string{"unshare", "-pf", "--mount-proc", "--kill-child"}, r.cmd.Args...)
		r.cmd.Args[4] = nthPath(t)
		r.start()
		r.ends(1)
		r.says("stderr", "6 of 12 succeeded, 6 failed")
	})
}

func nthPath(t *testing.T) string {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	return nth
}

// TestManyPlaces: 64 commands run at the same time, each to its end, and one that takes its
// time beside others that don't.
func TestManyPlaces(t *testing.T) {
	inBothWays(t, func(t *testing.T, way []string) {
		n := 64
		r := begin(t, way, fmt.Sprintf(`echo >>here; if test $0 = 0; then until test $(wc -l <here) -ge 80; do sleep 0.2; done; fi; until test $(wc -l <here) -ge %d; do sleep 0.2; done; echo "done $0"`, n),
			"--completions=80", fmt.Sprintf("--parallelism=%d", n), markersIn(t))
		r.ends(0)
		if got := strings.Count(r.read("stdout"), "done "); got != 80 {
			t.Errorf("%d have ended: %s", got, r.read("stderr"))
		}
	})
}

// TestFewDescriptors: what lacks descriptors or processes fails as itself, and nothing hangs.
func TestFewDescriptors(t *testing.T) {
	for name, limit := range map[string]string{"descriptors": "ulimit -n 40", "none to speak of": "ulimit -n 12"} {
		t.Run(name, func(t *testing.T) {
			inBothWays(t, func(t *testing.T, way []string) {
				r := prepare(t, way, `exit 0`, "--completions=30", "--parallelism=8", "--backoff-limit-per-index=0", "--max-failed=100%")
				r.cmd.Args = append([]string{"sh", "-c", limit + `; exec "$0" "$@"`, nthPath(t)}, r.cmd.Args[1:]...)
				r.cmd.Path = "/bin/sh"
				r.start()
				_ = r.cmd.Wait()
				if !strings.Contains(r.read("stderr"), "of 30 succeeded") || strings.Contains(r.read("stderr"), "panic") {
					t.Errorf("%s", r.read("stderr"))
				}
			})
		})
	}
}
