package status

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/identity"
)

func TestProgressions(t *testing.T) {
	for list, want := range map[string]string{
		"7": "7", "3-9": "3-9", "1,2": "1-2", "1,3": "1 3", "1,3,5": "1-5:2", "1,2,4,6,8": "1-2 4-8:2", "1,4,5,6": "1 4-6", "2,4,6,7,8": "2-6:2 7-8", "1,11,21,22": "1-21:10 22", "0-2,10,20,30": "0-2 10-30:10",
		"5,9,100": "5 9 100",
	} {
		l, err := identity.ParseList(list)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, strings.Join(progressions(l), " ")); diff != "" {
			t.Errorf("%s: %s", list, diff)
		}
	}
}

// TestEachOnce: the lines name each number once, and no other, however many there are.
func TestEachOnce(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		var l identity.List
		for index := int64(1); l.Len() < 300; index += 1 + r.Int64N(1+int64(seed%5)) {
			l.Grow(index, 1<<20)
		}
		for name, array := range arrays() {
			var got identity.List
			for _, line := range array.lines(l, "") {
				line = line[strings.LastIndexAny(line, " =")+1:]
				for _, part := range strings.Split(line, ",") {
					span, step, stepped := strings.Cut(part, ":")
					from, to, ranged := strings.Cut(span, "-")
					first, err := strconv.ParseInt(from, 10, 64)
					last, by := first, int64(1)
					if ranged && err == nil {
						last, err = strconv.ParseInt(to, 10, 64)
					}
					if stepped && err == nil {
						by, err = strconv.ParseInt(step, 10, 64)
					}
					if err != nil {
						t.Fatalf("%s: %q: %v", name, line, err)
					}
					for index := first; index <= last; index += by {
						if got.Contains(index) {
							t.Errorf("%s: %d twice", name, index)
						}
						got.Add(index, 1<<20)
					}
				}
			}
			if diff := cmp.Diff(l.String(), got.String()); diff != "" {
				t.Errorf("%s, seed %d: %s", name, seed, diff)
			}
		}
	}
}

// TestPieces: a list that is longer than a word of a command line may be becomes several.
func TestPieces(t *testing.T) {
	var all []string
	for i := range 5000 {
		all = append(all, fmt.Sprint(3*i))
	}
	list := strings.Join(all, ",")
	for _, most := range []int{5, 6, 100, len(list) - 1, len(list), len(list) + 1} {
		parts := pieces(list, most)
		for _, p := range parts {
			if len(p) > most || p == "" {
				t.Errorf("a part has %d bytes, and %d fit", len(p), most)
			}
		}
		if strings.Join(parts, ",") != list || most >= len(list) && len(parts) != 1 {
			t.Errorf("%d bytes: %d parts, which aren't the list", most, len(parts))
		}
	}
}

// TestRerunText: what is shown can be copied, or isn't there.
func TestRerunText(t *testing.T) {
	long := "sbatch --array=" + strings.Repeat("1,", 3000) + "1"
	for name, tt := range map[string]struct {
		lines []string
		want  string
	}{
		"none": {nil, ""},
		"wide": {[]string{"sbatch --array=" + strings.Repeat("1,", 90) + "1"}, "\nto run what is left again\n  sbatch --array=" + strings.Repeat("1,", 90) + "1 SCRIPT\n"},
		"long": {[]string{long}, "\nto run what is left again\n  … (1 lines in all, which --format json has in rerun)\n"},
		"many": {strings.Split(strings.Repeat("qsub -t 1\n", maxShown+5), "\n"), "\nto run what is left again\n" + strings.Repeat("  qsub -t 1 SCRIPT\n", maxShown) + fmt.Sprintf("  … (%d lines in all, which --format json has in rerun)\n", maxShown+6)},
	} {
		shown := newText(80, time.Time{})
		shown.rerun(&Report{Rerun: tt.lines})
		if diff := cmp.Diff(tt.want, shown.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
