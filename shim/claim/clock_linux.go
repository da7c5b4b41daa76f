package claim

import (
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// clockBoottime is CLOCK_BOOTTIME of clock_gettime(2): unlike Go's own it runs while the
// machine is suspended.
const clockBoottime = 7

// Now is the time since the machine was booted.
func (System) Now() time.Duration {
	var t syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockBoottime, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		began.Do(func() { began.at = time.Now() })
		return time.Since(began.at) // since Linux 2.6.39 there is one
	}
	return time.Duration(t.Nano())
}

var began struct {
	sync.Once
	at time.Time
}
