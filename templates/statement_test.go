package templates

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// split gives a word's texts and the values between them.
func split(word string, more ...string) (texts, values []string, err error) {
	texts, actions, err := Split(word, more...)
	if err != nil {
		return nil, nil, err
	}
	f := testFields()
	f.Statement = &Statement{Lease: 90.5, Delay: 1, MaxAttempts: 3, Reason: "it's", Dead: true, Retry: true}
	f.Task = &Task{ID: "7", Payload: `{"n": 1}`, Meta: map[string]string{"kind": "x"}}
	for _, a := range actions {
		e, err := a.Expand(f, testSources())
		if err != nil {
			return nil, nil, err
		}
		values = append(values, e.Text)
	}
	return texts, values, nil
}

var everyField = []string{"Lease", "Delay", "MaxAttempts", "Reason", "Dead", "Release", "Retry"}

// TestSplit: values are apart from the text, each with all that a template can do.
func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		word          string
		texts, values []string
	}{
		{"", []string{""}, nil},
		{"SELECT 1", []string{"SELECT 1"}, nil},
		{"<<.Index>>", []string{"", ""}, []string{"5"}},
		{"a <<.Index>><<.Job>> b", []string{"a ", "", " b"}, []string{"5", "resize"}},
		{`1 <<"<<">> <<.Index>> >> 2`, []string{"1 << ", " >> 2"}, []string{"5"}},
		{"a <<- .Index ->> b", []string{"a", "b"}, []string{"5"}},
		{"a<</* why */>>b", []string{"ab"}, nil},
		{`<<env "NOPE" | default (add .Index 1)>>`, []string{"", ""}, []string{"6"}},
		{`<<(split "," "a,b") | join "-">> <<printf "%q" "}}>>">> <<'a'>> <<true>>`, []string{"", " ", " ", " ", ""}, []string{"a-b", `"}}>>"`, "97", "true"}},
		{"<<.TaskID>> <<.Task.n>> <<.Meta.kind>> <<$.Attempt>>", []string{"", " ", " ", " ", ""}, []string{"7", "1", "x", "2"}},
		{"<<.Lease>> <<.Delay>> <<.MaxAttempts>> <<.Reason>> <<.Dead>> <<.Release>> <<$.Retry>>", []string{"", " ", " ", " ", " ", " ", " ", ""},
			[]string{"90.5", "1", "3", "it's", "true", "false", "true"}},
	} {
		texts, values, err := split(tt.word, everyField...)
		if diff := cmp.Diff([][]string{tt.texts, tt.values}, [][]string{texts, values}); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.word, err, diff)
		}
	}
	for word, says := range map[string]string{
		"a <<": "unclosed", "<<if .Dead>>a<<end>>": "each << >> is one value", "<<with .Job>>a<<end>>": "each << >> is one value", "<<$x := .Job>>": "each << >> is one value",
		`<<range split "," "a">>a<<end>>`: "each << >> is one value", `<<define "x">><<end>>a`: "define", `a<<template "x">>`: "each << >> is one value",
		"<<.Delay>>": "the fields are .Index", "<<.Delay.X>>": "no field .Delay.X", "<<.Nope>>": ".Meta .Lease .Retry", "<<.>>": "alone", "<<break>>": "break",
	} {
		_, _, err := Split(word, "Lease", "Retry")
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Syntax || !strings.Contains(e.Error(), says) {
			t.Errorf("%s: %v, want %q", word, err, says)
		}
	}
	if _, err := Parse("<<.Lease>>"); err == nil {
		t.Error("a command may name what a statement has")
	}
}

// FuzzSplit: what Split takes apart is, put together again, what the word is as a whole.
func FuzzSplit(f *testing.F) {
	for _, word := range []string{"a <<.Index>> b", `<<"<<">> <<- .Job ->> c`, "<<printf `%s` .Task.n>>", "<<(index (split \",\" \"a,b\") 1)>>", "<<1.5e3 | printf \"%v\">>", "<<.Task.a.b>>"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if strings.Contains(word, "\x00") {
			t.Skip() // no argument can hold it
		}
		texts, values, err := split(word)
		if err != nil {
			return
		}
		whole := texts[0]
		for i, v := range values {
			whole += v + texts[i+1]
		}
		f := testFields()
		f.Task = &Task{ID: "7", Payload: `{"n": 1}`, Meta: map[string]string{"kind": "x"}}
		one, err := Parse(word)
		if err != nil {
			t.Fatalf("%q is a statement and no word: %v", word, err)
		}
		e, err := one.Expand(f, testSources())
		if err != nil || e.Text != whole {
			t.Errorf("%q gives %q (%v), apart %q", word, e.Text, err, whole)
		}
	})
}
