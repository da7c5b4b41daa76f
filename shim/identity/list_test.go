package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
)

func TestParseList(t *testing.T) {
	for _, tt := range []struct {
		in, out string // out "": refused
		all     []int64
	}{
		{"0", "0", []int64{0}},
		{"3,7-9", "3,7-9", []int64{3, 7, 8, 9}},
		{"1,2", "1,2", []int64{1, 2}},
		{"1-2", "1,2", []int64{1, 2}},
		{"1,2,3", "1-3", []int64{1, 2, 3}},
		{"1-3,4,5-6", "1-6", []int64{1, 2, 3, 4, 5, 6}},
		{"007", "7", []int64{7}},
		{"0-999999999999", "0-999999999999", nil},
		{"", "", nil}, {",", "", nil}, {"1,", "", nil}, {"a", "", nil}, {"-1", "", nil}, {"3-1", "", nil}, {"2,1", "", nil},
		{"1,1", "", nil}, {"1-5,3", "", nil}, {"1 ,2", "", nil}, {"1-2-3", "", nil}, {"0-9223372036854775807", "", nil}, {"9223372036854775808", "", nil},
	} {
		t.Run(tt.in, func(t *testing.T) {
			l, err := ParseList(tt.in)
			if tt.out == "" {
				if err == nil || failure.From(err).Code != failure.Setup {
					t.Errorf("%v, want a failure with code 78", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if l.String() != tt.out {
				t.Errorf("%q, want %q", l, tt.out)
			}
			if tt.all == nil {
				return
			}
			var all []int64
			for k := range l.Len() {
				all = append(all, l.At(k))
			}
			if diff := cmp.Diff(tt.all, all); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormatList(t *testing.T) {
	if got := FormatList([]int64{9, 3, 8, 7, 3}); got != "3,7-9" {
		t.Error(got)
	}
	if got := FormatList(nil); got != "" {
		t.Error(got)
	}
}

func FuzzParseList(f *testing.F) {
	for _, s := range []string{"0", "3,7-9", "1-2", "0-999999999999", "", "1,,2", "9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseList(s)
		if err != nil {
			return
		}
		again, err := ParseList(l.String())
		if err != nil {
			t.Fatalf("%q -> %q: %v", s, l, err)
		}
		if again.String() != l.String() || again.Len() != l.Len() || again.Last() != l.Last() || l.At(l.Len()-1) != l.Last() {
			t.Errorf("%q -> %q -> %q", s, l, again)
		}
	})
}

func FuzzIndex(f *testing.F) {
	for _, s := range []string{"0", "5", "", "-1", "+1", "1.5", "0x1", " 7", "99999999999999999999", "٣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := Resolve(Settings{}, func(name string) (string, bool) { return s, name == "JOB_COMPLETION_INDEX" }, "")
		if err != nil {
			if failure.From(err).Code != failure.Setup {
				t.Error(err)
			}
			return
		}
		if id.Index < 0 || len(s) == 0 {
			t.Errorf("%q became %d", s, id.Index)
		}
		for _, r := range s {
			if r < '0' || r > '9' {
				t.Errorf("%q became %d", s, id.Index)
			}
		}
	})
}
