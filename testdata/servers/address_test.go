package servers

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// TestAddress: an address is given once while its test lasts, though nobody listens there;
// who connects to it reaches nobody, and not himself.
func TestAddress(t *testing.T) {
	given := map[string]bool{}
	for range 500 {
		a := Address(t)
		if given[a] {
			t.Fatalf("%s was given twice", a)
		}
		given[a] = true
		if c, err := net.Dial("tcp", a); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a connection to %s: %v, %v", a, c, err)
		}
	}
}
