package proc

import (
	"bytes"
	"strconv"

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
	var room [readAtOnce]byte
	maps, err := readInto(room[:], "/proc/self/maps")
	if err != nil {
		return
	}
	for len(maps) > 0 {
		var line []byte
		line, maps, _ = bytes.Cut(maps, lineEnd)
		// proc_pid_maps(5): from-to rwxp …
		bounds, rest, _ := bytes.Cut(line, []byte(" "))
		if len(rest) < 4 || rest[2] == 'x' || rest[3] != 'p' {
			continue
		}
		low, high, _ := bytes.Cut(bounds, []byte("-"))
		from, err1 := strconv.ParseUint(string(low), 16, 64)
		to, err2 := strconv.ParseUint(string(high), 16, 64)
		if err1 == nil && err2 == nil {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTFORK)
		}
	}
}
