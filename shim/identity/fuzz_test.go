package identity

import (
	"slices"
	"strings"
	"testing"

	"nth/shim/failure"
)

// FuzzIndex: any value of any row's variable, with any flags, is an index made of
// its digits alone, or a failure; and an nth inside has the same index.
func FuzzIndex(f *testing.F) {
	for _, s := range []string{"0", "5", "", "-1", "+1", "1.5", "0x1", " 7", "99999999999999999999", "9223372036854775807", "٣", "undefined"} {
		f.Add(uint8(0), s, "", "", int64(0), "")
		f.Add(uint8(14), s, "12", "", int64(-1), "")
		f.Add(uint8(15), s, "3", "3,7-9", int64(0), "2")
		f.Add(uint8(4), s, "3", "", int64(9223372036854775807), "")
	}
	f.Fuzz(func(t *testing.T, row uint8, value, aux, list string, offset int64, index string) {
		p := Platforms[int(row)%len(Platforms)]
		vars := env{p.Variable: value}.named(p)
		for _, name := range []string{p.Count, p.Last, p.Attempt, p.Job} {
			if name != "" && aux != "" {
				vars[name] = aux
			}
		}
		s := Settings{Indexes: list, IndexOffset: offset, IndexFailures: aux, IndexIgnoredFailures: value}
		from := value
		if index != "" {
			s.Index, from = &index, index
		}
		a, err := Resolve(s, vars.lookup, "job-"+aux)
		if err != nil {
			if f := failure.From(err); f.Code != failure.Setup && f.Code != failure.BadIndex || f.Hint == "" {
				t.Error(err)
			}
			return
		}
		if from == "" || strings.Trim(from, "0123456789") != "" {
			t.Errorf("%q became %d", from, a.Index)
		}
		if a.Index < 0 || a.RawIndex < 0 || a.Attempt < 1 {
			t.Errorf("%+v", a)
		}
		if a.Index == 1<<63-1 && p.Base > 0 {
			return // its successor is no index
		}
		var names []string
		inner := env{}
		for _, e := range a.Environment(vars.environ(), nil, "r") {
			name, value, _ := strings.Cut(e, "=")
			names, inner[name] = append(names, name), value
		}
		slices.Sort(names)
		if len(slices.Compact(names)) != len(inner) {
			t.Errorf("%q has one twice", names)
		}
		b, err := Resolve(Settings{}, inner.lookup, "")
		if err != nil || b.Index != a.Index {
			t.Errorf("inner index %d, outer %d: %v", b.Index, a.Index, err)
		}
	})
}
