package identity

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func list(t *testing.T, s string) (l List) {
	t.Helper()
	if err := l.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSets(t *testing.T) {
	for _, tt := range []struct{ a, b, union, without string }{
		{"", "", "", ""},
		{"3", "", "3", "3"},
		{"", "3", "3", ""},
		{"0-9", "3-5", "0-9", "0-2,6-9"},
		{"0-9", "0-9", "0-9", ""},
		{"0-4", "5-9", "0-9", "0-4"},
		{"0-4,6", "5", "0-6", "0-4,6"},
		{"0,2,4,6-9", "1,3,8", "0-4,6-9", "0,2,4,6,7,9"},
		{"5-9", "0-6,8-20", "0-20", "7"},
		{"10,20,30", "0-100", "0-100", ""},
	} {
		a, b := list(t, tt.a), list(t, tt.b)
		if got := Union(a, b).String(); got != tt.union {
			t.Errorf("%q and %q: %q, want %q", tt.a, tt.b, got, tt.union)
		}
		if got := Union(b, a).String(); got != tt.union {
			t.Errorf("%q and %q: %q, want %q", tt.b, tt.a, got, tt.union)
		}
		if got := a.Without(b).String(); got != tt.without {
			t.Errorf("%q without %q: %q, want %q", tt.a, tt.b, got, tt.without)
		}
		if a.String() != tt.a || b.String() != tt.b {
			t.Errorf("%q and %q were changed: %q, %q", tt.a, tt.b, a, b)
		}
	}
	for from, want := range map[int64]int64{0: 0, 3: 6, 4: 6, 5: 6, 6: 6, 8: 9, 100: 100} {
		if got := list(t, "3-5,8").Next(from); got != want {
			t.Errorf("from %d the next is %d, want %d", from, got, want)
		}
	}
}

// TestAddWithin: a full list takes only what costs nothing.
func TestAddWithin(t *testing.T) {
	var l List
	for _, i := range []int64{5, 9, 20, 0, 7, 6, 10, 4, 8, 21} {
		l.Add(i, 2)
	}
	if l.String() != "4-6,8-10" || l.Ranges() != 2 {
		t.Errorf("%q", l)
	}
	if l.Add(7, 2); l.String() != "4-10" || l.Ranges() != 1 {
		t.Errorf("%q", l)
	}
	if got := list(t, "1,3,5-9").Cut(2).String(); got != "1,3" {
		t.Errorf("%q", got)
	}
}

// TestAdd: in any order, the list is what it would be if it were read; and every
// operation agrees with a plain set.
func TestAdd(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var l, other List
		in, out := map[int64]bool{}, map[int64]bool{}
		for range r.IntN(40) {
			i := r.Int64N(30)
			l.Add(i, 1000)
			in[i] = true
			j := r.Int64N(30)
			other.Add(j, 1000)
			out[j] = true
		}
		var want, both, rest []int64
		for i := range int64(30) {
			if in[i] {
				want = append(want, i)
			}
			if in[i] || out[i] {
				both = append(both, i)
			}
			if in[i] && !out[i] {
				rest = append(rest, i)
			}
			if l.Contains(i) != in[i] {
				t.Fatalf("%s has %d: %v", l, i, !in[i])
			}
		}
		got := []string{l.String(), Union(l, other).String(), l.Without(other).String()}
		if diff := cmp.Diff([]string{FormatList(want), FormatList(both), FormatList(rest)}, got); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(list(t, l.String()), l, cmp.AllowUnexported(List{}, span{})); len(want) > 0 && diff != "" {
			t.Fatal(diff)
		}
		if l.Len() != int64(len(want)) {
			t.Fatalf("%s has %d", l, l.Len())
		}
	}
}
