package policy

import "testing"

func TestMaxFailed(t *testing.T) {
	tests := []struct {
		in    string
		total int64
		want  int64
		bad   bool
	}{
		{in: "", total: 5, want: 5}, {in: "", total: 50, want: 10}, {in: "", total: 1000, want: 100},
		{in: "0", total: 50, want: 0}, {in: "7", total: 50, want: 7}, {in: "70", total: 50, want: 50},
		{in: "5%", total: 199, want: 9}, {in: "100%", total: 100_000, want: 100_000}, {in: "0%", total: 9, want: 0},
		{in: "101%", bad: true}, {in: "-1", bad: true}, {in: "%", bad: true}, {in: "1.5%", bad: true}, {in: "x", bad: true},
	}
	for _, tt := range tests {
		m, err := ParseMaxFailed(tt.in)
		if (err != nil) != tt.bad {
			t.Errorf("%q: error %v", tt.in, err)
		} else if got := m.Of(tt.total); err == nil && got != tt.want {
			t.Errorf("%q of %d: got %d, want %d", tt.in, tt.total, got, tt.want)
		}
	}
}

func FuzzParseMaxFailed(f *testing.F) {
	for _, s := range []string{"", "10", "5%", "-1", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMaxFailed(s)
		if got := m.Of(1000); err == nil && (got < 0 || got > 1000) {
			t.Errorf("%q: %d", s, got)
		}
	})
}
