//go:build !windows

package proc

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"nth/shim/proc/guard"
	"nth/shim/proc/tree"
)

// Children are processes that run commands of their own and end what these leave behind:
// each another nth. What one leaves that was killed outright comes to this one.
type Children struct {
	mu   sync.Mutex
	kin  kin
	list []*process // that run
}

// Adopt makes orphans come to this process, and reaps them for as long as it lives. Its own
// children must be waited for as soon as they end.
func Adopt() *Children {
	c := &Children{kin: newKin()}
	if os.Getpid() == 1 || becomeSubreaper() {
		reapOrphans()
		c.kin.watch()
	}
	return c
}

// Child is one of them.
type Child struct {
	process
	of *Children
}

// Start starts one: start is given its environment, and gives its process number.
func (c *Children) Start(env []string, start func(env []string) (pid int, err error)) (*Child, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	child := &Child{of: c}
	pid, err := start(c.kin.mark(env))
	if err != nil {
		return nil, err
	}
	child.number, child.pid, child.phase = c.kin.n, pid, running
	c.list = append(c.list, &child.process)
	return child, nil
}

// How often what a child left behind is looked at, and how long: what SIGKILL hasn't ended
// by then hangs in the kernel.
const (
	firstLook = 2 * time.Millisecond
	lastLook  = time.Minute
)

// Ended returns when nothing is left of a child that was waited for. What it would have
// ended itself is killed.
func (c *Child) Ended(warn func(text string)) {
	pause := firstLook
	for until := time.Now().Add(lastLook); c.kill(func(_ []int, text string) { warn(text) }); pause = min(2*pause, killTick) {
		if time.Now().After(until) {
			warn(cantEnd)
			return
		}
		time.Sleep(pause)
	}
}

// kill kills what is left of it, and tells whether anything was. A guardian that an nth
// has left behind ends by itself, when it has done the same.
func (c *Child) kill(warn warning) (left bool) {
	all := c.of
	all.mu.Lock()
	defer all.mu.Unlock()
	all.list = slices.DeleteFunc(all.list, func(p *process) bool { return p == &c.process })
	if all.kin.orphans == nil {
		return false
	}
	alone := len(all.list) == 0
	targets := all.kin.below(func(n int64) bool { return alone || n == c.number }, all.list, alone, warn)
	for _, pid := range targets {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return len(targets) > 0 || all.kin.guarded()
}

// guarded tells whether a guardian is at work that is an orphan.
func (k *kin) guarded() bool {
	return slices.ContainsFunc(k.orphans.List(), func(pid int) bool {
		p, ok := tree.Read(pid)
		return ok && !p.Ended && p.Parent == os.Getpid() && guard.Is(p)
	})
}
