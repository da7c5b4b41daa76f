//go:build !windows

package proc

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/rs/zerolog"

	"nth/shim/proc/guard"
	"nth/shim/proc/tree"
)

// Cookie is the variable by which a command's processes are known again, whoever has become
// their parent, and in whatever group or session they are. Its value is the outer nth's, if
// there is one, a slash, what names this process, a dot, and which of its commands it is.
const Cookie = "NTH_COOKIE"

// mostCookie bounds what is taken over of an outer one, in bytes.
const mostCookie = 1000

// Whose a process is, where it isn't the n-th command's.
const (
	nobodyKnows int64 = 0
	notOurs     int64 = -1
)

// kin are the processes below this one that its commands have started.
type kin struct {
	cookie  string // the same for all commands
	n       int64  // of the command that was made last, from 1
	env     []string
	orphans *tree.Orphans // nil: who is below this one can't be told
	before  map[int]bool  // children that it had before the first command
	had     bool          // it had some: of what they leave behind nobody can tell that it isn't a command's
	owner   map[int]int64 // of orphans for which that is known
	group   int           // nth's own
	warned  map[string]bool
	strays  bool // at the last look there were some of which nobody knows whose they are
}

func newKin() kin {
	k := kin{cookie: fmt.Sprintf("%016x", rand.Uint64()), owner: map[int]int64{}, before: map[int]bool{}, warned: map[string]bool{}, group: syscall.Getpgrp()}
	if outer := os.Getenv(Cookie); outer != "" && len(outer) < mostCookie {
		k.cookie = outer + "/" + k.cookie
	}
	return k
}

// watch begins to know who is below this process, before it has a command. Processes that
// were started before the program began, in a script say that became it with exec, are no
// command's.
func (k *kin) watch() {
	if k.orphans != nil || !tree.Usable() {
		return
	}
	k.orphans = tree.NewOrphans()
	if !hasChildren() {
		return
	}
	for _, pid := range k.orphans.List() {
		k.before[pid], k.had = true, true
	}
}

// mark gives the environment of the next command. It is good until the one after it.
func (k *kin) mark(env []string) []string {
	k.n++
	k.env = k.env[:0]
	for _, v := range env {
		if !strings.HasPrefix(v, Cookie+"=") {
			k.env = append(k.env, v)
		}
	}
	k.env = append(k.env, Cookie+"="+k.cookie+"."+strconv.FormatInt(k.n, 10))
	return k.env
}

// number reads which command a value of the variable was given to; 0: none of this
// process's.
func (k *kin) number(value string) int64 {
	rest, ok := strings.CutPrefix(value, k.cookie+".")
	if !ok {
		return nobodyKnows
	}
	rest, _, _ = strings.Cut(rest, "/") // of an nth below
	n, _ := strconv.ParseInt(rest, 10, 64)
	return max(n, 0)
}

// reaped forgets a child: its number may be another's soon.
func (k *kin) reaped(pid int) {
	delete(k.before, pid)
	delete(k.owner, pid)
}

// of tells whose an orphan is. What is in nth's own group has been put there by who
// started nth, or by nth for itself: a command has its own. A guardian ends by itself.
func (k *kin) of(p tree.Process, commands []*process) int64 {
	if n, ok := k.owner[p.PID]; ok {
		return n
	}
	n := k.find(p, commands)
	if n != nobodyKnows {
		k.owner[p.PID] = n
	}
	return n
}

func (k *kin) find(p tree.Process, commands []*process) int64 {
	for _, value := range tree.Variables(p.PID, Cookie) {
		if n := k.number(value); n != nobodyKnows {
			return n
		}
	}
	for _, c := range commands {
		if c.phase != before && (p.Group == c.pid || p.Session == c.pid) {
			return c.number
		}
	}
	if p.Group == k.group || guard.Is(p) {
		return notOurs
	}
	return nobodyKnows
}

// left gives the children of this process that commands of mine have left to it. unknown
// are those of which nobody knows whose they are. gone: one has ended since they were listed,
// and what it had started may be among them now.
func (k *kin) left(mine func(n int64) bool, commands []*process) (own, unknown []int, gone bool) {
	for _, pid := range k.all() {
		if k.before[pid] || slices.ContainsFunc(commands, func(c *process) bool { return c.phase == running && c.pid == pid }) {
			continue
		}
		p, ok := tree.Read(pid)
		if !ok {
			delete(k.owner, pid)
		}
		if !ok || p.Ended && k.reap(p) {
			gone = true
		}
		if !ok || p.Ended || p.Parent != os.Getpid() {
			continue
		}
		switch n := k.of(p, commands); {
		case n == nobodyKnows:
			unknown = append(unknown, pid)
		case n != notOurs && mine(n):
			own = append(own, pid)
		}
	}
	return own, unknown, gone
}

// all lists the orphans. The kernel's list may leave one out while another one ends
// (proc_tid_children(5)), so those that were known before are looked for, too.
func (k *kin) all() []int {
	list := k.orphans.List()
	for pid, n := range k.owner {
		if n != notOurs && !slices.Contains(list, pid) {
			list = append(list, pid)
		}
	}
	return list
}

// reap waits for an orphan that has ended, so that it is gone for who asks kill(2). Who waits
// for a child of nth's own, in nth's group, is nth.
func (k *kin) reap(p tree.Process) bool {
	if p.Group == k.group || p.Parent != os.Getpid() {
		return false
	}
	n, _ := syscall.Wait4(p.PID, nil, syscall.WNOHANG, nil)
	if n == p.PID {
		k.reaped(p.PID)
	}
	return n == p.PID
}

// below gives all that commands of mine have left behind. alone: there is no other command,
// so it is theirs too of which nobody knows whose it is, unless it may be of those that
// were there before.
func (k *kin) below(mine func(n int64) bool, commands []*process, alone bool, say warning) (targets []int) {
	for range mostLooks {
		own, unknown, gone := k.left(mine, commands)
		k.strays = len(unknown) > 0
		switch {
		case len(unknown) == 0:
		case !alone:
			k.warn(say, unknown, "processes were left behind whose item can't be told, for their environment is cleared, overwritten or another user's; they are ended after the last item")
		case k.had:
			k.warn(say, unknown, "processes that aren't the command's for sure are left alone: nth had children before it started the command")
		default:
			own = append(own, unknown...)
		}
		for _, p := range tree.Below(own) {
			targets = append(targets, p.PID)
		}
		if len(targets) > 0 || len(own) == 0 && !gone {
			break
		} // what ended between two looks isn't reaped, and may have left others
	}
	return targets
}

// mostLooks bounds how often is looked again at once: another user's process may be hidden
// (proc(5), hidepid), and looks as if it had just gone.
const mostLooks = 10

// warning takes what a user must know of processes.
type warning func(pids []int, text string)

func logged(log zerolog.Logger) warning {
	return func(pids []int, text string) {
		e := log.Warn()
		if len(pids) > 0 {
			e = e.Ints("pids", pids)
		}
		e.Msg(text)
	}
}

// warn says something once.
func (k *kin) warn(say warning, pids []int, text string) {
	if !k.warned[text] {
		k.warned[text] = true
		say(pids, text)
	}
}
