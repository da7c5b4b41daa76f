//go:build !windows

package proc

import (
	"runtime"
	"sync"
)

// spare is how many threads are made before the command may use up the limit of
// processes (a container's pids, RLIMIT_NPROC): Go's runtime makes one when a call
// blocks, and ends the program when it can't. With a copy of the output, more calls
// may block: to stdout, and to a store that is a file system.
const (
	spare         = 2
	spareToCopy   = 5
	spareToStream = 12 // parts of a stream are read or written at the same time
	threadsToCopy = 2  // that work at the same time; otherwise as many as there are CPUs
)

// spareThreads gives how many it is for commands of whose output something is copied, or
// that have streams.
func spareThreads(copies, streams bool) int {
	switch {
	case streams:
		return spareToStream
	case copies:
		return spareToCopy
	}
	return spare
}

// makeSpareThreads makes threads that the runtime keeps for later.
func makeSpareThreads(n int) {
	if n > spare {
		runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), threadsToCopy))
	}
	var all sync.WaitGroup
	gate := make(chan struct{})
	for range n {
		all.Add(1)
		go func() {
			runtime.LockOSThread() // so that each has a thread of its own
			defer runtime.UnlockOSThread()
			all.Done()
			<-gate
		}()
	}
	all.Wait()
	close(gate)
}
