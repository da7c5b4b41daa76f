package proc

import (
	"os"
	"syscall"
	"testing"
)

// TestHandedOn: a stop signal that has come before anybody could answer it, is that of the command
// which wants them itself.
func TestHandedOn(t *testing.T) {
	a := answers{over: make(chan struct{}), caught: make(chan os.Signal, 1)}
	a.caught <- syscall.SIGTERM
	to := make(chan os.Signal, 2)
	for range 2 {
		a.end(to)
	}
	select {
	case <-a.over:
	default:
		t.Error("it is answered still")
	}
	if len(to) != 1 || <-to != syscall.SIGTERM {
		t.Error("it is lost")
	}
	(&answers{}).end(to) // nobody answers
}
