//go:build !windows

package status

import (
	"os"
	"os/signal"
	"syscall"
)

// tellResized sends a signal when the terminal has another size.
func tellResized(c chan<- os.Signal) { signal.Notify(c, syscall.SIGWINCH) }
