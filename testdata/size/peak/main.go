// Command peak runs a command and prints its peak resident memory in KiB. It is as small as
// a Go program is: the kernel counts into the peak what the process was before its exec, a
// copy of the one that started it.
package main

import (
	"os"
	"strconv"
	"syscall"
)

func main() {
	pid, err := syscall.ForkExec(os.Args[1], os.Args[1:], &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 2, 2}})
	if err != nil {
		panic(err)
	}
	var status syscall.WaitStatus
	var used syscall.Rusage
	for _, err = syscall.Wait4(pid, &status, 0, &used); err == syscall.EINTR; {
		_, err = syscall.Wait4(pid, &status, 0, &used)
	}
	if err != nil || status.ExitStatus() != 0 {
		os.Exit(1)
	}
	os.Stdout.WriteString(strconv.FormatInt(used.Maxrss, 10) + "\n")
}
