package local

import "syscall"

// isolated keeps the terminal's signals from a child, so that Ctrl-C reaches
// nth local alone, and lets it die with nth local.
func isolated() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
