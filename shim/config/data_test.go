package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPairs: a URL has = in its parameters and a path may have some, and an action may have
// any in it.
func TestPairs(t *testing.T) {
	input, output, kept := ParseInput, ParseOutput, ParseKept
	for _, tt := range []struct {
		parse     func(string) (Pair, error)
		text      string
		url, path string // "": it is refused
	}{
		{input, "s3://b/in?region=r=/work/in", "s3://b/in?region=r", "/work/in"},
		{input, "s3://b/a=b=/work/in", "s3://b/a=b", "/work/in"},
		{input, `<<$u := .Task.url>><<$u>>=/work/<<printf "a=%d" .Index>>`, `<<$u := .Task.url>><<$u>>`, `/work/<<printf "a=%d" .Index>>`},
		{input, `s3://b/<<">>=">>=x`, `s3://b/<<">>=">>`, "x"},
		{input, "s3://b/<<`\\`>>=x", "s3://b/<<`\\`>>", "x"},
		{input, `s3://b/<<"\">>=">>=x`, `s3://b/<<"\">>=">>`, "x"},
		{input, "s3://b/x=<<.Index", "s3://b/x", "<<.Index"},
		{input, "file:///in/=in/", "file:///in/", "in/"},
		{input, "s3://b/in?region=eu-central-1", "", ""}, // no path
		{input, "s3://b/in?anonymous=true&region=eu-central-1", "", ""},
		{input, "s3://b/in", "", ""},
		{input, "s3://b/in=", "", ""},
		{input, "=/work/in", "", ""},
		{input, "", "", ""},
		{input, "<<", "", ""},
		{input, "/work/in=s3://b/in", "", ""}, // the wrong way round
		{output, "/work/out=s3://b/out?region=r", "s3://b/out?region=r", "/work/out"},
		{output, "<<printf \"a=%d\" .Index>>=<<.Task.url>>", "<<.Task.url>>", "<<printf \"a=%d\" .Index>>"},
		{output, "out/=s3://b/out/", "s3://b/out/", "out/"},
		{output, "out", "", ""},
		{output, "=s3://b/out", "", ""},
		{output, "out=", "", ""},
		{output, "s3://b/out=/work/out", "", ""},
		{kept, "s3://b/failed?region=r", "s3://b/failed?region=r", ""},
		{kept, "s3://b/a=b?endpoint=http://h", "s3://b/a=b?endpoint=http://h", ""},
		{kept, `<<env "KEPT">>`, `<<env "KEPT">>`, ""},
		{kept, `<<env "A=B">>/x?region=r`, `<<env "A=B">>/x?region=r`, ""},
		{kept, "work/=s3://b/failed/<<.RunID>>/?region=r", "s3://b/failed/<<.RunID>>/?region=r", "work/"},
		{kept, "log_<<.Index>>=<<.Task.url>>", "<<.Task.url>>", "log_<<.Index>>"},
		{kept, "work/=failed/", "work/=failed/", ""}, // no URL, as will be told
		{kept, "=s3://b/x", "", ""},
	} {
		got, err := tt.parse(tt.text)
		want := Pair{URL: tt.url, Path: tt.path}
		if (err == nil) != (tt.url != "") {
			t.Errorf("%s: %v", tt.text, err)
		}
		if diff := cmp.Diff(want, got); err == nil && diff != "" {
			t.Errorf("%s: %s", tt.text, diff)
		}
	}
}

// FuzzPairs: what is taken apart is all of the text, and no more.
func FuzzPairs(f *testing.F) {
	for _, text := range []string{"a=b", "<<", `<<">>=">>=x`, "s3://b/a?x=y=z", "<<`=", "=", "<<'\\"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := ParseInput(text); err == nil && (p.URL+"="+p.Path != text || p.URL == "" || p.Path == "") {
			t.Errorf("%q became %q", text, p)
		}
		if p, err := ParseOutput(text); err == nil && (p.Path+"="+p.URL != text || p.URL == "" || p.Path == "") {
			t.Errorf("%q became %q", text, p)
		}
		if p, err := ParseKept(text); err == nil && (p.Path == "" && p.URL != text || p.Path != "" && p.Path+"="+p.URL != text) {
			t.Errorf("%q became %q", text, p)
		}
		if m := Literal(text); len(m) != len(text) || strings.Contains(m, "<<") {
			t.Errorf("%q is masked as %q", text, m)
		}
	})
}
