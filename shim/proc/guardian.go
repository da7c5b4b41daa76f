//go:build !windows

package proc

import (
	"runtime"

	"github.com/rs/zerolog"

	"nth/shim/proc/guard"
)

// guardCommands sees to it, before there are any, that nothing is left of so many commands
// when nth is killed outright. As process 1 it needs no guardian: then the kernel ends everything.
func (s *Signals) guardCommands(places int, log zerolog.Logger) {
	if s.pid1 {
		return
	}
	if s.kin.orphans == nil && runtime.GOOS == "linux" {
		s.kin.warn(logged(log), nil, "without /proc nobody can tell what the command leaves behind: what leaves its process group lives on, also when nth is killed outright")
	}
	if s.kin.orphans == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := guard.Start(Cookie, s.kin.cookie+".", places)
	if err != nil {
		s.kin.warn(logged(log), nil, "if nth is killed outright, what its command has started will live on: no guardian could be started: "+err.Error())
		return
	}
	s.guard = g
	if g.PID() > 0 {
		s.kin.owner[g.PID()] = notOurs
	}
}

// unguard ends the guardian, if there is one: nothing is left.
func (s *Signals) unguard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kin.reaped(s.guard.PID())
	s.guard.Dismiss()
	s.guard = nil
}
