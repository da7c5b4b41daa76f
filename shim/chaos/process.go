package chaos

import (
	"syscall"

	"nth/shim/local"
)

// end kills nth outright, and then these of its processes. It tells whether nth was there.
func end(a local.Attempt, list []int) bool {
	if a.Signal(syscall.SIGKILL) != nil {
		return false
	}
	for _, pid := range list {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return true
}
