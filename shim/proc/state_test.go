package proc_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// oneAndMany are the two ways in which commands are started.
var oneAndMany = map[string][]string{"one": nil, "many": many(1, 1)}

// TestSignalState: the command starts with the mask and the handlers that nth got.
func TestSignalState(t *testing.T) {
	for name, flags := range oneAndMany {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				p := start(t, pid1, append(slices.Clone(flags), "--", "cat", "/proc/self/status")...)
				p.ends(0)
				var got []string
				for _, name := range []string{"SigBlk:", "SigIgn:", "SigCgt:"} {
					got = append(got, fieldOf(p.read("stdout"), name))
				}
				const none = "0000000000000000"
				if diff := cmp.Diff([]string{none, none, none}, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestSignalStateIsHandedOn: nohup's SIGHUP and the SIGINT of & in a script and those of a
// terminal stay ignored. The mask is nth's own.
func TestSignalStateIsHandedOn(t *testing.T) {
	for name, flags := range oneAndMany {
		t.Run(name, func(t *testing.T) {
			words := append([]string{"--ignore-signal=HUP,INT,TSTP,TTIN,TTOU", "--block-signal=USR1", binary(t), "run", "--log-level", "warn"}, flags...)
			cmd := exec.Command("env", append(words, "--",
				"perl", "-e", `kill HUP => getppid; kill INT => getppid; system "cat /proc/self/status"`)...) // sh has a mask of its own
			cmd.Env = []string{"NTH_INDEX=0", "PATH=" + os.Getenv("PATH")}
			out, err := cmd.Output()
			if err != nil {
				t.Error(err) // stopped
			}
			got := []string{fieldOf(string(out), "SigBlk:"), fieldOf(string(out), "SigIgn:")}
			if diff := cmp.Diff([]string{"0000000000000200", "0000000000380003"}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestIgnoredChildSignal: a parent that ignores SIGCHLD hands that on, and then
// the kernel would reap nth's children itself.
func TestIgnoredChildSignal(t *testing.T) {
	for name, flags := range oneAndMany {
		t.Run(name, func(t *testing.T) {
			words := append([]string{"--ignore-signal=CHLD", binary(t), "run", "--log-level", "warn"}, flags...)
			cmd := exec.Command("env", append(words, "--", "sh", "-c", "true & exit 7")...)
			cmd.Env = []string{"NTH_INDEX=0", "PATH=" + os.Getenv("PATH")}
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != 7 {
				t.Errorf("exit code %d, want 7", got)
			}
		})
	}
}

// TestLimitOfFiles: Go's runtime raises the soft limit for itself; the command
// gets the one that nth got.
func TestLimitOfFiles(t *testing.T) {
	for name, flags := range oneAndMany {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sh", append([]string{"-c", `ulimit -Sn 123; exec "$0" run --log-level warn "$@" -- sh -c 'ulimit -Sn'`, binary(t)}, flags...)...)
			cmd.Env = []string{"NTH_INDEX=0", "PATH=" + os.Getenv("PATH")}
			out, err := cmd.Output()
			if err != nil || string(out) != "123\n" {
				t.Errorf("%v: the command's limit is %q, want 123", err, out)
			}
		})
	}
}

func TestInherited(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		const script = "pwd; cat; ls /proc/self/fd; cat <&3"
		dir, extra := t.TempDir(), file(t, 0o644, "from 3\n")
		with := func(cmd *exec.Cmd) *exec.Cmd {
			cmd.Dir, cmd.Stdin = dir, strings.NewReader("from stdin\n")
			three, err := os.Open(extra)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { three.Close() })
			cmd.ExtraFiles = []*os.File{three}
			return cmd
		}
		want, err := with(exec.Command("sh", "-c", script)).Output()
		if err != nil {
			t.Fatal(err)
		}
		p := prepare(t, pid1, "--", "sh", "-c", script)
		with(p.cmd)
		p.begin()
		p.ends(0)
		if diff := cmp.Diff(string(want), p.read("stdout")); diff != "" {
			t.Error(diff)
		}
		if !strings.HasPrefix(string(want), dir+"\nfrom stdin\n0\n") || !strings.HasSuffix(string(want), "from 3\n") {
			t.Errorf("what was to be compared is %q", want)
		}
	})
}

// TestStderrThroughThePipe: all of it arrives, in order, and the record has its end,
// although its reader is slow at the end.
func TestStderrThroughThePipe(t *testing.T) {
	dir := t.TempDir()
	p := prepare(t, false, "--markers", "file://"+dir, "--stderr-tail", "100", "--", "perl", "-e",
		`for (1 .. 1000000) { printf STDERR "line %07d\n", $_ } exit 9`)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = write
	p.begin()
	write.Close()
	var all bytes.Buffer
	peak := 0
	for chunk := make([]byte, 64<<10); ; {
		n, err := read.Read(chunk)
		all.Write(chunk[:n])
		if err != nil {
			break
		}
		if body, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid)); err == nil {
			var kib int
			_, _ = fmt.Sscanf(fieldOf(string(body), "VmRSS:"), "%d", &kib)
			peak = max(peak, kib)
		}
	}
	p.ends(9)
	for n, line := range bytes.Split(all.Bytes(), []byte("\n"))[:1000000] {
		if want := fmt.Sprintf("line %07d", n+1); string(line) != want {
			t.Fatalf("line %d is %q", n+1, line)
		}
	}
	// 13 MB went through; the program and its runtime are about 15.
	if peak > 40<<10 {
		t.Errorf("nth took %d KiB", peak)
	}
	records, _ := filepath.Glob(dir + "/failed/*")
	if len(records) != 1 {
		records, _ = filepath.Glob(dir + "/failed/*/*")
	}
	if len(records) != 1 {
		t.Fatalf("failure records: %v", records)
	}
	if body, _ := os.ReadFile(records[0]); !strings.Contains(string(body), `line 0999999\nline 1000000\n"`) {
		t.Errorf("the record has not the end of stderr: %s", body)
	}
}

// TestOpenStderrAgain: as another user, when stderr is nth's pipe.
func TestOpenStderrAgain(t *testing.T) {
	p := start(t, false, "--stderr-tail", "1000", "--", "setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups",
		"sh", "-c", "echo again > /dev/stderr")
	p.ends(0)
	p.logs("again\n")
}

// TestNobodyReadsStderr: neither nth's log nor the command's own words may end it.
func TestNobodyReadsStderr(t *testing.T) {
	for _, tail := range []string{"0", "1000"} {
		t.Run("tail "+tail, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				p := prepare(t, pid1, "--log-level", "debug", "--stderr-tail", tail, "--", "sh", "-c", "for i in 1 2 3; do sleep 0.05; done; echo end; exit 5")
				read, write, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				p.cmd.Stderr = write
				read.Close()
				p.begin()
				write.Close()
				p.ends(5)
				if got := p.read("stdout"); got != "end\n" {
					t.Errorf("the command did not come to its end: %q", got)
				}
			})
		})
	}
}
