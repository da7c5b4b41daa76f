package flags

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGiven: the variables that Given names say what the flags said.
func TestGiven(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		env  map[string]string
		want []Setting
	}{
		{name: "nothing"},
		{name: "in the struct's order, whatever theirs", args: []string{"--job-uid", "u", "--level=warn", "--offset", "-1"}, want: []Setting{
			{Flag: "--level", Variable: "NTH_LEVEL", Value: "warn"}, {Flag: "--offset", Variable: "NTH_OFFSET", Value: "-1"}, {Flag: "--job-uid", Variable: "NTH_JOB_UID", Value: "u"}}},
		{name: "the last one counts", args: []string{"--level", "warn", "--level", "info"}, want: []Setting{{Flag: "--level", Variable: "NTH_LEVEL", Value: "info"}}},
		{name: "a bool", args: []string{"--verbose"}, want: []Setting{{Flag: "--verbose", Variable: "NTH_VERBOSE", Value: "true"}}},
		{name: "a bool that says no", args: []string{"--verbose=false"}, want: []Setting{{Flag: "--verbose", Variable: "NTH_VERBOSE", Value: "false"}}},
		{name: "lists, each with its separator", args: []string{"--env", "A=1,2", "--codes", "1,2", "--env", "B= 3=4", "--codes=3"}, want: []Setting{
			{Flag: "--codes", Variable: "NTH_CODES", Value: "1,2,3"}, {Flag: "--env", Variable: "NTH_ENV", Value: "A=1,2\nB= 3=4"}}},
		{name: "a backslash before the next", args: []string{"--env", `A=C:\`, "--env", "B=1"}, want: []Setting{{Flag: "--env", Variable: "NTH_ENV", Value: "A=C:\\\nB=1"}}},
		{name: "a line break in a value", args: []string{"--env", "A=1\nB=2"}, want: []Setting{
			{Flag: "--env", Variable: "NTH_ENV", Value: "A=1\nB=2", Words: []string{"--env=A=1\nB=2"}}}},
		{name: "a return at a value's end", args: []string{"--env", "A=1\r"}, want: []Setting{{Flag: "--env", Variable: "NTH_ENV", Value: "A=1\r", Words: []string{"--env=A=1\r"}}}},
		{name: "a comma at a value's end", args: []string{"--codes", "1,", "--codes", "2"}, want: []Setting{
			{Flag: "--codes", Variable: "NTH_CODES", Value: "1,,2", Words: []string{"--codes=1,", "--codes=2"}}}},
		{name: "a comma, and no list", args: []string{"--job-uid", "u,"}, want: []Setting{{Flag: "--job-uid", Variable: "NTH_JOB_UID", Value: "u,"}}},
		{name: "a backslash at the end", args: []string{"--env", "B=1", "--env", `A=C:\`}, want: []Setting{{Flag: "--env", Variable: "NTH_ENV", Value: "B=1\nA=C:\\"}}},
		{name: "an empty value", args: []string{"--long-name="}, want: []Setting{{Flag: "--long-name", Variable: "NTH_LONG_NAME", Words: []string{"--long-name="}}}},
		{name: "inherited", env: map[string]string{"NTH_LEVEL": "warn", "NTH_LONG_NAME": "", "NTH_JOB_UID": "u"}, args: []string{"--job-uid", "v"}, want: []Setting{
			{Flag: "--level", Variable: "NTH_LEVEL", Value: "warn", Inherited: true}, {Flag: "--long-name", Variable: "NTH_LONG_NAME", Inherited: true, Words: []string{"--long-name="}},
			{Flag: "--job-uid", Variable: "NTH_JOB_UID", Value: "v"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			var before, after wide
			own, _, err := Parse(Spec{}, &before, tt.args)
			if err != nil {
				t.Fatal(err)
			}
			got := Given(wide{}, own, func(name string) (string, bool) { value, ok := tt.env[name]; return value, ok })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			var words []string
			for _, s := range got {
				words = append(words, s.Words...)
				if s.Words == nil {
					t.Setenv(s.Variable, s.Value)
				}
			}
			if _, _, err := Parse(Spec{}, &after, words); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, after, unexported); diff != "" {
				t.Errorf("the variables say another thing than the flags: %s", diff)
			}
		})
	}
}

// FuzzGiven: two values of a list stay what they are, or can't be given at all.
func FuzzGiven(f *testing.F) {
	for _, v := range []string{"", `\`, "\n", "a\nb", `a\`, "\\\n", ",", "é"} {
		f.Add(v, "B=1")
		f.Add("A", v)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.Contains(a+b, "\x00") {
			t.Skip() // no variable can hold it
		}
		var before, after wide
		own, _, err := Parse(Spec{}, &before, []string{"--env", a, "--env", b})
		if err != nil {
			t.Skip()
		}
		s := Given(wide{}, own, func(string) (string, bool) { return "", false })[0]
		if s.Words == nil {
			t.Setenv(s.Variable, s.Value)
		}
		if _, _, err := Parse(Spec{}, &after, s.Words); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before.Env, after.Env); diff != "" {
			t.Error(diff)
		}
	})
}
