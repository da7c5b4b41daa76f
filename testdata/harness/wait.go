package harness

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what must come: long enough for any machine, so
// that only what never comes is missed. What must not happen isn't waited for by it.
const Patience = 10 * time.Minute

// Await waits until it is so, and fails the test with what there is otherwise.
func Await(t testing.TB, so func() bool, otherwise func() string) {
	t.Helper()
	for end := time.Now().Add(Patience); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(otherwise())
		}
	}
}
