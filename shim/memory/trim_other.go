//go:build !linux

package memory

import "runtime/debug"

// Trim gives back what is free of the heap.
func Trim() { debug.FreeOSMemory() }
