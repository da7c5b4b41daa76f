// Package matrix runs nth as a container's PID 1 is run, and kills it where a test
// says: at one system call, at one request to a store, or while the command works.
package matrix

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Container is a process that is PID 1 of a PID namespace of its own, so that
// SIGKILL ends, as in a pod, everything that it has started.
type Container struct {
	Args []string // the first is the program's path
	Env  []string
	Dir  string
	// Output is the file to which stdout and stderr are appended.
	Output string
	// User is who runs it; 0 is root.
	User uint32
}

// Killed is the exit code of a container that SIGKILL has ended, as Kubernetes tells it.
const Killed = 128 + int(syscall.SIGKILL)

// code is the exit code as Kubernetes tells it: 128+n after signal n.
func code(s syscall.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}

func (c Container) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if c.User != 0 {
		attributes.Credential = &syscall.Credential{Uid: c.User, Gid: c.User}
	}
	return attributes
}

// files gives stdin, stdout and stderr, and what closes them.
func (c Container) files() ([]uintptr, func(), error) {
	out, err := c.output()
	if err != nil {
		return nil, nil, err
	}
	in, err := os.Open(os.DevNull)
	if err != nil {
		out.Close()
		return nil, nil, err
	}
	return []uintptr{in.Fd(), out.Fd(), out.Fd()}, func() { in.Close(); out.Close() }, nil
}

func (c Container) output() (*os.File, error) {
	return os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
}

// Run runs it to its end, and gives its exit code; started, which may be nil, is
// called with what kills it, which returns when nothing of it is left.
func Run(c Container, started func(kill func())) (int, error) {
	out, err := c.output()
	if err != nil {
		return 0, err
	}
	defer out.Close()
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = c.Env, c.Dir, out, out, c.attributes()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", c.Args[0], err)
	}
	ended := make(chan struct{})
	if started != nil {
		started(func() {
			_ = cmd.Process.Kill() // it may have ended
			<-ended
		})
	}
	_ = cmd.Wait() // the status tells
	close(ended)
	return code(cmd.ProcessState.Sys().(syscall.WaitStatus)), nil
}
