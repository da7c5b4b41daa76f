package proc

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPausedOutput: what a command has written is passed on, however late nth gets to read it: on
// a machine that had no time for it, or slept.
func TestPausedOutput(t *testing.T) {
	const words = "its last words\n"
	for _, tt := range []struct {
		name string
		many int // times as much
	}{{"a line", 1}, {"a pipe that is full", capacity / len(words)}} {
		t.Run(tt.name, func(t *testing.T) {
			var passed bytes.Buffer
			o, err := newOutput(1, &passed, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Repeat(words, tt.many)
			other, err := os.OpenFile(fdPath(o.w), os.O_WRONLY, 0) // what escaped holds it open
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			if _, err := o.w.WriteString(want); err != nil {
				t.Fatal(err)
			}
			o.end()
			_ = o.r.SetReadDeadline(time.Unix(1, 0)) // that was long ago
			o.started()
			o.finish()
			if passed.String() != want {
				t.Errorf("%d of %d bytes were passed on", passed.Len(), len(want))
			}
		})
	}
}

func fdPath(f *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())) }

// TestPausedWatcher: what was typed counts, however late nth gets to read of it.
func TestPausedWatcher(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := w.Write([]byte{byte(syscall.SIGINT)}); err != nil {
		t.Fatal(err)
	}
	s := newSignals(&host{}, SignalConfig{Stop: []syscall.Signal{syscall.SIGINT}})
	_ = r.SetReadDeadline(time.Unix(1, 0)) // that was long ago
	(&watcher{reports: r, collected: make(chan struct{})}).collect(s)
	if by, stopped := s.Stopped(); !stopped || by != syscall.SIGINT {
		t.Error("it is lost")
	}
}
