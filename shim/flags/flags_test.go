package flags

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
)

type target struct {
	Index    *string
	Offset   int64
	Verbose  bool
	Env      []string `sep:"\n"`
	LongName string
	JobUID   string   `name:"job-uid"`
	Yes      bool     `env:"-"`
	Rest     []string `kong:"-"`
}

func TestParse(t *testing.T) {
	nine := "9"
	for _, tt := range []struct {
		name string
		args []string
		want target
		rest []string
		code failure.Code
	}{
		{"no flags", []string{"echo", "--index", "7"}, target{}, []string{"echo", "--index", "7"}, 0},
		{"--", []string{"--index", "9", "--", "--", "x"}, target{Index: &nine}, []string{"--", "x"}, 0},
		{"first word that is no flag", []string{"--index=9", "echo", "--verbose"}, target{Index: &nine}, []string{"echo", "--verbose"}, 0},
		{"a value that begins with a dash", []string{"--offset", "-1", "x"}, target{Offset: -1}, []string{"x"}, 0},
		{"a value that is --", []string{"--long-name", "--", "x"}, target{LongName: "--"}, []string{"x"}, 0},
		{"a bool takes no value", []string{"--verbose", "true"}, target{Verbose: true}, []string{"true"}, 0},
		{"repeated, with commas and backslashes", []string{"--env", `A=a,b\c`, "--env", "B=c"}, target{Env: []string{`A=a,b\c`, "B=c"}}, nil, 0},
		{"a lone dash is a word", []string{"-", "x"}, target{}, []string{"-", "x"}, 0},
		{"an empty word", []string{"", "x"}, target{}, []string{"", "x"}, 0},
		{"unknown", []string{"--nope", "x"}, target{}, nil, failure.Usage},
		{"unknown short", []string{"-x"}, target{}, nil, failure.Usage},
		{"no value", []string{"--index"}, target{}, nil, failure.Usage},
		{"not a number", []string{"--offset", "many", "x"}, target{}, nil, failure.Usage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got target
			_, rest, err := Parse(Spec{Name: "test"}, &got, tt.args)
			if tt.code != 0 {
				if err == nil || failure.From(err).Code != tt.code {
					t.Fatalf("error %v, want code %d", err, tt.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.rest, rest); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBare: a flag that may stand alone takes a value only behind =, whoever reads it, and is
// handed on with the one that it has.
func TestBare(t *testing.T) {
	type lucky struct {
		Luck  string `bare:"random"`
		Level string `default:"info" enum:"info,warn"`
	}
	for _, tt := range []struct {
		args, own, rest []string
		want            string
	}{
		{nil, nil, nil, ""},
		{[]string{"--luck", "7"}, []string{"--luck=random"}, []string{"7"}, "random"},
		{[]string{"--luck=7", "x"}, []string{"--luck=7"}, []string{"x"}, "7"},
		{[]string{"--luck", "--level", "warn", "--", "--luck"}, []string{"--luck=random", "--level=warn"}, []string{"--luck"}, "random"},
	} {
		var without, got lucky
		own, rest, ok := direct(&without, tt.args)
		if !ok || without.Luck != tt.want || !cmp.Equal(tt.own, own) || !cmp.Equal(tt.rest, rest) {
			t.Errorf("%q: %v, %+v, %q, %q", tt.args, ok, without, own, rest)
		}
		parser := parserOf(t, &got)
		own, rest, err := split(parser.Model.Flags, tt.args)
		if err == nil {
			err = read(parser, own)
		}
		if err != nil || got.Luck != tt.want || !cmp.Equal(tt.own, own) || !cmp.Equal(tt.rest, rest) {
			t.Errorf("%q by kong: %v, %+v, %q, %q", tt.args, err, got, own, rest)
		}
	}
}

func TestParseEnvironment(t *testing.T) {
	t.Setenv("NTH_ENV", "A=1,2\nB=3")
	t.Setenv("NTH_JOB_UID", "u")
	t.Setenv("NTH_YES", "true")
	t.Setenv("NTH_LONG_NAME", "from the variable")
	var got target
	if _, _, err := Parse(Spec{Name: "test"}, &got, []string{"--long-name", "from the flag", "x"}); err != nil {
		t.Fatal(err)
	}
	want := target{Env: []string{"A=1,2", "B=3"}, JobUID: "u", LongName: "from the flag"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestVariables holds the cheap derivation of the names against kong's own.
func TestVariables(t *testing.T) {
	rows, err := Reference(&target{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, r := range rows {
		if r.Env != "" {
			want[r.Env] = true
		}
	}
	if diff := cmp.Diff(want, Variables(target{})); diff != "" {
		t.Error(diff)
	}
}
