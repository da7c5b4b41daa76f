package local

import (
	"slices"
	"syscall"

	"nth/shim/proc"
	"nth/shim/proc/guard"
	"nth/shim/proc/tree"
)

// suspend is what a Ctrl-Z means: all stands still until a shell continues nth. The terminal
// has told nth alone, whose commands have groups of their own.
func (j *job) suspend() {
	if j.parts != nil {
		j.parts.Suspend(j.screen.Hide)
		return
	}
	proc.Suspend(func() func() {
		lists := map[*child][]int{}
		for c := range j.running {
			lists[c] = Still(c.Attempt)
		}
		show := j.screen.Hide()
		return func() {
			show()
			for c, list := range lists {
				Wake(c.Attempt, list)
			}
		}
	})
}

// AtWork gives the processes that an attempt's command consists of, and whether there are any.
// Where that can't be known, it is taken to be at work.
func AtWork(a Attempt) (list []int, yes bool) {
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

// Still makes all of an attempt stand still, nth first, so that it doesn't notice. It gives the
// processes that do; none: it had no command, or that can't be known.
func Still(a Attempt) (list []int) {
	_ = a.Signal(syscall.SIGSTOP)
	for {
		found, _ := AtWork(a)
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

// Wake lets an attempt go on.
func Wake(a Attempt, list []int) {
	for _, pid := range list {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	_ = a.Signal(syscall.SIGCONT)
}
