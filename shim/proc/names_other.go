//go:build !windows

package proc

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const sigStop = syscall.SIGSTOP

func nameOf(sig syscall.Signal) string { return unix.SignalName(sig) }
