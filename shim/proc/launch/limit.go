//go:build linux && (amd64 || arm64)

package launch

// Go raises the soft limit of open files for itself as package syscall is initialised,
// and gives it back in ForkExec alone. This package is initialised before: it needs no
// other, and its path comes first in the alphabet (The Go Programming Language
// Specification, "Program initialization").
var (
	original, now [2]uint64 // struct rlimit64: soft, hard
	known         = limit(&original)
)

func limit(l *[2]uint64) bool { return raw(sysPrlimit64, 0, rlimitNofile, 0, addr(l), 0, 0) == 0 }

// raised tells whether the limit is Go's: if somebody else has set another since, that
// is the program's too.
func raised() bool {
	soft, hard := original[0], original[1]
	return known && soft < hard-1 && limit(&now) && now == [2]uint64{hard - 1, hard}
}
