//go:build linux && (amd64 || arm64) && cgo

package launch

// CanApart is false: glibc has told the kernel of places in nth's memory that each return
// from a system call touches (rseq(2)), so that nothing can be left out of a copy, and a
// copy of everything would cost more than vfork(2).
const CanApart = false
