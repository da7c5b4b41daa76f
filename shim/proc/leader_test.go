package proc_test

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"
)

// screen keeps what a terminal showed.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *screen) shows(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.buf.String(), text)
}

// TestSuspendWithoutShell: a leader of its session and process 1 have nobody who
// could resume them, so Ctrl-Z must not stop the run for ever. Ctrl-C then ends it.
func TestSuspendWithoutShell(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		markers := t.TempDir()
		p := prepare(t, pid1, "--markers", "file://"+markers, "--", "perl", "-e", `$| = 1; $SIG{CONT} = sub { print "continued\n" };
			$SIG{INT} = sub { print "interrupted\n"; exit 0 }; print "ready\n"; while (<STDIN>) { print "got $_" }`)
		p.cmd.Stdout, p.cmd.Stderr = nil, nil
		tty, err := pty.Start(p.cmd)
		if err != nil {
			t.Fatal(err)
		}
		defer tty.Close()
		t.Cleanup(func() { _ = p.cmd.Process.Kill() })
		s := &screen{}
		go func() { _, _ = io.Copy(s, tty) }()
		types := func(keys, answer string) {
			t.Helper()
			if _, err := io.WriteString(tty, keys); err != nil {
				t.Fatal(err)
			}
			eventually(t, answer, func() bool { return s.shows(answer) })
		}
		types("", "ready")
		types("one\n", "got one")
		waitForWatcher(t, p.cmd.Process.Pid)
		types("\x1a", "continued")
		types("two\n", "got two")
		types("\x03", "interrupted")
		p.ends(130)
		if hasMarker(markers) {
			t.Error("there is a marker")
		}
	})
}
