//go:build !linux

package memory

// Space tells nothing: who limits address space, runs Linux.
func Space() (bytes uint64, limited bool) { return 0, false }
