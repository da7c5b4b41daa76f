package objects

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		glob     string
		yes, not []string
	}{
		{"*", []string{"", "a", ".b", "é\n"}, []string{"a/", "a/b", "/"}},
		{"**", []string{"", "a", "a/b", "/", "a//b"}, nil},
		{"**/x", []string{"x", "a/x", "a/b/x", "/x"}, []string{"ax", "x/a", "a/bx"}},
		{"a/**", []string{"a/", "a/b", "a/b/c"}, []string{"a", "b/a/c"}},
		{"a/**/b", []string{"a/b", "a/x/b", "a/x/y/b"}, []string{"ab", "a/xb"}},
		{"a?c", []string{"abc", "aéc"}, []string{"ac", "a/c", "abbc"}},
		{"[a-c]", []string{"a", "b", "c"}, []string{"d", "", "-", "ab"}},
		{"[!a-c]", []string{"d", "-", "é"}, []string{"a", "/", ""}},
		{"[^a]", []string{"b"}, []string{"a"}},
		{"[]a]", []string{"]", "a"}, []string{"b"}},
		{"[a-]", []string{"a", "-"}, []string{"b"}},
		{"[*]", []string{"*"}, []string{"a"}},
		{"[+-9]", []string{"+", "5"}, []string{"/", "a"}},
		{"[à-ü]x", []string{"éx"}, []string{"ex"}},
		{"x.{gz,bz2,{a,b}c}", []string{"x.gz", "x.bz2", "x.ac", "x.bc"}, []string{"x.", "x.c", "x.gz,bz2"}},
		{"{a,}b", []string{"ab", "b"}, []string{"a"}},
		{"a,b}", []string{"a,b}"}, []string{"a"}},
		{"a.b", []string{"a.b"}, []string{"axb"}},
		{"(a|b)+$^", []string{"(a|b)+$^"}, []string{"a"}},
		{"%41", []string{"%41"}, []string{"A"}},
	} {
		g, err := parseGlob(tt.glob, false)
		if err != nil {
			t.Errorf("%s: %v", tt.glob, err)
			continue
		}
		for _, key := range tt.yes {
			if !g.match(key) {
				t.Errorf("%s doesn't match %q", tt.glob, key)
			}
		}
		for _, key := range tt.not {
			if g.match(key) {
				t.Errorf("%s matches %q", tt.glob, key)
			}
		}
	}
	for _, bad := range []string{"a**", "**a", "[", "[a", "[a/b]", "{", "{a", "{a/b}", "[b-a]", "[!", "a/***", strings.Repeat("{a,b}", 2*maxAlternatives)} {
		if _, err := parseGlob(bad, false); err == nil {
			t.Errorf("%.20s is a glob", bad)
		}
	}
}

// TestGlobOfURL: there a code is a character as it is, whatever it means.
func TestGlobOfURL(t *testing.T) {
	for _, tt := range []struct {
		glob, key string
		yes       bool
	}{
		{"a%2A*", "a*b", true}, {"a%2A*", "abb", false}, {"%C3%A9*", "éa", true}, {"[%C3%A9]", "é", true}, {"[+-9]", "/", false}, {"[%2E-%30]", "0", true},
		{"%25*", "%", true}, {"*%20", " ", true}, {"*+", "+", true}, {"*%5B%7B", "[{", true},
	} {
		g, err := parseGlob(tt.glob, true)
		if err != nil || g.match(tt.key) != tt.yes {
			t.Errorf("%s and %q: %v, %v", tt.glob, tt.key, !tt.yes, err)
		}
	}
	for _, bad := range []string{"*%", "*%2", "%zz*", "[%2]", "[%2F]"} {
		if _, err := parseGlob(bad, true); err == nil {
			t.Errorf("%s is a glob", bad)
		}
	}
}

// FuzzGlob: what a glob matches is what its words say, by a second reading of them: braces
// are written out, and parts are compared one by one.
func FuzzGlob(f *testing.F) {
	for _, seed := range [][2]string{{"**/*.gz", "a/b.gz"}, {"a/**/b", "a/b"}, {"{a,b{c,d}}[!x-z]?", "bcq1"}, {"[]-]", "-"}, {"*a*b*", "xaxb"}, {"**", ""}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, key string) {
		if !utf8.ValidString(text) || !utf8.ValidString(key) || len(text) > 60 || len(key) > 60 || strings.Count(text, "{") > 4 || strings.Count(text, ",") > 6 {
			return
		}
		g, err := parseGlob(text, false)
		if err != nil {
			return
		}
		want := false
		for _, one := range written(text) {
			want = want || matchParts(split(one), strings.Split(key, "/"))
		}
		if got := g.match(key); got != want {
			t.Errorf("%q matches %q: %v", text, key, got)
		}
	})
}

// token is a character, or what stands for some.
type token struct {
	kind rune // 'c', '?', '*', '[', '/'
	set  string
}

// written gives the globs that one with braces stands for, each as tokens.
func written(text string) [][]token {
	runes := []rune(text)
	at := 0
	var alternatives func(in bool) [][]token
	alternatives = func(in bool) [][]token {
		all, now := [][]token(nil), [][]token{nil}
		put := func(k token) {
			for i := range now {
				now[i] = append(append([]token(nil), now[i]...), k)
			}
		}
		for at < len(runes) {
			c := runes[at]
			at++
			switch {
			case c == '{':
				var next [][]token
				for _, tail := range alternatives(true) {
					for _, head := range now {
						next = append(next, append(append([]token(nil), head...), tail...))
					}
				}
				now = next
			case in && c == '}':
				return append(all, now...)
			case in && c == ',':
				all, now = append(all, now...), [][]token{nil}
			case c == '[':
				from := at
				if runes[at] == '!' || runes[at] == '^' {
					at++
				}
				for at++; runes[at] != ']'; at++ {
					if runes[at] == '-' && runes[at+1] != ']' {
						at++ // the end of a range may be anything but a bracket
					}
				}
				put(token{'[', string(runes[from:at])})
				at++
			case c == '*' || c == '?' || c == '/':
				put(token{c, string(c)})
			default:
				put(token{'c', string(c)})
			}
		}
		return append(all, now...)
	}
	return alternatives(false)
}

func split(tokens []token) (parts [][]token) {
	part := []token{}
	for _, k := range tokens {
		if k.kind == '/' {
			parts, part = append(parts, part), []token{}
			continue
		}
		part = append(part, k)
	}
	return append(parts, part)
}

func matchParts(glob [][]token, key []string) bool {
	if len(glob) == 0 {
		return len(key) == 0
	}
	if p := glob[0]; len(p) == 2 && p[0].kind == '*' && p[1].kind == '*' {
		if len(glob) == 1 {
			return len(key) > 0
		}
		for n := 0; n < len(key); n++ {
			if matchParts(glob[1:], key[n:]) {
				return true
			}
		}
		return false
	}
	return len(key) > 0 && matchPart(glob[0], []rune(key[0])) && matchParts(glob[1:], key[1:])
}

func matchPart(glob []token, key []rune) bool {
	if len(glob) == 0 {
		return len(key) == 0
	}
	if glob[0].kind == '*' {
		return matchPart(glob[1:], key) || len(key) > 0 && matchPart(glob, key[1:])
	}
	if len(key) == 0 {
		return false
	}
	ok := glob[0].kind == '?' || glob[0].kind == 'c' && glob[0].set == string(key[0]) || glob[0].kind == '[' && inSet(glob[0].set, key[0])
	return ok && matchPart(glob[1:], key[1:])
}

func inSet(set string, c rune) bool {
	s := []rune(set)
	not := s[0] == '!' || s[0] == '^'
	if not {
		s = s[1:]
	}
	for i := 0; i < len(s); i++ {
		to := s[i]
		from := s[i]
		if i+2 < len(s) && s[i+1] == '-' {
			to = s[i+2]
			i += 2
		}
		if from <= c && c <= to {
			return !not
		}
	}
	return not
}

// FuzzURL: a URL is taken apart without a panic, and put together again it is the same
// place.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"s3://b/in/", "s3://b/in/**/*.gz?region=x", "file:///a%20b/*", "gs://b/{a,b}/", "azblob://c/%2A/", "s3://b/<<env \"?\">>/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if !Is(raw) || strings.Contains(raw, "<<") {
			return
		}
		p, err := parse(raw)
		if err != nil {
			return
		}
		if !strings.HasPrefix(p.dir, "/") || !strings.HasSuffix(p.dir, "/") {
			t.Errorf("%q: the directory is %q", raw, p.dir)
		}
		if p.glob == nil && !strings.HasSuffix(strings.SplitN(raw, "?", 2)[0], "/") {
			t.Errorf("%q has neither a glob nor a slash", raw)
		}
	})
}
