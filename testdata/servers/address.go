package servers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports that are nobody's by chance: the kernel gives those above to connections
// (ip_local_port_range), so that one which was free a moment ago is the end of somebody's
// connection by now, or a connection to where nobody listens reaches itself.
const firstPort, lastPort = 10_000, 32_000

// Address gives an address of this machine that is the test's own until it ends, whether
// somebody listens there or not: no other test gets it meanwhile, of this process or another.
func Address(t testing.TB) string {
	t.Helper()
	for range 10_000 {
		address := fmt.Sprint("127.0.0.1:", firstPort+rand.IntN(lastPort-firstPort))
		// Whoever has the UDP port of this number has the TCP port.
		token, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			t.Cleanup(func() { token.Close() })
			return address
		}
		token.Close() // a program's that is no test
	}
	t.Fatal("there is no port to be had")
	return ""
}
