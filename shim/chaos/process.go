package chaos

import (
	"slices"
	"syscall"

	"nth/shim/local"
	"nth/shim/proc/guard"
	"nth/shim/proc/tree"
)

// atWork gives the processes that a run's command consists of, and whether there are any.
// Where that can't be known, it is taken to be at work.
func atWork(a local.Attempt) (list []int, yes bool) {
	if !tree.Usable() {
		return nil, true
	}
	for _, p := range tree.Below([]int{a.PID}) {
		if p.PID != a.PID && !guard.Is(p) {
			list = append(list, p.PID)
		}
	}
	return list, len(list) > 0
}

// still makes all of a run stand still, nth first, so that it doesn't notice. It gives the
// processes that do; none: it had no command, or that can't be known.
func still(a local.Attempt) (list []int) {
	_ = a.Signal(syscall.SIGSTOP)
	for {
		found, _ := atWork(a)
		before := len(list)
		for _, pid := range found {
			if !slices.Contains(list, pid) && syscall.Kill(pid, syscall.SIGSTOP) == nil {
				list = append(list, pid)
			}
		}
		if len(list) == before { // they start others until they are all stopped
			return list
		}
	}
}

// wake lets a run go on.
func wake(a local.Attempt, list []int) {
	for _, pid := range list {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	_ = a.Signal(syscall.SIGCONT)
}

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
