package templates

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTask: what a payload's text and parts are, and what is no value.
func TestTask(t *testing.T) {
	object := `{"id": 12345678901234567890, "name": "a b", "deep": {"x": [1, "<two>"], "n": null}, "no": null, "yes": true, "empty": ""}`
	for _, c := range []struct {
		word, payload string
		want          string
		kind          Kind // of the error; want is in it
	}{
		{"<<.Task>>", "plain; $(text) <<.Index>>", "plain; $(text) <<.Index>>", 0},
		{"<<.Task>>", object, object, 0},
		{"<<.TaskID>>/<<.Meta.group>>", "x", "id-1/g", 0},
		{"<<.Task.id>>", object, "12345678901234567890", 0},
		{"-<<.Task.name>>-<<$.Task.name>>-", object, "-a b-a b-", 0},
		{"<<.Task.deep.x>>", object, `[1,"<two>"]`, 0},
		{"<<.Task.deep>>", object, `{"x":[1,"<two>"]}`, 0},
		{"<<index .Task.deep.x 1>>", object, "<two>", 0},
		{"<<if .Task.yes>>y<<end>><<.Task.empty>>", object, "y", 0},
		{"<<.Task.no>>", object, `"no"`, BadForItem},
		{"<<.Task.deep.n>>", object, `"n"`, BadForItem},
		{"<<.Task.other>>", object, `"other"`, BadForItem},
		{"<<.Task.name.x>>", object, "", BadForItem},
		{"<<.Task.name>>", "[1]", "no JSON object", BadForItem},
		{"<<.Task.name>>", `{"name": "x"} {}`, "no JSON object", BadForItem},
		{"<<.Task.name>>", `{"name": `, "no JSON object", BadForItem},
		{"<<.Task.name>>", "null", "no JSON object", BadForItem},
		{"<<.Meta.other>>", "x", `"other"`, BadForItem},
		{"<<.Task>>", "a\x00b", "NUL", BadForItem},
	} {
		tmpl, err := Parse(c.word)
		if err != nil {
			t.Errorf("%s: %v", c.word, err)
			continue
		}
		if !tmpl.UsesTask() || tmpl.UsesIndex() {
			t.Errorf("%s: uses a task %v, the index %v", c.word, tmpl.UsesTask(), tmpl.UsesIndex())
		}
		got, err := tmpl.Expand(Fields{Task: &Task{ID: "id-1", Payload: c.payload, Meta: map[string]string{"group": "g"}}}, Sources{})
		if c.kind != 0 {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind != c.kind || !strings.Contains(e.Error(), c.want) {
				t.Errorf("%s of %s: %v, want %q", c.word, c.payload, err, c.want)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got.Text); diff != "" || err != nil {
			t.Errorf("%s of %s: %v (-want +got):\n%s", c.word, c.payload, err, diff)
		}
	}
	for word, says := range map[string]string{"<<.TaskID.x>>": "no field", "<<.Meta>>": "no field", "<<.Meta.a.b>>": "no field", "<<.TaskParts>>": "no field", "<<.TaskParts.x>>": "no field"} {
		if _, err := Parse(word); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", word, err)
		}
	}
	tmpl, err := Parse("<<.Task>>")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tmpl.Expand(Fields{}, Sources{}); err == nil || !strings.Contains(err.Error(), "--tasks") {
		t.Errorf("without a queue: %v", err)
	}
}

// TestStableTask: who took a task is chance, and no part of what it is; a row's index is
// what it is.
func TestStableTask(t *testing.T) {
	tmpl, err := Parse("<<.Index>> <<.TaskID>>")
	if err != nil {
		t.Fatal(err)
	}
	for kind, stable := range map[ItemKind]string{TaskItem: "0 x", RowItem: "7 x", FetchedItem: "7 x", ShardRowItem: "7 x"} {
		got, err := tmpl.Expand(Fields{Index: 7, Kind: kind, Task: &Task{ID: "x"}}, Sources{})
		if diff := cmp.Diff(Expansion{Text: "7 x", Stable: stable}, got); diff != "" || err != nil {
			t.Errorf("%v: %v (-want +got):\n%s", kind, err, diff)
		}
	}
}

// TestShard: the parts cover all items, none twice, and are alike in size.
func TestShard(t *testing.T) {
	for _, c := range []struct{ items, completions int64 }{{1, 1}, {10, 3}, {3, 10}, {1_000_000, 7}, {9_000_000_000_000_000_000, 1_000_000}} {
		next := int64(0)
		for i := range c.completions {
			s := ShardOf(c.items, i, c.completions)
			if s.Start != next || s.Len() < c.items/c.completions || s.Len() > c.items/c.completions+1 {
				t.Fatalf("%d items, index %d of %d: %+v after %d", c.items, i, c.completions, s, next)
			}
			next = s.End
		}
		if next != c.items {
			t.Errorf("%d items in %d parts end at %d", c.items, c.completions, next)
		}
	}
	tmpl, err := Parse("<<.Shard.Start>>-<<sub .Shard.End 1>> (<<.Shard.Len>>)")
	if err != nil {
		t.Fatal(err)
	}
	got, err := tmpl.Expand(Fields{Shard: &Shard{Start: 4, End: 7}}, Sources{})
	if got.Text != "4-6 (3)" || err != nil || !tmpl.UsesIndex() {
		t.Errorf("%q, %v", got.Text, err)
	}
	if _, err := tmpl.Expand(Fields{}, Sources{}); err == nil || !strings.Contains(err.Error(), "--items") {
		t.Errorf("without items: %v", err)
	}
	for _, word := range []string{"<<.Shard>>", "<<.Shard.x>>", "<<.Shard.Start.x>>"} {
		if _, err := Parse(word); err == nil {
			t.Errorf("%s is parsed", word)
		}
	}
}
