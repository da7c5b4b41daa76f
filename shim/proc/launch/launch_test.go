//go:build linux && (amd64 || arm64)

package launch

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// reap waits for a process.
func reap(t *testing.T, pid int) syscall.WaitStatus {
	t.Helper()
	var status syscall.WaitStatus
	for {
		got, err := syscall.Wait4(pid, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || got != pid {
			t.Fatalf("wait4(%d): %d, %v", pid, got, err)
		}
		return status
	}
}

// output runs a program, and gives what it writes to stdout, or the error number for
// which it wasn't started.
func output(t *testing.T, c *Child, path string, args, env []string, more ...uintptr) (string, int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	pid, ok := c.Start(path, args, env, append([]uintptr{null.Fd(), w.Fd(), 2}, more...))
	w.Close()
	if !ok {
		t.Fatalf("%s wasn't started", path)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if status := reap(t, pid); c.Failed() == 0 && status.ExitStatus() != 0 {
		t.Errorf("%s: exit code %d", path, status.ExitStatus())
	}
	return string(body), c.Failed()
}

// TestWords: any words and variables arrive as they are, while memory is collected.
func TestWords(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c, printf, env := New(true, false), program(t, "printf"), program(t, "env")
	word := func() string {
		b := make([]byte, rand.IntN(2000))
		for i := range b {
			b[i] = byte(1 + rand.IntN(255))
		}
		return string(b)
	}
	for range 100 {
		var words, vars []string
		for i := range 1 + rand.IntN(20) {
			words = append(words, word())
			vars = append(vars, fmt.Sprintf("V%d=%s", i, word()))
		}
		go runtime.GC()
		got, failed := output(t, c, printf, append([]string{"printf", `%s\0`}, words...), nil)
		if diff := cmp.Diff(strings.Join(words, "\x00")+"\x00", got); failed != 0 || diff != "" {
			t.Fatalf("error number %d, words (-want +got):\n%s", failed, diff)
		}
		got, failed = output(t, c, env, []string{"env", "-0"}, vars)
		if diff := cmp.Diff(strings.Join(vars, "\x00")+"\x00", got); failed != 0 || diff != "" {
			t.Fatalf("error number %d, variables (-want +got):\n%s", failed, diff)
		}
	}
}

// TestFiles: open files come to their places, and no others are handed on.
func TestFiles(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	path := filepath.Join(t.TempDir(), "extra")
	if err := os.WriteFile(path, []byte("extra"), 0o600); err != nil {
		t.Fatal(err)
	}
	// As os/exec does it.
	const script = `cat <&3; cat <&5; cat; ls /proc/$$/fd`
	cmd := exec.Command(program(t, "sh"), "-c", script)
	var extra []uintptr
	for range 3 { // some of them are where others are to go
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		extra = append(extra, f.Fd())
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	want, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range cmd.ExtraFiles { // they share the offset that cat moves
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
	got, failed := output(t, New(true, false), program(t, "sh"), []string{"sh", "-c", script}, []string{"PATH=" + os.Getenv("PATH")}, extra...)
	if diff := cmp.Diff(string(want), got); failed != 0 || diff != "" {
		t.Errorf("error number %d (-want +got):\n%s", failed, diff)
	}
}

// TestState: no signal is blocked or caught, what nth ignores is ignored, and the
// program leads a group of its own.
func TestState(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	signal.Ignore(syscall.SIGUSR2)
	defer signal.Reset(syscall.SIGUSR2)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1, syscall.SIGWINCH)
	body, failed := output(t, New(true, false), program(t, "cat"), []string{"cat", "/proc/self/status", "/proc/self/stat"}, nil)
	if failed != 0 {
		t.Fatal(syscall.Errno(failed))
	}
	got := map[string]string{}
	for line := range strings.Lines(body) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.HasPrefix(name, "Sig") || name == "Pid" {
			got[name] = strings.TrimSpace(value)
		}
	}
	delete(got, "SigQ")
	_, stat, _ := strings.Cut(body, ") ")
	got["group"] = strings.Fields(stat)[2]
	const none = "0000000000000000"
	want := map[string]string{"SigPnd": none, "SigBlk": none, "SigIgn": "0000000000000800", "SigCgt": none, "Pid": got["Pid"], "group": got["Pid"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFailed: why there was no program is known when the process is reaped.
func TestFailed(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("text"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := New(true, false)
	for _, tt := range []struct {
		name, path string
		args       []string
		want       syscall.Errno
	}{
		{"missing", "/missing/program", []string{"program"}, syscall.ENOENT},
		{"directory", t.TempDir(), []string{"program"}, syscall.EACCES},
		{"under a file", text + "/program", []string{"program"}, syscall.ENOTDIR},
		{"text", text, []string{"program"}, syscall.ENOEXEC},
		{"word too long", program(t, "true"), []string{"true", strings.Repeat("x", 128<<10)}, syscall.E2BIG},
		{"none", program(t, "true"), []string{"true"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pid, ok := c.Start(tt.path, tt.args, nil, []uintptr{0, 1, 2})
			if !ok {
				t.Fatal("it wasn't started")
			}
			reap(t, pid)
			if got := syscall.Errno(c.Failed()); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// TestRefused: what can't be started in this way isn't.
func TestRefused(t *testing.T) {
	for name, start := range map[string]func(*Child) (int, bool){
		"NUL in the path":    func(c *Child) (int, bool) { return c.Start("/bin/tr\x00ue", []string{"true"}, nil, nil) },
		"NUL in a word":      func(c *Child) (int, bool) { return c.Start("/bin/true", []string{"true", "\x00"}, nil, nil) },
		"NUL in a variable":  func(c *Child) (int, bool) { return c.Start("/bin/true", []string{"true"}, []string{"A=\x00"}, nil) },
		"a file is replaced": func(c *Child) (int, bool) { return c.Start("/bin/true", []string{"true"}, nil, []uintptr{0, 0}) },
		"many files": func(c *Child) (int, bool) {
			return c.Start("/bin/true", []string{"true"}, nil, bytesOf(mostFiles+1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if pid, ok := start(New(true, false)); ok {
				reap(t, pid)
				t.Error("it was started")
			}
		})
	}
}

func bytesOf(n int) (files []uintptr) {
	for i := range n {
		files = append(files, uintptr(i))
	}
	return files
}

// The process's first thread never ends, so no test may run on it.
func init() { runtime.LockOSThread() }

// TestDies: a program dies with the thread that started it, if it is to.
func TestDies(t *testing.T) {
	for _, dies := range []bool{true, false} {
		t.Run(fmt.Sprint(dies), func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			started := make(chan int)
			go func() {
				runtime.LockOSThread() // and it ends with this function
				pid, _ := New(dies, false).Start(program(t, "sh"), []string{"sh", "-c", "echo; exec sleep 600"}, []string{"PATH=" + os.Getenv("PATH")}, []uintptr{0, w.Fd(), 2})
				w.Close()
				_, _ = r.Read(make([]byte, 1)) // its parent's death comes after exec
				started <- pid
			}()
			pid := <-started
			if pid == 0 {
				t.Fatal("it wasn't started")
			}
			if !dies { // it lives, and ends in another way
				if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
					t.Error(err)
				}
			}
			want := map[bool]syscall.Signal{true: syscall.SIGKILL, false: syscall.SIGTERM}[dies]
			if got := reap(t, pid).Signal(); got != want {
				t.Errorf("it died of %v, want %v", got, want)
			}
		})
	}
}

// TestManyAtOnce: children of one thread keep apart.
func TestManyAtOnce(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	echo := program(t, "echo")
	const at, rounds = 8, 50
	var children [at]*Child
	var outputs [at]*os.File
	for i := range children {
		children[i] = New(true, false)
		f, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		outputs[i] = f
	}
	var want [at]bytes.Buffer
	for round := range rounds {
		var pids [at]int
		for i, c := range children {
			text := strings.Repeat(fmt.Sprint(round, ".", i, " "), 1+rand.IntN(500))
			fmt.Fprintln(&want[i], text)
			pid, ok := c.Start(echo, []string{"echo", text}, nil, []uintptr{0, outputs[i].Fd(), 2})
			if !ok {
				t.Fatal("it wasn't started")
			}
			pids[i] = pid
		}
		for _, pid := range pids {
			reap(t, pid)
		}
	}
	for i := range children {
		body, err := os.ReadFile(outputs[i].Name())
		if err != nil || string(body) != want[i].String() {
			t.Errorf("%v: %d: %d bytes, want %d", err, i, len(body), want[i].Len())
		}
	}
}
