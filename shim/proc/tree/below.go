package tree

import (
	"os"
	"strconv"
	"strings"
)

// Below gives those of this process's children, and all that are below them, but not those
// that have ended: nothing is below such a one.
func Below(children []int) []Process {
	if len(children) == 0 {
		return nil
	}
	return below(os.Getpid(), children, lister())
}

// below leaves out what has changed its parent meanwhile: who looks again finds it where it
// is by then, and a number that is another process's by now does no harm.
func below(parent int, list []int, children func(int) []int) (all []Process) {
	for _, pid := range list {
		if p, ok := Read(pid); ok && !p.Ended && p.Parent == parent {
			all = append(append(all, p), below(pid, children(pid), children)...)
		}
	}
	return all
}

// lister gives who tells children: the kernel, where it was built to (proc_tid_children(5),
// CONFIG_PROC_CHILDREN), else a look at everybody's parent.
func lister() func(int) []int {
	if _, err := os.Stat(childrenOf(os.Getpid(), os.Getpid())); err == nil {
		return listed
	}
	return scanned()
}

// childrenOf is the file with the children of a thread.
func childrenOf(pid, thread int) string {
	return path(pid, "task/"+strconv.Itoa(thread)+"/children")
}

func listed(pid int) (list []int) {
	for _, thread := range numbers(path(pid, "task")) {
		body, _ := os.ReadFile(childrenOf(pid, thread))
		list = appendNumbers(list, string(body))
	}
	return list
}

func scanned() func(int) []int {
	of := map[int][]int{}
	for _, pid := range All() {
		if p, ok := Read(pid); ok {
			of[p.Parent] = append(of[p.Parent], pid)
		}
	}
	return func(pid int) []int { return of[pid] }
}

func appendNumbers(list []int, text string) []int {
	for word := range strings.FieldsSeq(text) {
		if n, err := strconv.Atoi(word); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// Orphans tells of this process's children those that others have started: their parents
// have ended, or they were there before the program began. The kernel gives them to the
// first thread, so the list may have children of its own as well.
type Orphans struct {
	file   *os.File // nil: the kernel doesn't tell
	buffer []byte
	list   []int
}

// NewOrphans prepares to tell, as often as once for each of many commands.
func NewOrphans() *Orphans {
	file, err := os.Open(childrenOf(os.Getpid(), os.Getpid()))
	if err != nil {
		return &Orphans{}
	}
	return &Orphans{file: file, buffer: make([]byte, 4096)}
}

// List lists them, ended ones too, and maybe others that have been children meanwhile. It is
// good until the next one.
func (o *Orphans) List() []int {
	if o.file == nil {
		return scanned()(os.Getpid())
	}
	n, _ := o.file.ReadAt(o.buffer, 0)
	for n == len(o.buffer) {
		o.buffer = make([]byte, 2*n)
		n, _ = o.file.ReadAt(o.buffer, 0)
	}
	o.list = appendNumbers(o.list[:0], string(o.buffer[:n]))
	return o.list
}
