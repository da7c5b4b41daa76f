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
		{"0-99:10", "0,10,20,30,40,50,60,70,80,90", nil},
		{"1-9%4", "1-9", nil}, {"3, 7-9,\t11", "3,7-9,11", nil}, {" 1-7:2 \n", "1,3,5,7", []int64{1, 3, 5, 7}}, {"1-10:4,20%2", "1,5,9,20", []int64{1, 5, 9, 20}},
		{"5-5:3", "5", nil}, {"0-9:1", "0-9", nil}, {"0-9223372036854775806:9223372036854775806", "0,9223372036854775806", nil},
		{"1-9:0", "", nil}, {"5:2", "", nil}, {"1-9:", "", nil}, {"1-9:-1", "", nil}, {"1-9%", "", nil}, {"1-9%x", "", nil}, {"1%2,3", "", nil}, {"0-9:2,8", "", nil}, {"0-9000000000:2", "", nil},
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
	if got := FormatList([]int64{1, 2, 4, 5, 6}); got != "1,2,4-6" { // two are no range, as in completedIndexes
		t.Error(got)
	}
	if got := FormatList(nil); got != "" {
		t.Error(got)
	}
}

func TestList(t *testing.T) {
	l, err := ParseList("3,7-9,11,12,20-999999999999")
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(1 + 3 + 2 + 999999999999 - 20 + 1); l.Len() != want {
		t.Errorf("%d indexes, want %d", l.Len(), want)
	}
	for k, want := range map[int64]int64{0: 3, 1: 7, 3: 9, 4: 11, 5: 12, 6: 20, l.Len() - 1: 999999999999} {
		if got := l.At(k); got != want {
			t.Errorf("number %d is %d, want %d", k, got, want)
		}
		if got, ok := l.Position(want); got != k || !ok {
			t.Errorf("%d is number %d (%v), want %d", want, got, ok, k)
		}
	}
	for index, want := range map[int64]bool{-1: false, 0: false, 3: true, 4: false, 7: true, 8: true, 9: true, 10: false, 11: true, 12: true, 13: false,
		20: true, 999999999999: true, 1000000000000: false} {
		if got := l.Contains(index); got != want {
			t.Errorf("contains %d: %v, want %v", index, got, want)
		}
	}
	if diff := cmp.Diff("0-6", Whole(7).String()); diff != "" {
		t.Error(diff)
	}
	if (List{}).Len() != 0 || (List{}).Contains(0) || (List{}).String() != "" {
		t.Error("the empty list isn't empty")
	}
}

// TestLongList: a list with many gaps is read and walked in reasonable time, and
// what is wrong with it is said in a line that can be read.
func TestLongList(t *testing.T) {
	var odd []int64
	for i := range int64(200_000) {
		odd = append(odd, 2*i+1)
	}
	text := FormatList(odd)
	l, err := ParseList(text)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range odd {
		if got := l.At(int64(k)); got != want {
			t.Fatalf("number %d is %d, want %d", k, got, want)
		}
	}
	if _, err := ParseList(text + ",x"); err == nil || len(err.Error()) > 300 {
		t.Errorf("%v", err)
	}
}

func FuzzParseList(f *testing.F) {
	for _, s := range []string{"0", "3,7-9", "1-2", "1-3,4,5-6", "0-999999999999", "", "1,,2", "9223372036854775807", "0-9223372036854775807", "0-99:10", "1-9:3%4", "1, 3-5:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseList(s)
		if err != nil {
			if failure.From(err).Code != failure.Setup {
				t.Error(err)
			}
			return
		}
		again, err := ParseList(l.String())
		if err != nil {
			t.Fatalf("%q -> %q: %v", s, l, err)
		}
		if diff := cmp.Diff(l, again, cmp.AllowUnexported(List{}, span{})); diff != "" {
			t.Errorf("%q -> %q: %s", s, l, diff)
		}
		if l.Len() < 1 || l.At(l.Len()-1) != l.Last() {
			t.Errorf("%q: %d indexes up to %d", s, l.Len(), l.Last())
		}
		var some []int64
		for k := range min(l.Len(), 1000) {
			i := l.At(k)
			if at, _ := l.Position(i); at != k {
				t.Errorf("%q: %d is at %d, want %d", s, i, at, k)
			}
			if !l.Contains(i) || k > 0 && (i <= some[k-1] || i > some[k-1]+1 && l.Contains(i-1)) {
				t.Errorf("%q: number %d is %d", s, k, i)
			}
			some = append(some, i)
		}
		if l.Len() <= 1000 && FormatList(some) != l.String() {
			t.Errorf("%q -> %q, but its indexes make %q", s, l, FormatList(some))
		}
	})
}
