// Package tree tells which processes there are and who started whom, as /proc has it. What
// it gives may have ended since: it is for who looks again until nothing is left.
package tree

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// Process is one, as proc_pid_stat(5) has it.
type Process struct {
	PID, Parent, Group, Session int
	Name                        string
	Ended                       bool // with all its threads, and nobody has waited for it
}

// Usable tells whether there is a /proc whose numbers are this process's: one that was
// mounted elsewhere has those of another namespace.
func Usable() bool {
	self, err := os.Readlink("/proc/self")
	return err == nil && self == strconv.Itoa(os.Getpid())
}

func path(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

// Read gives a process; false: there is none of this number.
func Read(pid int) (Process, bool) {
	stat, err := os.ReadFile(path(pid, "stat"))
	if err != nil {
		return Process{}, false
	}
	return parse(pid, string(stat))
}

// parse reads "PID (name) state parent group session …"; the name may have any character.
func parse(pid int, stat string) (p Process, ok bool) {
	open, end := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return p, false
	}
	f := fields(stat)
	if len(f) < 4 {
		return p, false
	}
	p = Process{PID: pid, Name: stat[open+1 : end], Ended: ended(f)}
	for i, to := range []*int{&p.Parent, &p.Group, &p.Session} {
		n, err := strconv.Atoi(f[i+1])
		if err != nil {
			return p, false
		}
		*to = n
	}
	return p, true
}

// fields gives those behind the name, from the state on.
func fields(stat string) []string { return strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]) }

// before is how proc_pid_stat(5) numbers the state: behind the name, and from 1.
const before = 3

// ended reads the fields from the state on. A process whose first thread has ended is shown as
// ended, and may live on in others.
func ended(f []string) bool {
	const threads = 20 - before
	return (f[0] == "Z" || f[0] == "X") && (len(f) <= threads || f[threads] == "0" || f[threads] == "1")
}

// All gives the numbers of all processes that can be seen.
func All() []int { return numbers("/proc") }

// numbers gives the entries of a folder that are numbers.
func numbers(dir string) (list []int) {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// Variables gives each value that a process's environment has for a variable, as it was at
// the last exec; none too where it may not be read, and where it is overwritten.
func Variables(pid int, name string) (values []string) {
	body, err := os.ReadFile(path(pid, "environ"))
	for n := 0; err == nil && len(body) == 0 && n < mostLooks && !bare(pid); n++ {
		time.Sleep(time.Millisecond)
		body, err = os.ReadFile(path(pid, "environ"))
	}
	if len(body) == 0 { // its first thread may have ended
		for _, thread := range numbers(path(pid, "task")) {
			if body, _ = os.ReadFile(path(pid, "task/"+strconv.Itoa(thread)+"/environ")); len(body) > 0 {
				break
			}
		}
	}
	for assignment := range bytes.SplitSeq(body, []byte{0}) {
		if value, ok := bytes.CutPrefix(assignment, []byte(name+"=")); ok {
			values = append(values, string(value))
		}
	}
	return values
}

// mostLooks bounds how often a process is looked at that is in the middle of execve(2), a
// millisecond apart: on a machine that is busy it may stay there for a while.
const mostLooks = 200

// bare tells whether a process has no environment, or has ended. In the middle of execve(2) it
// has new memory, in which it isn't yet known where the program is: that is noted last.
func bare(pid int) bool {
	stat, _ := os.ReadFile(path(pid, "stat"))
	f := fields(string(stat))
	const code, from, to = 26 - before, 50 - before, 51 - before
	return len(f) <= to || f[0] == "Z" || f[0] == "X" || f[code] != "0" && f[from] == f[to]
}

// Called gives the first word that a process was started with, "" where that isn't known.
func Called(pid int) string {
	body, _ := os.ReadFile(path(pid, "cmdline"))
	word, _, _ := strings.Cut(string(body), "\x00")
	return word
}
