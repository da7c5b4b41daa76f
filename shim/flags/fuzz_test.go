package flags

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDirect: whatever the words and the variables are, what is read without kong is what
// kong reads, and what kong refuses isn't read.
func FuzzDirect(f *testing.F) {
	for _, words := range []string{"", "--text\na b\n--yes\n--\n--text", "--codes=1,2\n--codes=\n--lines=a,b\nx", "--wait\n-1s\n--level=warn", "--maybe=0\n--index\n--", "--yes=no\n--number=010",
		"--inner=y\n--mode=\n-x", "--large=9223372036854775808", "--nope", "--help", "--no-yes", "--LEVEL=warn", "--level", "--=", "-", "--text==", "--codes=1,,2", "--codes=,"} {
		f.Add(words, "LEVEL", "warn")
		f.Add(words, "LINES", "a\r\n\nb,c")
		f.Add(words, "CODES", "1,x")
		f.Add(words, "WAIT", "")
		f.Add(words, "YES", "Yes")
	}
	f.Fuzz(func(t *testing.T, words, name, value string) {
		if name = EnvPrefix + "_" + name; strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			t.Skip() // no variable can be so
		}
		t.Setenv(name, value)
		args := strings.Split(words, "\n")
		var got, want everything
		own, rest, ok := direct(&got, args)
		parser := parserOf(t, &want)
		wantOwn, wantRest, err := split(parser.Model.Flags, args)
		if err == nil {
			_, err = parser.Parse(wantOwn)
		}
		if ok != (err == nil) {
			t.Fatalf("%q, %s=%q: %t, and kong says %v", args, name, value, ok, err)
		}
		if !ok {
			want, wantOwn, wantRest = everything{}, nil, nil
		}
		if diff := cmp.Diff([]any{want, wantOwn, wantRest}, []any{got, own, rest}); diff != "" {
			t.Errorf("%q, %s=%q: %s", args, name, value, diff)
		}
	})
}
