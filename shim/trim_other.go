//go:build !linux

package shim

import "runtime/debug"

// trim gives back what is free of the heap.
func trim() { debug.FreeOSMemory() }
