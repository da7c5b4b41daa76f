package templates

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBound: a bound word gives for each item what expanding it anew does, error and
// all.
func TestBound(t *testing.T) {
	env := map[string]string{"REGION": "eu", "TOKEN": "canary"}
	sources := Sources{ReadFile: os.ReadFile, LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
	for _, word := range []string{
		"plain", "<<.Item>>", "a<<.Item>>b<< .Item >>c", "<<$.Item>>", "<<.Item>>\x00", "<<if .Item>><<.Item>><<end>>", "<<.Index>>-<<add .Item 1>>", `<<pad 5 .Item>>/<<env "REGION">>`, `<<env "NONE" | default "x">><<.Item>>`,
		`<<secret "TOKEN">>:<<.Item>>`, "<<.Task.name>>", "<<.Task>> <<.Item>>", `<<required "odd" .Task.odd>>`, `<<file "/no/such/file">><<.Item>>`,
		"<<div 10 .Item>>", "<<.Shard.Len>>", "<<.Attempt>>", `<<volatile .Item>>`,
		"<<.Slot>>", "gpu<<.Slot>>:<<.Item>>\x01", `<<printf "%02d" .Slot>>`, "<<.Slot>><<.Task>>", `<<if eq .Slot 1>>x<<end>>`,
	} {
		tmpl, err := Parse(word)
		if err != nil {
			t.Fatal(err)
		}
		f := Fields{Index: 3, Attempt: 2, Shard: &Shard{Start: 0, End: 4}}
		bound, err := tmpl.Bind(f, sources)
		if err != nil {
			t.Fatal(err)
		}
		for item := range int64(4) {
			task := &Task{Payload: `{"name": "n` + string(rune('0'+item)) + `"` + []string{"", `, "odd": 1`}[item%2] + `}`}
			slot := (item + 1) % 2
			f.Item, f.Slot, f.Task = &item, &slot, task
			e, want := tmpl.Expand(f, sources)
			got, err := bound.Text(item, slot, task)
			if got != e.Text || (err == nil) != (want == nil) {
				t.Errorf("%s, item %d: %q %v, want %q %v", word, item, got, err, e.Text, want)
			}
			if err != nil {
				a, _ := errors.AsType[*Error](err)
				b, _ := errors.AsType[*Error](want)
				if a == nil || b == nil || a.Kind != b.Kind || a.Error() != b.Error() {
					t.Errorf("%s, item %d: %s", word, item, cmp.Diff(want.Error(), err.Error()))
				}
			}
		}
	}
	for word, kind := range map[string]Kind{"<<.Item>>": MissingForAll, "<<.Slot>>": MissingForAll, "<<.Item.x>>": Syntax} {
		tmpl, err := Parse(word)
		if err == nil {
			_, err = tmpl.Expand(Fields{}, sources)
		}
		if e, _ := errors.AsType[*Error](err); e == nil || e.Kind != kind {
			t.Errorf("%s without --each: %v", word, err)
		}
	}
	missing, err := Parse(`<<env "NONE">>`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := missing.Bind(Fields{}, sources); err == nil {
		t.Error("a word that no item can have is bound")
	}
}

func BenchmarkBound(b *testing.B) {
	tmpl, err := Parse("/data/img_<<pad 6 .Item>>.png")
	if err != nil {
		b.Fatal(err)
	}
	bound, err := tmpl.Bind(Fields{}, Sources{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range int64(b.N) {
		if _, err := bound.Text(i, 0, nil); err != nil {
			b.Fatal(err)
		}
	}
}
