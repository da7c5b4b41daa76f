// Package memory gives memory back while nth only waits, and makes files that are in memory
// alone.
package memory

import (
	"bufio"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Trim gives back the memory of a program that only waits from now on: what is
// free of the heap, and the pages of the binary itself, which the kernel reads
// again when they are needed. Resident memory decides whom a memory limit kills.
func Trim() {
	debug.FreeOSMemory()
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		// proc(5): address perms offset dev inode pathname. Only what can't be
		// written is the same as in the file.
		f := strings.Fields(lines.Text())
		if len(f) < 6 || f[5] != self || f[1] != "r-xp" && f[1] != "r--p" {
			continue
		}
		first, last, _ := strings.Cut(f[0], "-")
		from, err := strconv.ParseUint(first, 16, 64)
		to, err2 := strconv.ParseUint(last, 16, 64)
		if err != nil || err2 != nil {
			continue
		}
		// The mapping is no Go memory, so there is no slice to hand to unix.Madvise.
		_, _, _ = unix.RawSyscall(unix.SYS_MADVISE, uintptr(from), uintptr(to-from), unix.MADV_DONTNEED)
	}
}
