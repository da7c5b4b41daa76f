// Command actor plays the command that nth runs, in images where nothing else is:
//
//	actor exit CODE
//	actor signals LAST       print each signal that comes, exit 0 after LAST
//	actor ignore SIGNAL      say ready, and sleep whatever comes of it
//	actor orphans N          leave N processes to PID 1, wait until they are reaped
//	actor crowd DURATION     start processes until there may be no more, wait, exit 3
//	actor eat MIB            touch that much memory
//	actor escape FILE        leave behind a process in a session of its own, that writes
//	actor append FILE LINE
//	actor sleep DURATION
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var parts = map[string]func(arg ...string){
	"exit":    func(arg ...string) { os.Exit(number(arg[0])) },
	"signals": signals,
	"ignore":  ignore,
	"orphans": orphans,
	"parent":  func(...string) { check(self("sleep", "200ms").Start()) },
	"crowd":   crowd,
	"eat":     eat,
	"escape":  escape,
	"writer":  writer,
	"append":  func(arg ...string) { write(arg[0], arg[1]+"\n") },
	"sleep": func(arg ...string) {
		d, err := time.ParseDuration(arg[0])
		check(err)
		time.Sleep(d)
	},
}

func main() {
	parts[os.Args[1]](os.Args[2:]...)
}

func self(arg ...string) *exec.Cmd { return exec.Command(os.Args[0], arg...) }

// name gives SIGTERM for 15 and 36 for 36, which has no name.
func name(sig syscall.Signal) string {
	if n := unix.SignalName(sig); n != "" {
		return n
	}
	return strconv.Itoa(int(sig))
}

func signals(arg ...string) {
	caught := make(chan os.Signal, 100)
	signal.Notify(caught)
	fmt.Println("ready")
	for sig := range caught {
		s := sig.(syscall.Signal)
		if s == syscall.SIGURG || s == syscall.SIGCHLD {
			continue // Go's own preemption
		}
		fmt.Println(name(s))
		if name(s) == arg[0] {
			return
		}
	}
}

func ignore(arg ...string) {
	signal.Ignore(unix.SignalNum(arg[0]))
	fmt.Println("ready")
	time.Sleep(time.Hour)
}

// orphans starts parents that end at once and leave a child. It is done when all
// that is left is PID 1 and itself: each orphan has ended and none is a zombie.
func orphans(arg ...string) {
	for range number(arg[0]) {
		check(self("parent").Run())
	}
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		left := processes()
		if len(left) == 2 {
			fmt.Println("all reaped")
			return
		}
		if time.Now().After(deadline) {
			fmt.Println("left:", left)
			os.Exit(1)
		}
	}
}

// processes lists all that there are, with their states (proc_pid_stat(5)).
func processes() []string {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	check(err)
	var all []string
	for _, f := range files {
		if body, err := os.ReadFile(f); err == nil { // else it has just gone
			all = append(all, strings.Join(strings.Fields(string(body))[:4], " "))
		}
	}
	return all
}

func crowd(arg ...string) {
	stay, err := time.ParseDuration(arg[0])
	check(err)
	runtime.GOMAXPROCS(1) // for there is no thread to be had in the end, not even for this program
	for n := 0; ; n++ {
		if err := self("sleep", "1h").Start(); err != nil {
			fmt.Printf("%d processes, then: %v\n", n, err)
			time.Sleep(stay)
			os.Exit(3)
		}
	}
}

func eat(arg ...string) {
	b := make([]byte, number(arg[0])<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	fmt.Println("not killed")
}

// escape returns when the process that it leaves behind is at work.
func escape(arg ...string) {
	cmd := self("writer", arg[0])
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	check(cmd.Start())
	for {
		if info, err := os.Stat(arg[0]); err == nil && info.Size() > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// writer writes until SIGTERM, and some more.
func writer(arg ...string) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	for {
		select {
		case <-stop:
			time.Sleep(300 * time.Millisecond)
			write(arg[0], "end\n")
			return
		case <-time.After(time.Millisecond):
			write(arg[0], "more\n")
		}
	}
}

func write(path, text string) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	check(err)
	_, err = f.WriteString(text)
	check(err)
	check(f.Close())
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "actor:", err)
		os.Exit(99)
	}
}
