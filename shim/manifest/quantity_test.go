package manifest

import (
	"math/big"
	"strings"
	"testing"
)

// TestQuantity: as Kubernetes reads and writes them.
func TestQuantity(t *testing.T) {
	for in, want := range map[string]string{
		"1": "1", "0": "0", "500m": "500m", "0.5": "500m", "2Gi": "2Gi", "2048Mi": "2Gi", "1.5Gi": "1536Mi", "2G": "2G", "2000M": "2G", "1.5k": "1500", "0.1": "100m", "1e3": "1k", "1E3": "1k", "12e6": "12M",
		"1E": "1E", "1e-3": "1m", "1.": "1", ".5": "500m", "007": "7", "1000Ki": "1000Ki", "1024": "1024", "1000": "1k", "100n": "100n", "5u": "5u", "7Ei": "7Ei", "0.5Ki": "512", "0.0001Ki": "102400u", "1e-12": "1n",
		"9223372036854775807": "9223372036854775807",
		"":                    "", "lots": "", "-1": "", "+1": "", "Gi": "", "1 Gi": "", "1.2.3": "", "0x10": "", ".": "", "1e": "", "1ee3": "", "1e3Gi": "", "1K": "", "1mi": "", "1e99": "", "1e+": "", "8Ei": "", "10E": "",
		"9223372036854775808": "", "1e999999999999": "", strings.Repeat("1", 100): "", "1\n": "", "1e+3": "1k",
	} {
		got, err := parseQuantity(in)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q is %v (%v), want %v", in, got, err, want)
		}
	}
}

// TestTimes: so many times as much, and never less, in units that a person writes.
func TestTimes(t *testing.T) {
	for _, tt := range []struct{ was, times, resource, want string }{
		{"1Gi", "2x", "memory", "2Gi"}, {"1Gi", "1.5x", "memory", "1536Mi"}, {"1Gi", "1.3x", "memory", "1332Mi"}, {"1536Mi", "2x", "memory", "3Gi"}, {"500M", "2x", "memory", "1G"}, {"1G", "1.3333x", "memory", "1334M"},
		{"1G", "1.0000001x", "memory", "1001M"}, {"1e9", "2x", "memory", "2G"}, {"1000000000", "1.5x", "memory", "1500M"}, {"1Ki", "1.5x", "memory", "1536"}, {"3", "1.5x", "memory", "5"}, {"128974848", "3x", "memory", "387M"},
		{"100m", "1.5x", "cpu", "150m"}, {"1", "2x", "cpu", "2"}, {"1", "0.3333x", "cpu", "334m"}, {"2", "2.5x", "cpu", "5"}, {"0", "2x", "cpu", "0"}, {"1Ki", "2x", "cpu", "2048"}, {"1m", "0.1x", "cpu", "1m"}, {"100u", "2x", "cpu", "1m"},
		{"1Gi", "10x", "memory", "10Gi"}, {"1Gi", "1000x", "memory", "1000Gi"},
		{"1Gi", "", "memory", ""}, {"1Gi", "2", "memory", ""}, {"1Gi", "x", "memory", ""}, {"1Gi", "0x", "memory", ""}, {"1Gi", "-2x", "memory", ""}, {"1Gi", "2X", "memory", ""}, {"1Gi", "1001x", "memory", ""}, {"1Gi", "2Gi", "memory", ""},
		{"1Gi", "1e3x", "memory", ""},
	} {
		was, err := parseQuantity(tt.was)
		if err != nil {
			t.Fatal(err)
		}
		n, err := parseTimes(tt.times)
		if (err == nil) != (tt.want != "") {
			t.Errorf("%q: %v", tt.times, err)
		}
		if err != nil {
			continue
		}
		if got := was.times(n, tt.resource); got.String() != tt.want {
			t.Errorf("%s of %s %s is %s, want %s", tt.times, tt.was, tt.resource, got, tt.want)
		}
	}
}

// FuzzQuantity: what is written is read again as the same, and so many times as much is never
// too little.
func FuzzQuantity(f *testing.F) {
	for _, s := range []string{"1", "500m", "1.5Gi", "1e3", "12E6", "1E", "0.1n", "0.0001Ki", "9223372036854775807", "7.99Ei", ".", "1..2", "1e-40", "0"} {
		f.Add(s, uint16(15), true)
	}
	f.Fuzz(func(t *testing.T, s string, tenths uint16, memory bool) {
		q, err := parseQuantity(s)
		if err != nil {
			return
		}
		again, err := parseQuantity(q.String())
		if err != nil {
			t.Fatalf("%q is written %q: %v", s, q, err)
		}
		if again.nano.Cmp(q.nano) != 0 || again.String() != q.String() {
			t.Fatalf("%q is written %q, and that %q", s, q, again)
		}
		by := times{big.NewInt(int64(tenths) + 1), 1}
		resource := map[bool]string{true: "memory", false: "cpu"}[memory]
		now, least := q.times(by, resource), new(big.Int).Mul(q.nano, by.n)
		off := now.nano.Sub(now.nano.Mul(now.nano, big.NewInt(10)), least) // in tenths
		if off.Sign() < 0 || off.Cmp(new(big.Int).Mul(big.NewInt(10<<20), power(10, nanoExponent))) >= 0 {
			t.Fatalf("%d tenths of %q is %v tenths of a billionth off", by.n, s, off)
		}
	})
}
