package templates

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
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

// corners are words that a generator seldom writes.
var corners = []string{
	`<<slice (slice (split "," "a,b,c") 0 1) 0 3>>`, `<<slice (slice (split "," "a,b,c") 0 1 1) 0 3>>`, `<<slice "abc" 0 4>>`, `<<slice "abc" 2 1>>`, `<<slice "abc" 0 1 2>>`, `<<slice nil 1>>`, `<<slice "abc" nil>>`,
	`<<slice (split "," "a,b,c") 1 2 1>>`, `<<slice (split "," "a,b,c") 0 1 2 3>>`, `<<slice 3 1>>`, `<<len (slice (fromJson "[1,2,3]") 0 4)>>`, `<<range slice (fromJson "[1,2,3]") 0 4>>[<<.>>]<<end>>`,
	`<<eq nil nil>>`, `<<eq nil 1>>`, `<<ne nil "">>`, `<<eq (split "," "a") nil>>`, `<<eq (split "," "a") (split "," "a")>>`, `<<eq (fromJson "{}") (fromJson "[]")>>`, `<<eq 1>>`, `<<eq 1 2 1 "x">>`, `<<eq 1 2 "x" 1>>`, `<<eq 1 1.0>>`,
	`<<eq 97 (index "a" 0)>>`, `<<lt (index "a" 0) 98>>`, `<<lt -1 (index "a" 0)>>`, `<<eq (fromJson "1") "1">>`, `<<eq (fromJson "null") "">>`, `<<lt true false>>`, `<<lt 1i 2i>>`, `<<lt nil 1>>`, `<<eq 1i 1i>>`,
	`<<lt 1 1>> <<le 1 1>> <<gt 1 1>> <<ge 1 1>>`, `<<lt 1 2>> <<le 1 2>> <<gt 1 2>> <<ge 1 2>>`, `<<lt "b" "a">> <<le "b" "a">> <<gt "b" "a">> <<ge "b" "a">>`, `<<le 1.5 1.5>> <<le 1 "1">>`,
	`<<eq 'e' 101>><<range 'p'>><<break>><<end>>`, `<<'e'>> <<'p'>> <<'.'>> <<0xE>> <<0x1p-2>> <<1e3>> <<1_000>> <<0b11>> <<0o17>> <<017>> <<.5>> <<1.>> <<-0>> <<+3>> <<1e3i>>`, `<<9223372036854775808>>`, `<<print 18446744073709551615>>`,
	`<<lower nil>>`, `<<nil | lower>>`, `<<nil>>`, `<<print nil>>`, `<<html nil>>`, `<<default nil "" | lower>>`, `<<default nil "">>`, `<<lower (fromJson "1")>>`, `<<lower (fromJson "null")>>`, `<<fromJson "1" | lower>>`, `<<lower true>>`, `<<lower 1>>`,
	`<<html "\x00<>&'\"" | len>>`, `<<js "\x00\u2028é\xff\\'\"<>&=\x7f"| len>>`, `<<js "é\u200b">>`, `<<urlquery "é &=" 1 nil>>`, `<<html 1 "a" "b" 2>>`, `<<println "a" 1 nil>>`,
	`<<1 | 2>>`, `<<"a" | .Index>>`, `<<.Index 1>>`, `<<$x := 1>><<$x 2>>`, `<<(1) 2>>`, `<<1 | (2)>>`, `<<true 1>>`, `<<len nil>>`, `<<len 1>>`, `<<not nil>> <<not 1 | not>>`, `<<not>>`, `<<not 1 2>>`,
	`<<and>>`, `<<and nil>>`, `<<nil | and 1>>`, `<<or 0 "" nil>>`, `<<and 1 (index (split "," "") 5)>>`, `<<or 1 (index (split "," "") 5)>>`, `<<"x" | or 0>>`, `<<.Task.nope | or "x">>`,
	`<<if $x := 0>>a<<else if $y := 5>><<$x>><<$y>><<end>>`, `<<with $x := 5>><<$x = 6>><<$x>><<.>><<end>>`, `<<$x := 1>><<if true>><<$x := 2>><<end>><<$x>>`, `<<$x := 1>><<range 3>><<$x = add $x .>><<$x := 9>><<end>><<$x>>`,
	`<<range $i, $e := split "," "a,b">><<if $i>><<break>><<end>><<$e>><<else>>none<<end>>`, `<<range 5>><<if eq . 1>><<continue>><<end>><<.>><<if eq . 3>><<break>><<end>><<end>>`, `<<range 0>>x<<else>>none<<end>>`, `<<range nil>>x<<else>>none<<end>>`,
	`<<range $i, $e := 3>>x<<end>>`, `<<range -3>>x<<else>>none<<end>>`, `<<range 1.5>>x<<end>>`, `<<range "ab">>x<<end>>`, `<<range true>>x<<end>>`, `<<range index "ab" 0>>x<<end>>`, `<<range fromJson "3">>x<<end>>`, `<<range fromJson "{\"b\":1,\"a\":[]}">><<.>>,<<end>>`,
	`<<range $k, $v := fromJson "{\"b\":1,\"a\":[]}">><<$k>>=<<$v>>,<<end>>`, `<<range $e := split "," "a,b">><<range $e := split "" "xy">><<$e>><<end>><<$e>><<end>>`, `<<range $i, $e := nil>><<else>><<$i>><<$e>><<end>>`,
	`<<$a := 1>><<range $a = split "," "a,b">><<$a>><<end>><<$a>>`, `<<$a := 1>><<$b := 2>><<range $a, $b = split "," "a,b">><<end>><<$a>><<$b>>`, `<<if $a := 1>><<end>><<$a = 2>>`, `<<range $a, $a = split "," "a,b">><<$a>><<end>>`,
	`<<printf>>`, `<<sub 1 2 3>>`, `<<index>>`, `<<pad 1>>`, `<<1 | pad 3>>`, `<<"b" | trimSuffix>>`, `<<"b" | trimSuffix 1>>`, `<<printf 1>>`, `<<printf nil>>`, `<<"%d" | printf>>`, `<<field>>`, `<<println>>|<<print>>|<<html>>`,
	`<<.Shard.Start 1>>`, `<<.Shard.Len 1>>`, `<<.Shard.Len>>-<<$.Shard.End>>`, `<<add>>`, `<<print (print)>>`, `<<print print>>`, `<<len (print html)>>`, `<<.Task.c 1>>`,
}

// TestEvaluate: every word of the tests here is as text/template has it.
func TestEvaluate(t *testing.T) {
	all, looked := slices.Concat(words(t), corners), 0
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
