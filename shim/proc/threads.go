package proc

import (
	"runtime"
	"sync"
)

// spare is how many threads are made before the command may use up the limit of
// processes (a container's pids, RLIMIT_NPROC): Go's runtime makes one when a call
// blocks, and ends the program when it can't.
const spare = 2

// makeSpareThreads makes threads that the runtime keeps for later.
func makeSpareThreads() {
	var all sync.WaitGroup
	gate := make(chan struct{})
	for range spare {
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
