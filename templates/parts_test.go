package templates

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const event = `{"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "a+b%2Fc"}}}, {"s3": null}, null],
	"a-b c": "odd", "Index": 9, "no": null, "empty": "", "zero": 0, "text": "{\"deep\": [1, {\"x\": \"y\"}]}", "": "nameless"}`

func partsTask() Fields {
	return Fields{Index: 5, Task: &Task{ID: "id-1", Payload: event, Meta: map[string]string{"group": "g", "a-b": "dashed"}}}
}

// TestParts: every field can be named, whatever its name, and wherever it is a part of.
func TestParts(t *testing.T) {
	for word, want := range map[string]string{
		`<<field "a-b c">>`:   "odd",
		`<<"a-b c" | field>>`: "odd",
		`<<field "">>`:        "nameless",
		`<<field "name" (field "bucket" (index .Task.Records 0).s3)>>`:                                        "b",
		`<<field "a-b" .Meta>> <<.Meta | field "group">> <<.Meta.group>>`:                                     "dashed g g",
		`<<with "x">><<field "a-b" $.Meta>><<$.Meta | field "group">><<end>>`:                                 "dashedg",
		`<<(index .Task.Records 0).s3.bucket.name>>`:                                                          "b",
		`<<index .Task.Records 0 "s3" "bucket" "name">>`:                                                      "b",
		`<<with index .Task.Records 0>><<.s3.bucket.name>><<$.Index>><<end>>`:                                 "b5",
		`<<with .Task>><<.>><<end>>`:                                                                          event,
		`<<with (index .Task.Records 0).s3>><<.bucket.name>><<end>>`:                                          "b",
		`<<with $r := index .Task.Records 0>><<$r.s3.bucket.name>><<end>>`:                                    "b",
		`<<range $i, $r := .Task.Records>><<if $r>><<with $r.s3>><<$i>><<.bucket.name>><<end>><<end>><<end>>`: "0b",
		`<<range .Task.Records>><<if .>><<if .s3>><<.s3.object.key | urldecode>><<end>><<end>><<end>>`:        "a b/c",
		`<<$o := fromJson .Task.text>><<range $o.deep>><<.>> <<end>>`:                                         `1 {"x":"y"} `,
		`<<(index (fromJson .Task.text).deep 1).x>>`:                                                          "y",
		`<<fromJson "[1, null, 12345678901234567890]">>`:                                                      "[1,null,12345678901234567890]",
		`<<(fromJson "{\"a\": 1}").a>> <<fromJson "\"x\"">>`:                                                  "1 x",
		`<<.Task.no | default "d">> <<default "d" .Task.other>> <<.Task.zero | default "d">>`:                 "d d 0",
		`<<default "d" .Task.other.deep.er>> <<default .Task.zero .Task.no>>`:                                 "d 0",
		`<<default "d" (index .Task.Records 1).s3.bucket>>`:                                                   "d",
		`<<default "d" (index .Task.Records 2)>>`:                                                             "d",
		`<<field "none" | default "d">> <<field "none" .Meta | default "m">> <<default "m" .Meta.none>>`:      "d m m",
		`<<if .Task.no>>y<<else>>n<<end>><<if .Task.other.x>>y<<else if .Task.empty>>y<<else>>n<<end>>`:       "nn",
		`<<if and .Task.zero (not .Task.no)>>y<<end>><<if or .Task.no .Task.zero>>y<<end>>`:                   "yy",
		`<<if .Task.no | not>>y<<end>><<with .Task.other>>y<<else>>n<<end>>`:                                  "yn",
		`<<if and .Task.no (eq .Task.no "x")>>y<<else>>n<<end>>`:                                              "n",
		`<<required "why" .Task.zero>>`:                                                                       "0",
		`<<with .Task.text | fromJson>><<.deep>><<end>>`:                                                      `[1,{"x":"y"}]`,
		`<<$x := .Task.Records>><<with "v">><<(index $x 0).s3.bucket.name>><<end>>`:                           "b",
		`<<toJson (index .Task.Records 1)>> <<toJson .Task.Records | len>>`:                                   `{} 67`,
		`<<urldecode (urlquery "ü /+%")>>`:                                                                    "ü /+%",
	} {
		got, err := expand(word, partsTask())
		if diff := cmp.Diff(want, got.Text); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", word, err, diff)
		}
	}
}

// TestNoParts: what isn't there is told with what is, and never becomes a word.
func TestNoParts(t *testing.T) {
	row := Fields{Task: &Task{Payload: `{"id":"1","my name":"x"}`, Columns: []string{"id", "my name"}}}
	for _, tt := range []struct {
		word   string
		fields Fields
		kind   Kind
		says   string
	}{
		{`<<.Task.other>>`, partsTask(), BadForItem, `there is no field "other", or it is null; there are "", "Index", "Records", "a-b c", "empty", "text", "zero"`},
		{`<<(index .Task.Records 0).s3.x>>`, partsTask(), BadForItem, `"x", or it is null; there are "bucket", "object"`},
		{`<<.Meta.other>>`, partsTask(), BadForItem, `there are "a-b", "group"`},
		{`<<(index .Task.Records 2).x>>`, partsTask(), BadForItem, "null"},
		{`<<index .Task.Records 2>>`, partsTask(), BadForItem, "null"},
		{`<<index .Task.Records 0 "none">>`, partsTask(), BadForItem, `"none"`},
		{`<<index .Task.Records 3>>`, partsTask(), BadForItem, "out of range: 3 of 3"},
		{`<<index .Index 0>>`, partsTask(), BadForItem, "lists and objects"},
		{`<<field "x" .Task>>`, partsTask(), BadForItem, `"x" of what is no object`},
		{`<<default "d" .Task.text.x>>`, partsTask(), BadForItem, `"x" of what is no object`},
		{`<<required "say why" .Task.other>>`, partsTask(), BadForItem, "say why"},
		{`<<.Task.other | required "say why">>`, partsTask(), BadForItem, "say why"},
		{`<<required "say why" (index .Task.Records 2)>>`, partsTask(), BadForItem, "say why"},
		{`<<.Task.other | lower | default "x">>`, partsTask(), BadForItem, `"other"`},
		{`<<if eq .Task.other "x">>y<<end>>`, partsTask(), BadForItem, `"other"`},
		{`<<range .Task.other>>y<<end>>`, partsTask(), BadForItem, `"other"`},
		{`<<with index .Task.Records 0>><<.Index>><<end>>`, partsTask(), BadForItem, `"Index"`},
		{`<<fromJson "{">>`, partsTask(), BadForItem, "no JSON"},
		{`<<fromJson "1 2">>`, partsTask(), BadForItem, "behind the JSON"},
		{`<<urldecode "100%">>`, partsTask(), BadForItem, "%25"},
		{`<<field "x">>`, Fields{}, MissingForAll, "--tasks"},
		{`<<default "d" .Task.x>>`, Fields{}, MissingForAll, "--tasks"},
		// The header is that of all indexes.
		{`<<.Task.nmae>>`, row, Syntax, `the file has no column "nmae"; it has "id", "my name"`},
		{`<<field "my-name">>`, row, Syntax, `it has "id", "my name"`},
		{`<<required "say why" .Task.nmae>>`, row, Syntax, "say why"},
		{`<<.Task.id.x>>`, row, BadForItem, `"x" of what is no object`},
		// None of these depends on a task.
		{`<<.Meta>>`, partsTask(), Syntax, `write .Meta.name, or field "any name" .Meta`},
		{`<<default "x" .Meta>>`, partsTask(), Syntax, `field "any name" .Meta`},
		{`<<.Shard>>`, partsTask(), Syntax, ".Shard.Start, .Shard.End and .Shard.Len"},
		{`<<with .Task.text>><<with $.Job>><<.x>><<end>><<end>>`, partsTask(), Syntax, "$.x"},
		{`<<(lower .Task.text).x>>`, partsTask(), Syntax, "a value has no fields"},
		{`<<$.MetaParts>>`, partsTask(), Syntax, "no field"},
		{`<<field_or_none "x">>`, partsTask(), Syntax, "field_or_none"},
	} {
		_, err := expand(tt.word, tt.fields)
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != tt.kind || !strings.Contains(e.Error(), tt.says) || strings.Contains(e.Error(), "_or_") && !strings.Contains(tt.word, "_or_") {
			t.Errorf("%s: %v, want %q", tt.word, err, tt.says)
		}
	}
	if got, err := expand(`<<default "d" .Task.nmae>><<if .Task.nmae>>x<<end>>`, row); got.Text != "d" || err != nil {
		t.Errorf("a column that may be missing: %q, %v", got.Text, err)
	}
	many := map[string]int{}
	for i := range 100 {
		many[strings.Repeat("k", 100)+string(rune('a'+i%26))+strings.Repeat("k", i)] = i
	}
	payload, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := expand("<<.Task.x>>", Fields{Task: &Task{Payload: string(payload)}}); err == nil || len(err.Error()) > 2000 || !strings.HasSuffix(err.Error(), "…") {
		t.Errorf("a message that can't be read: %v", err)
	}
}

// TestUsesTask: whoever asks for a field of the task needs one.
func TestUsesTask(t *testing.T) {
	for word, want := range map[string]bool{`<<field "x">>`: true, `<<"x" | field>>`: true, `<<field "x" (fromJson "{}")>>`: false, `<<fromJson "{}" | field "x">>`: false,
		`<<field "x" .Meta>>`: true, `<<.Meta | field "x">>`: true, `<<(fromJson (env "X")).a>>`: false, `<<if false>><<.Task.x>><<end>>`: true} {
		tmpl, err := Parse(word)
		if err != nil || tmpl.UsesTask() != want {
			t.Errorf("%s: not %v, %v", word, want, err)
		}
	}
}
