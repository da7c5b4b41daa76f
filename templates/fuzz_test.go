package templates

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParse: any word gives its expansion or an *Error of one line, and neither
// the stable form nor the error tells a secret.
func FuzzParse(f *testing.F) {
	for _, fn := range Functions {
		f.Add(fn.Example)
	}
	for _, word := range []string{
		"cat <<EOF", "<<.>>", "<<$>>", "<<with .Job>><<.>><<else>><<.Index>><<end>>", `<<if eq (secret "TOKEN") "a">>x<<else if .Attempt>>y<<end>>`,
		`<<env "A" | default (env "B") | default "z">>`, `<<define "x">><<end>><<template "x" .>>`, `<<block "x" .>><<end>>`, "<</* x */>>",
		`<<upper (secret "TOKEN") | html | printf "%10.4q">>`, "<<- .Index ->> \n", "<<(.Job).X>>", "<<$x := 1>><<$x = .Job>><<$x>>",
	} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if strings.Contains(word, "range") {
			t.Skip() // range 9223372036854775807 is what it says
		}
		got, err := expand(word, testFields())
		tells := !strings.Contains(word, "s3cr3t") && !strings.Contains(word, "env") && strings.Contains(word, "secret")
		if err == nil {
			if !strings.Contains(word, left) && got.Text != word {
				t.Errorf("plain text %q became %q", word, got.Text)
			}
			if tells && strings.Contains(got.Stable, "s3cr3t") {
				t.Errorf("the stable form %q tells a secret", got.Stable)
			}
			for _, s := range got.Secrets {
				if s == "" {
					t.Errorf("an empty secret of %q", word)
				}
			}
			return
		}
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Fatalf("%T: %v", err, err)
		}
		if strings.ContainsAny(e.Error(), "\r\n") {
			t.Errorf("%q has more than one line", e)
		}
		if tells && strings.Contains(e.Error(), "s3cr3t") {
			t.Errorf("%q tells a secret", e)
		}
	})
}

// FuzzValue: whatever a variable holds, it stays itself, inside its word, and as a
// secret it is seen nowhere.
func FuzzValue(f *testing.F) {
	for _, v := range []string{"", "a b", "<<.Index>>", "it's", `"`, "\n", "%!d", ">>", "<<secret V>>", "é\xff", "--flag"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.Contains(value, "\x00") {
			t.Skip() // no variable can hold it
		}
		s := testSources()
		s.LookupEnv = func(string) (string, bool) { return value, true }
		one := func(word string) Expansion {
			tmpl, err := Parse(word)
			if err != nil {
				t.Fatal(err)
			}
			e, err := tmpl.Expand(testFields(), s)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		if got := one(`a <<env "V">> b`); got.Text != "a "+value+" b" || got.Stable != got.Text {
			t.Errorf("%q became %+v", value, got)
		}
		if got := one(`<<quote (env "V")>>`); unquote(got.Text) != value {
			t.Errorf("%q is quoted as %s", value, got.Text)
		}
		if got := one(`a <<secret "V">> b`); got.Text != "a "+value+" b" || got.Stable != "a <<secret V>> b" {
			t.Errorf("secret %q became %+v", value, got)
		}
		for _, word := range []string{`<<secret "V">> <<upper (secret "V")>>`, `<<quote (secret "V")>>`, `<<printf "%q" (secret "V")>>`} {
			got := one(word)
			seen := got.Text
			for _, hidden := range got.Secrets {
				seen = strings.ReplaceAll(seen, hidden, "")
			}
			if len(value) > 1 && !strings.Contains(" '\"", value) && strings.Contains(seen, value) {
				t.Errorf("%s shows %q of secret %q", word, seen, value)
			}
		}
	})
}

// unquote reads a word as a POSIX shell does, as far as Quote goes.
func unquote(s string) string {
	if !strings.Contains(s, "'") {
		return s
	}
	var b strings.Builder
	for in := false; s != ""; {
		switch {
		case s[0] == '\'':
			in = !in
			s = s[1:]
			continue
		case !in && s[0] == '\\':
			s = s[1:]
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}
