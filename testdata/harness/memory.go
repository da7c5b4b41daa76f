package harness

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Peak gives the most memory that a process had resident until it ended, in bytes, as it
// was told last. wait4's own figure isn't that: Linux counts there what was forked too,
// before its exec, which is the test itself.
func Peak(pid int, ended <-chan struct{}) (peak int64) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		body, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // the end has no file
		if _, hwm, ok := strings.Cut(string(body), "VmHWM:"); ok {
			if kib, err := strconv.ParseInt(strings.Fields(hwm)[0], 10, 64); err == nil {
				peak = max(peak, kib<<10)
			}
		}
		select {
		case <-ended:
			return peak
		case <-tick.C:
		}
	}
}
