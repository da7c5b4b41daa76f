package harness

import (
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
		peak = max(peak, peakOf(strconv.Itoa(pid)))
		select {
		case <-ended:
			return peak
		case <-tick.C:
		}
	}
}

// OwnPeak is the most memory that this process has had resident, in bytes.
func OwnPeak() int64 { return peakOf("self") }

// peakOf reads VmHWM (proc(5)); 0: there is none any more.
func peakOf(pid string) int64 {
	body, _ := os.ReadFile("/proc/" + pid + "/status")
	_, hwm, ok := strings.Cut(string(body), "VmHWM:")
	if !ok {
		return 0
	}
	kib, _ := strconv.ParseInt(strings.Fields(hwm)[0], 10, 64)
	return kib << 10
}
