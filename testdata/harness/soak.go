package harness

import "os"

// Soak gives the size of what is repeated to find what happens seldom: usual is enough to
// find the faults that there were, and with NTH_TEST_SOAK=1 it is large, for a run by hand.
func Soak(usual, large int) int {
	if os.Getenv("NTH_TEST_SOAK") == "1" {
		return large
	}
	return usual
}
