package proc

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"nth/shim/proc/launch"
)

// spareMemory keeps what nth has written to out of processes that launch makes (madvise(2),
// MADV_DONTFORK): they need none of it, it would be copied, and it would count as the
// peak of the program's own memory. What the kernel doesn't take is copied, no more.
func spareMemory() {
	if !launch.CanApart {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(maps)) {
		// proc_pid_maps(5): from-to rwxp …
		bounds, rest, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(rest, "rw") || rest[3] != 'p' {
			continue
		}
		low, high, _ := strings.Cut(bounds, "-")
		from, err1 := strconv.ParseUint(low, 16, 64)
		to, err2 := strconv.ParseUint(high, 16, 64)
		if err1 == nil && err2 == nil {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTFORK)
		}
	}
}
