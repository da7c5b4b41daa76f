//go:build !windows

// Package guard ends a run's commands when nth was killed outright and can't do it any more:
// the kernel does so for the command itself alone (PR_SET_PDEATHSIG), not for what it has
// started.
package guard

import (
	"encoding/binary"
	"slices"
	"strings"
	"syscall"
	"time"

	"nth/shim/proc/tree"
)

// Name is the argv[0] of a guardian: main calls Main when it is so called.
const Name = "nth-guardian"

const (
	pipe = 0 // where a guardian waits for nth's end
	list = 1 // the commands' groups

	place  = 4 // bytes of a group
	rounds = 10
	first  = time.Millisecond
	most   = 100 * time.Millisecond
	whole  = time.Minute // what SIGKILL hasn't ended by then hangs in the kernel
)

// Main is the whole of a guardian: it waits until nth has ended, and kills what is left. The
// words are the variable that nth's commands have, and the beginning of its value.
func Main(words []string) {
	prepare()
	var b [1]byte
	n, err := 0, error(syscall.EINTR)
	for err == syscall.EINTR {
		n, err = syscall.Read(pipe, b[:])
	}
	if n != 0 || err != nil || len(words) < 2 {
		return
	}
	l := leftovers{variable: words[0], value: words[1], groups: groups()}
	l.end()
}

// Is tells whether a process is a guardian, of whatever nth.
func Is(p tree.Process) bool { return p.Name == Name || tree.Called(p.PID) == Name }

// groups reads those of the commands that there were.
func groups() (all []int) {
	var b [place]byte
	for at := int64(0); ; at += place {
		if n, err := syscall.Pread(list, b[:], at); n < place || err != nil {
			return all
		}
		if g := binary.NativeEndian.Uint32(b[:]); g > 1 {
			all = append(all, int(g))
		}
	}
}

// leftovers are the processes that are known by their environment, their group or their
// session.
type leftovers struct {
	variable, value string
	groups          []int
}

// end kills them until there are none.
func (l *leftovers) end() {
	for pause, until := first, time.Now().Add(whole); time.Now().Before(until); pause = min(2*pause, most) {
		for _, g := range l.groups {
			_ = syscall.Kill(-g, syscall.SIGKILL)
		}
		all := l.stopped()
		if len(all) == 0 {
			return
		}
		for _, pid := range all {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(pause)
	}
}

// stopped finds them, and stops them so that they bear no others meanwhile.
func (l *leftovers) stopped() (all []int) {
	for range rounds {
		before := len(all)
		for _, pid := range tree.All() {
			if p, ok := tree.Read(pid); ok && !p.Ended && !slices.Contains(all, pid) && l.has(p) {
				_ = syscall.Kill(pid, syscall.SIGSTOP)
				all = append(all, pid)
			}
		}
		if len(all) == before {
			break
		}
	}
	return all
}

func (l *leftovers) has(p tree.Process) bool {
	if slices.Contains(l.groups, p.Group) || slices.Contains(l.groups, p.Session) {
		return true
	}
	return slices.ContainsFunc(tree.Variables(p.PID, l.variable), func(value string) bool { return strings.HasPrefix(value, l.value) })
}
