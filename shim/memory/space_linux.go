package memory

import "golang.org/x/sys/unix"

// Space is how many bytes the address space may have, where that is limited.
func Space() (bytes uint64, limited bool) {
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &r) != nil || r.Cur == unix.RLIM_INFINITY {
		return 0, false
	}
	return r.Cur, true
}
