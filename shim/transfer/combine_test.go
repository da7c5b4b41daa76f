package transfer

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// TestCombine: the checksum of a text is that of its parts, wherever it is divided.
func TestCombine(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		text := make([]byte, dice.IntN(3000))
		for i := range text {
			text[i] = byte(dice.Uint32())
		}
		whole := crc32.Checksum(text, castagnoli())
		var got uint32
		for rest := text; len(rest) > 0; {
			n := 1 + dice.IntN(len(rest))
			got = combine(got, crc32.Checksum(rest[:n], castagnoli()), int64(n))
			rest = rest[n:]
		}
		if got != whole {
			t.Fatalf("%d bytes: %08x, want %08x", len(text), got, whole)
		}
	}
	if got := (Sum{CRC32C: crc32.Checksum([]byte("123456789"), castagnoli())}).String(); got != "crc32c:e3069283" { // RFC 3720's check value
		t.Errorf("123456789 has %s", got)
	}
}

// TestCombineLong: a number of bytes beyond 32 bits, which nobody has computed one by one:
// to go that far in two steps is to go there.
func TestCombineLong(t *testing.T) {
	for _, n := range []int64{1 << 31, 1<<32 - 1, 5 << 40} {
		for _, first := range []uint32{0, 1, 0xe3069283, 1<<32 - 1} {
			once := combine(first, 0x1234, n)
			twice := combine(combine(first, 0, n/3), 0x1234, n-n/3)
			if once != twice {
				t.Errorf("%d bytes behind %08x: %08x and %08x", n, first, once, twice)
			}
		}
	}
}
