//go:build !windows

package proc

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// WatcherName is the argv[0] of a watcher: main calls WatcherMain when it is so called.
const WatcherName = "nth-terminal-watcher"

// The watcher's descriptors: it reports on one, and ends when the other does.
const (
	watcherReport = 3
	watcherEnd    = 4
)

// typed are the signals that a terminal sends to its foreground group.
var typed = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP}

// watcher is a process in the command's group that tells which signals the
// terminal sent there. Nobody else could tell: nth is not in that group, and a
// command that catches SIGINT and exits 0 looks as if it had finished its work.
type watcher struct {
	pid       int
	end       *os.File
	reports   *os.File
	collected chan struct{}
	reaped    bool
}

// startWatcher starts one in the group; without one, a Ctrl-C that the command
// survives is not noticed, which is no reason to fail.
func startWatcher(group int, s *Signals) *watcher {
	reports, out, err := os.Pipe()
	if err != nil {
		return nil
	}
	in, end, err := os.Pipe()
	if err != nil {
		reports.Close()
		out.Close()
		return nil
	}
	defer out.Close()
	defer in.Close()
	sys := attributes(s.pid1)
	sys.Pgid = group
	null, err := os.Open(os.DevNull)
	files := []uintptr{0, 0, 0, out.Fd(), in.Fd()}
	if err == nil {
		defer null.Close()
		files[0], files[1], files[2] = null.Fd(), null.Fd(), null.Fd()
	}
	self, err := os.Executable()
	if err == nil {
		var pid int
		// Stopped by a Ctrl-Z between fork and exec it would hold nth, which waits for
		// the exec.
		without(func() {
			pid, err = syscall.ForkExec(self, []string{WatcherName}, &syscall.ProcAttr{Files: files, Sys: sys})
		}, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU)
		if err == nil {
			w := &watcher{pid: pid, end: end, reports: reports, collected: make(chan struct{})}
			go w.collect(s)
			return w
		}
	}
	reports.Close()
	end.Close()
	return nil
}

func (w *watcher) collect(s *Signals) {
	defer close(w.collected)
	var b [1]byte
	for {
		if _, err := w.reports.Read(b[:]); err != nil && readNow(w.reports, b[:]) == 0 { // a deadline says nothing of what is there
			return
		}
		s.typed(syscall.Signal(b[0]))
	}
}

// finish waits until the watcher has told everything.
func (w *watcher) finish() {
	if w == nil {
		return
	}
	w.end.Close()
	_ = syscall.Kill(w.pid, syscall.SIGCONT) // its group may have been stopped
	_ = w.reports.SetReadDeadline(time.Now().Add(5 * time.Second))
	<-w.collected
	w.reports.Close()
}

// WatcherMain is the whole of a watcher, and returns at its end; that a report can't be
// written changes nothing. It catches every other signal as well,
// for what ends the command must not end it, and stops only with its group.
func WatcherMain() {
	heard := slices.DeleteFunc(slices.Clone(typed), signal.Ignored) // the command ignores those too
	caught := make(chan os.Signal, 4*maxSignal)
	signal.Notify(caught, append(heard, last)...)
	// After the others: what is already pending goes to those who listen by then.
	signal.Notify(make(chan os.Signal, 4*maxSignal))
	report, end := os.NewFile(watcherReport, "report"), os.NewFile(watcherEnd, "end")
	ended := make(chan struct{})
	go func() {
		var b [1]byte
		_, _ = end.Read(b[:])
		close(ended)
	}()
	for timeout := (<-chan time.Time)(nil); ; {
		select {
		case sig := <-caught:
			switch {
			case sig != last:
				_, _ = report.Write([]byte{byte(sig.(syscall.Signal))})
			case ended == nil:
				timeout = time.After(Settle)
			}
		case <-ended:
			// A signal that the kernel has sent may still be on its way here. Of those
			// that are pending it delivers the lowest number first, and so does Go: one
			// of a higher number, sent now, comes after all that were typed.
			ended = nil
			_ = syscall.Kill(os.Getpid(), last)
		case <-timeout:
			return
		}
	}
}

// last is greater than all that a terminal sends.
const last = syscall.SIGUSR1
