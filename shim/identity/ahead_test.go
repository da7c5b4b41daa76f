package identity

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nth/shim/failure"
)

// TestForesee: each run is foreseen as it will be, and what it will refuse is refused.
func TestForesee(t *testing.T) {
	n := func(n int64) *int64 { return &n }
	for _, tt := range []struct {
		name string
		s    Settings
		want []string // index, number, platform; or the exit code
		code failure.Code
	}{
		{name: "nobody knows how many"},
		{name: "no platform", s: Settings{Completions: n(2)}, want: []string{"0 0 ", "1 1 "}},
		{name: "one from 1", s: Settings{Completions: n(2), Platform: "gitlab"}, want: []string{"0 1 gitlab", "1 2 gitlab"}},
		{name: "a variable", s: Settings{Completions: n(2), IndexEnv: "N", Platform: "gitlab"}, want: []string{"0 0 variable", "1 1 variable"}},
		{name: "a list", s: Settings{Indexes: "7,9-10", Completions: n(11)}, want: []string{"7 0 ", "9 1 ", "10 2 "}},
		{name: "before the first", s: Settings{Completions: n(2), IndexOffset: -1}, want: []string{"78", "0 1 "}},
		{name: "beyond the last", s: Settings{Completions: n(2), IndexOffset: 1}, want: []string{"1 0 ", "65"}},
		{name: "numbers of the user's", s: Settings{Completions: n(2), Platform: "slurm"}, want: []string{"0 0 slurm", "1 1 slurm"}},
		{name: "from 1", s: Settings{Completions: n(2), Platform: "slurm", IndexOffset: -1}, want: []string{"0 1 slurm", "1 2 slurm"}},
		{name: "a second array", s: Settings{Completions: n(2), Platform: "slurm", IndexOffset: 1000}, want: []string{"1000 0 slurm", "1001 1 slurm"}},
		{name: "0 is no array", s: Settings{Completions: n(2), Platform: "lsf"}, want: []string{"1 1 lsf", "2 2 lsf"}},

		{name: "no such platform", s: Settings{Completions: n(2), Platform: "nonsense", IndexOffset: -1}, code: failure.Usage},
		{name: "less than one", s: Settings{Completions: n(0)}, code: failure.Setup},
		{name: "a list and an offset", s: Settings{Indexes: "1", IndexOffset: 1}, code: failure.Setup},
		{name: "a list beyond the last", s: Settings{Indexes: "1-2", Completions: n(2)}, code: failure.Setup},
		{name: "no list", s: Settings{Indexes: "2,1"}, code: failure.Setup},
		{name: "a list where the user picks", s: Settings{Indexes: "1-2", Platform: "slurm"}, code: failure.Setup},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runs, err := Foresee(tt.s, "host")
			if tt.code != 0 || err != nil {
				if err == nil || failure.From(err).Code != tt.code {
					t.Errorf("%v, want code %d", err, tt.code)
				}
				return
			}
			var got []string
			for k := range runs.Len() {
				id, err := runs.At(k)
				if err != nil {
					got = append(got, fmt.Sprint(failure.From(err).Code))
				} else {
					got = append(got, fmt.Sprintf("%d %d %s", id.Index, id.RawIndex, id.Platform))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestForeseen: a run that is foreseen is the one that the platform's variable will make.
func TestForeseen(t *testing.T) {
	ten := int64(10)
	for _, p := range Platforms {
		s := Settings{Completions: &ten, Platform: p.Name, Job: "j", JobUID: "u"}
		runs, err := Foresee(s, "host")
		if err != nil {
			t.Fatal(err)
		}
		got, err := runs.At(3)
		if err != nil {
			t.Fatal(err)
		}
		env := map[string]string{p.Variable: fmt.Sprint(got.RawIndex), p.NamedBy: p.Variable}
		want, err := Resolve(s, func(name string) (string, bool) { value, ok := env[name]; return value, ok }, "host")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Identity{})); diff != "" {
			t.Errorf("%s: %s", p.Name, diff)
		}
	}
}
