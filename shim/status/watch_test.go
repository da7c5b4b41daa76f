package status

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// helperArgs makes the test binary `nth status`, for tests with a terminal.
const helperArgs = "NTH_TEST_STATUS"

func TestMain(m *testing.M) {
	args := os.Getenv(helperArgs)
	if args == "" {
		os.Exit(m.Run())
	}
	var c Config
	_, rest, err := flags.Parse(flags.Spec{Name: "nth status"}, &c, strings.Split(args, "\n"))
	code := 0
	if err == nil {
		code, err = Command(c, rest, World{Process: edge.NewProcess(edge.World{LookupEnv: os.LookupEnv, Stderr: os.Stderr}), Stdin: os.Stdin, Stdout: os.Stdout})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = int(failure.From(err).Code)
	}
	os.Exit(code)
}

// watching is `nth status` on a terminal.
type watching struct {
	*terminal
	t    *testing.T
	file *os.File
	cmd  *exec.Cmd
	done chan struct{} // all that it wrote is on the terminal
}

func watchOn(t *testing.T, cols, rows uint16, env []string, args ...string) *watching {
	t.Helper()
	return lookOn(t, cols, rows, env, append(args, "--watch")...)
}

func lookOn(t *testing.T, cols, rows uint16, env []string, args ...string) *watching {
	t.Helper()
	w := &watching{terminal: newTerminal(int(cols), int(rows)), t: t, cmd: exec.Command("/proc/self/exe"), done: make(chan struct{})}
	w.cmd.Env = append(append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR=", helperArgs+"="+strings.Join(args, "\n")), env...)
	var err error
	if w.file, err = pty.StartWithSize(w.cmd, &pty.Winsize{Cols: cols, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(w.done)
		_, _ = io.Copy(w.terminal, w.file) // ends with EIO when the program has ended
	}()
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.done
		w.file.Close()
	})
	return w
}

// sees waits until the screen has a text, and none of another.
func (w *watching) sees(text, not string) string {
	w.t.Helper()
	for deadline := time.Now().Add(harness.Patience); ; time.Sleep(5 * time.Millisecond) {
		s := w.String()
		if strings.Contains(s, text) && (not == "" || !strings.Contains(s, not)) {
			return s
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%q isn't to be seen:\n%s", text, s)
		}
	}
}

// ends waits for the program's end, which must leave the terminal as it was.
func (w *watching) ends(code int) {
	w.t.Helper()
	_ = w.cmd.Wait()
	<-w.done
	if got := w.cmd.ProcessState.ExitCode(); got != code {
		w.t.Errorf("exit code %d, want %d:\n%s", got, code, w)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.second || w.hidden || w.wrapped > 0 || len(w.unknown) > 0 {
		w.t.Errorf("second screen %v, hidden cursor %v, %d characters beyond the edge, unknown %q", w.second, w.hidden, w.wrapped, w.unknown)
	}
}

func markers(t *testing.T, dir, kind string, from, to int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, kind), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		if err := os.WriteFile(filepath.Join(dir, kind, fmt.Sprintf("%d.json", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWatch: a look after the other, through a store that is away for a while, until
// all is done.
func TestWatch(t *testing.T) {
	parent := t.TempDir() + "/volume"
	dir := parent + "/m"
	markers(t, dir, "done", 0, 600)
	markers(t, dir, "started", 600, 603)
	w := watchOn(t, 80, 24, nil, "--markers", "file://"+dir, "--completions", "1000", "--interval", "20ms", "--store-wait", "0s")
	s := w.sees("█ done  X failed  > running", "") // a frame's last line
	row := strings.Split(s, "\n")[3]
	if diff := cmp.Diff("  0 "+strings.Repeat("█", 70), row); diff != "" {
		t.Errorf("%s\n%s", diff, s)
	}
	if !strings.Contains(s, "560 "+strings.Repeat("█", 40)+"ooo"+strings.Repeat("·", 27)) || !strings.Contains(s, "600/1000") {
		t.Error(s)
	}
	if err := os.Rename(parent, parent+"-away"); err != nil {
		t.Fatal(err)
	}
	if s := w.sees("does not exist", ""); !strings.Contains(s, "600/1000") {
		t.Errorf("what was known is gone:\n%s", s)
	}
	if err := os.Rename(parent+"-away", parent); err != nil {
		t.Fatal(err)
	}
	w.sees("600/1000", "does not exist")
	markers(t, dir, "done", 600, 1000)
	w.ends(0)
	w.sees("1000/1000  100%", "█")
}

// TestWatchResize: the picture fits a new size at once, not at the next look.
func TestWatchResize(t *testing.T) {
	dir := t.TempDir()
	markers(t, dir, "done", 0, 1000)
	markers(t, dir, "failed", 1234, 1235)
	w := watchOn(t, 80, 24, nil, "--markers", "file://"+dir, "--completions", "2000", "--interval", "1h")
	if s := w.sees("failed 1234", ""); !strings.Contains(s, "a cell is 2 indexes") { // the last line, so all of it is there
		t.Error(s)
	}
	w.resize(40, 10)
	if err := pty.Setsize(w.file, &pty.Winsize{Cols: 40, Rows: 10}); err != nil {
		t.Fatal(err)
	}
	w.sees("a cell is 20 indexes", "")
	s := w.sees("failed 1234", "")
	if !strings.Contains(s, "600 ████████████████████··········") || !strings.Contains(s, "1200 ·x····") {
		t.Error(s)
	}
	if _, err := w.file.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	w.ends(130)
	w.sees("1000/2000  50%  1 failed", "█")
}

// TestWatchPlain: without colours there is none, and without a terminal a line stands
// for each change.
func TestWatchPlain(t *testing.T) {
	dir := t.TempDir()
	markers(t, dir, "done", 0, 9)
	old := time.Now().Add(-time.Hour)
	markers(t, dir, "failed", 9, 10)
	if err := os.Chtimes(filepath.Join(dir, "failed", "9.json"), old, old); err != nil {
		t.Fatal(err)
	}
	args := []string{"--markers", "file://" + dir, "--completions", "10"}
	var raw bytes.Buffer
	for _, env := range [][]string{{"NO_COLOR=1", "LC_ALL=C"}, {"TERM=dumb"}} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", helperArgs+"="+strings.Join(append(args, "--watch"), "\n")), env...)
		f, err := pty.Start(cmd)
		if err != nil {
			t.Fatal(err)
		}
		raw.Reset()
		_, _ = io.Copy(&raw, f)
		f.Close()
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 1 {
			t.Errorf("%v: exit code %d, want 1: %q", env, code, raw.String())
		}
		if sgr.Match(raw.Bytes()) || strings.ContainsAny(raw.String(), "█·") {
			t.Errorf("%v: %q", env, raw.String())
		}
		if full := bytes.Contains(raw.Bytes(), []byte("#########X")); full != (env[0] == "NO_COLOR=1") {
			t.Errorf("%v: %q", env, raw.String())
		}
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperArgs+"="+strings.Join(append(args, "--watch", "--max-failed", "1"), "\n"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if line := string(out); strings.Count(line, "\n") != 1 || !strings.Contains(line, "Z 9/10  90%  1 failed") {
		t.Errorf("%q", out)
	}
}

// TestWatchQueue: of a queue's tasks it tells how many are done, until it is stopped.
func TestWatchQueue(t *testing.T) {
	dir := t.TempDir()
	task := func(kind string, from, to int) {
		for i := from; i < to; i++ {
			folder := filepath.Join(dir, kind, "tasks", fmt.Sprintf("%02x", i))
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%02x%062d.json", i, i)), []byte("{}"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	task("done", 0, 20)
	task("failed", 20, 22)
	markers(t, dir, "failed", 3, 4) // a worker
	w := watchOn(t, 60, 20, nil, "--markers", "file://"+dir, "--interval", "20ms")
	w.sees("20 tasks done  2 failed", "a cell is")
	task("done", 20, 30)
	w.sees("30 tasks done", "failed")
	if _, err := w.file.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	w.ends(130)
	w.sees("30 tasks done", "")
}

// TestFirstFrame: before the first look is over, a watcher sees what is waited for; when
// it failed, why.
func TestFirstFrame(t *testing.T) {
	for trouble, want := range map[string][]string{
		"":                        {"nth status s3://b/", "listing what is there"},
		"list: no answer in time": {"nth status s3://b/", "list: no answer in time; looking again"},
	} {
		f := &frame{markers: "s3://b/", trouble: trouble}
		if diff := cmp.Diff(want, f.lines(80, 24, style{})); diff != "" {
			t.Error(diff)
		}
		if one := f.lines(80, 1, style{}); len(one) != 1 {
			t.Errorf("%d lines in one row", len(one))
		}
	}
}

// TestPatience: whoever waits for a large or slow store sees that something happens, and
// nothing of that is left.
func TestPatience(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	s3.Put(t, "bucket", "m/done/1.json", []byte("{}"))
	answer := make(chan struct{})
	slow := servers.StartFault(t, s3.Address, func(int, *http.Request) servers.Action {
		return func(f *servers.Fault, w http.ResponseWriter, r *http.Request) {
			<-answer
			servers.Pass(f, w, r)
		}
	})
	w := lookOn(t, 60, 20, servers.S3Env(), "--markers", strings.Replace(s3.URL("bucket", "m"), s3.Address, strings.TrimPrefix(slow.URL, "http://"), 1), "--completions", "2")
	w.sees("0 keys listed", "")
	close(answer)
	w.ends(1)
	if s := w.String(); strings.Contains(s, "listed") || !strings.Contains(s, "1 of 2 settled") {
		t.Errorf("at the end there is\n%s", s)
	}
}
