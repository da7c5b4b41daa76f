package templates

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestJSON: each action is a value of its own kind, however it comes about.
func TestJSON(t *testing.T) {
	f := Fields{Index: 3, Task: &Task{ID: `a"b`, Payload: `{"n": 7, "s": "x", "o": {"p": [1]}}`, Receipt: "r\n"}, Statement: &Statement{Lease: 1.5, Reason: "why"}}
	for word, want := range map[string]string{
		`{"id": <<.TaskID>>, "r": <<.Receipt>>}`:                    `{"id": "a\"b", "r": "r\n"}`,
		`<<.Index>> <<.Task.n>> <<.Task.s>> <<.Task.o>> <<.Lease>>`: `3 7 "x" {"p":[1]} 1.5`,
		`<<.Task>>`: `"{\"n\": 7, \"s\": \"x\", \"o\": {\"p\": [1]}}"`,
		`<<toJson .TaskID>> <<.TaskID | toJson>> <<$x := 1>><<$x>>`:           `"a\"b" "a\"b" 1`,
		`<<if .Index>><<.TaskID>><<else>><<.Reason>><<end>>`:                  `"a\"b"`,
		`<<if not .Index>>x<<else if .Reason>><<.Reason>><<end>>`:             `"why"`,
		`[<<range $i, $s := split "," "a,b">><<if $i>>,<<end>><<$s>><<end>>]`: `["a","b"]`,
		`<<with .TaskID>><<.>><<end>>`:                                        `"a\"b"`,
		`<<printf "%s-%d" .TaskID .Index>>`:                                   `"a\"b-3"`,
		`{"x": 1}`:                                                            `{"x": 1}`,
		"":                                                                    "",
	} {
		tmpl, err := ParseJSON(word, "Lease", "Reason")
		if err != nil {
			t.Errorf("%s: %v", word, err)
			continue
		}
		got, err := tmpl.Expand(f, Sources{})
		if diff := cmp.Diff(want, got.Text); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", word, err, diff)
		}
	}
	for _, word := range []string{"<<.Dead>>", "<<.Nothing>>", "<<.Receipt.x>>", "<<"} {
		if _, err := ParseJSON(word, "Lease"); err == nil {
			t.Errorf("%s is no error", word)
		}
	}
	if _, err := Parse("<<.Receipt>>"); err == nil {
		t.Error("a command can name the receipt")
	}
}

// FuzzJSON: whatever a task is, its values stay in their places.
func FuzzJSON(f *testing.F) {
	for _, v := range []string{"", `"`, `\`, "</script>", "\x00\xff", "\u2028", `", "admin": true, "x": "`, "<<.Index>>"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value string) {
		tmpl, err := ParseJSON(`{"a": <<.TaskID>>, "b": [<<.Task>>, <<printf "%s" .Receipt>>]}`)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tmpl.Expand(Fields{Task: &Task{ID: value, Payload: value, Receipt: value}}, Sources{})
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		want, _ := json.Marshal(value) // what is no UTF-8 becomes the same there
		var doc, same any
		if err := json.Unmarshal([]byte(got.Text), &doc); err != nil {
			t.Fatalf("%q: %s: %v", value, got.Text, err)
		}
		if err := json.Unmarshal(want, &same); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(any(map[string]any{"a": same, "b": []any{same, same}}), doc); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
	})
}
