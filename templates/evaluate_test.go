package templates

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// sameAsReference evaluates a word as nth does and as text/template does, in all the ways in
// which a word is: the text or the error must be the same, and what was read on the way.
func sameAsReference(t *testing.T, tmpl *Template, f Fields, s Sources) {
	t.Helper()
	for _, way := range []execution{{}, {named: true}, {named: true, stable: true}} {
		way.fields, way.sources = f, s
		if way.stable {
			way.fields = stableFields(f)
		}
		ours, theirs := way, way
		got, err := ours.text(tmpl.tree)
		want, wantErr := reference(&theirs, tmpl.tree)
		if got != want || said(err) != said(wantErr) {
			t.Fatalf("%s\nis  %q, %v\nnot %q, %v", tmpl.word, got, err, want, wantErr)
		}
		if len(ours.secrets) != len(theirs.secrets) || len(ours.values) != len(theirs.values) {
			t.Errorf("%s: %d secrets and %d values, and not %d and %d", tmpl.word, len(ours.secrets), len(ours.values), len(theirs.secrets), len(theirs.values))
		}
	}
}

// said gives an error with its kind, without the place that text/template puts before it.
func said(err error) string {
	if err == nil {
		return ""
	}
	text := theirPlace.ReplaceAllString(err.Error(), "")
	for _, o := range otherwise {
		text = o.theirs.ReplaceAllString(text, o.ours)
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return strconv.Itoa(int(own.Kind)) + own.Hint + text
	}
	return text
}

var theirPlace = regexp.MustCompile(`^template: word:\d+:\d+: executing "word" `)

// otherwise are the messages that nth has others for.
var otherwise = []struct {
	theirs *regexp.Regexp
	ours   string
}{
	// Its own panic, of what has no length.
	{regexp.MustCompile(`reflect: call of reflect.Value.Type on zero Value|len of nil pointer`), "len of type <nil>"},
	// It doesn't say of what type an element of a list is.
	{regexp.MustCompile(`(index slice/array with type) .*`), "$1"},
	// Two messages for one thing.
	{regexp.MustCompile(`non-comparable type.*`), "non-comparable"},
	{regexp.MustCompile(`(Start|End) has arguments but cannot be invoked as function|wrong number of args for (Start|End).*`), "too many"},
}

// words are all that stand in this package's tests as texts with an action.
func words(t testing.TB) (list []string) {
	t.Helper()
	quoted := regexp.MustCompile("\"(?:[^\"\\\\\n]|\\\\.)*<<(?:[^\"\\\\\n]|\\\\.)*\"|`[^`]*<<[^`]*`")
	files, err := fs.Glob(os.DirFS("."), "*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			for _, literal := range quoted.FindAllString(lines.Text(), -1) {
				if word, err := strconv.Unquote(literal); err == nil {
					list = append(list, word)
				}
			}
		}
	}
	return list
}

// TestEvaluate: every word of the tests here is as text/template has it.
func TestEvaluate(t *testing.T) {
	all, looked := words(t), 0
	for _, word := range all {
		for _, parse := range []func(string) (*Template, error){Parse, ParsePlace, func(w string) (*Template, error) { return ParseJSON(w, "Lease", "Reason") }} {
			tmpl, err := parse(word)
			if err != nil || tmpl.tree == nil {
				continue
			}
			looked++
			for _, f := range []Fields{hostileFields(1), hostileFields(2), hostileFields(3)} {
				sameAsReference(t, tmpl, f, testSources())
			}
		}
	}
	if looked < 400 {
		t.Errorf("only %d words of %d were looked at", looked, len(all))
	}
}
