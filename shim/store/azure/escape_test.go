package azure

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestEscape: what Azure can keep stands as it is, so that others find it too.
func TestEscape(t *testing.T) {
	for key, want := range map[string]string{
		"done/1.json":        "done/1.json",
		"a b#?%\"é日本":        "a b#?%\"é日本",
		"../a//b/./c/":       ".__0x2e__/a//b/__0x2e__/c__0x2f__",
		"x..":                "x.__0x2e__",
		"..x/.y":             "..x/.y",
		`a\b`:                "a__0x5c__b",
		"\x00\x1f\x7f\u0085": "__0x0____0x1f____0x7f____0x85__",
		"\ufffe\uffff":       "__0xfffe____0xffff__",
		"__0x2e__":           "__0x5f___0x2e__",
		"a___0x":             "a___0x5f___0x",
	} {
		got := escapeKey(key)
		if got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
		if back := unescapeKey(got); back != key {
			t.Errorf("%q came back as %q", key, back)
		}
	}
	for _, name := range []string{"__0x", "__0xzz__", "a__0x2", "__0x110000000__"} { // another's
		if got := unescapeKey(name); got != name {
			t.Errorf("%q is read as %q", name, got)
		}
	}
	for prefix, want := range map[string]string{"done/": "done/", "a.": "a.", "a./b.": "a__0x2e__/b.", `\`: "__0x5c__"} {
		if got := escapePrefix(prefix); got != want {
			t.Errorf("prefix %q: %q, want %q", prefix, got, want)
		}
	}
}

// FuzzEscape: every key comes back, and a name has nothing that Azure loses.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"a/../b./", "__0x__0x2e__", "___0x_0x", "\x00\\\x9f", "x\ufffe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if !utf8.ValidString(key) {
			return // gocloud refuses it
		}
		name := escapeKey(key)
		if back := unescapeKey(name); back != key {
			t.Errorf("%q as %q came back as %q", key, name, back)
		}
		for segment := range strings.SplitSeq(name, "/") {
			if strings.HasSuffix(segment, ".") {
				t.Errorf("%q: a segment ends in a dot", name)
			}
		}
		if strings.HasSuffix(name, "/") || strings.ContainsAny(name, "\\\x00\x1f\x7f\ufffe\uffff") {
			t.Errorf("%q is no name", name)
		}
	})
}
