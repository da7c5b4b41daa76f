//go:build !linux

package local

import "syscall"

// isolated keeps the terminal's signals from a child, so that Ctrl-C reaches
// nth local alone. Only Linux can tie the child's life to ours.
func isolated() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
