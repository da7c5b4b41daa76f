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
	threadsToCopy = 2 // that work at the same time; otherwise as many as there are CPUs
)

// makeSpareThreads makes threads that the runtime keeps for later.
func makeSpareThreads(copies bool) {
	n := spare
	if copies {
		n = spareToCopy
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
