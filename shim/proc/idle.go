//go:build !windows

package proc

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// staleAfter is how long a child of process 1 that has ended waits for who started it,
// a credential_process of nth's own say, before it is taken for an orphan: of a probe
// that was executed in the container, and that nobody else will ever reap.
const staleAfter = time.Second

// reapOrphans is for a process whose children are all waited for as soon as they end: it
// reaps the others, for as long as the process lives.
func reapOrphans() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	wake := make(chan struct{}, 1)
	go func() {
		for range ended {
			poke(wake)
		}
	}()
	go reapStale(wake, func(reap func(spare func(int) bool)) { reap(func(int) bool { return false }) })
}

// whileIdle calls reap if there is no command: else everything is reaped anyway. It spares
// commands of parts, which those wait for that have them.
func (s *Signals) whileIdle(reap func(spare func(pid int) bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set.phase == before || s.set.phase == over {
		reap(s.parts.have)
	}
}

// reapStale reaps, within when, who had already ended at the look before; it looks when
// it is woken, and as long as there is anybody.
func reapStale(wake chan struct{}, when func(reap func(spare func(pid int) bool))) {
	var seen map[int]bool
	for range wake {
		time.Sleep(staleAfter)
		when(func(spare func(pid int) bool) {
			now := map[int]bool{}
			for _, pid := range zombies() {
				if !seen[pid] || spare(pid) {
					now[pid] = true
					continue
				}
				_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
			}
			if seen = now; len(now) > 0 {
				poke(wake)
			}
		})
	}
}

// zombies lists the children of this process that have ended
// (proc_pid_task_children(5), proc_pid_stat(5)).
func zombies() (list []int) {
	files, _ := filepath.Glob("/proc/self/task/*/children")
	for _, f := range files {
		body, _ := os.ReadFile(f)
		for word := range strings.FieldsSeq(string(body)) {
			pid, _ := strconv.Atoi(word)
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if _, state, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(state, "Z") {
				list = append(list, pid)
			}
		}
	}
	return list
}
