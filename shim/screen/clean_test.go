package screen

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain é 日本\n\tx":                          "plain é 日本\n\tx",
		"\x1b[31mred\x1b[0m":                       "red",
		"\x1b[2J\x1b[H\x1b[?1049hgone":             "gone",
		"\x1b]0;title\aafter":                      "after",
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1b]52;c;never ended\nnext":              "\nnext",
		"\x1bPdevice\x1b\\x":                       "x",
		"a\rb\bc\ad\x00e\x7f":                      "abcde",
		"\u009b31mx":                               "31mx",
		"left\u202eright\u2066\u200b":              "leftright",
		"bad\xff\xfe":                              "bad\ufffd\ufffd",
		"\x1b":                                     "",
		"\x1b[":                                    "",
		"\x1b[12":                                  "",
		"\x1bcx":                                   "x",
		"\x1b\x1b[31mx":                            "x",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "x", "\x1b[31mx", "\x1b]0;t\a", "\x1bP\x1b\\", "\u202e", "\xff", "\x1b[3\n4m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) || len(got) > 3*len(s) {
			t.Errorf("%q: %q", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Cf, r) {
				t.Errorf("%q: %q has %q", s, got, r)
			}
		}
		if Clean(got) != got {
			t.Errorf("%q: %q is not clean", s, got)
		}
		if line := Line(s); Clean(line) != line || strings.Contains(line, "\n") || Line(line) != line {
			t.Errorf("%q: %q is no clean line", s, line)
		}
	})
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"a \n\n  b\r\nc":                         "a b c",
		"a\vb\fc\u0085d\u2028e\u2029f":           "a b c d e f",
		"x\x1b]0;t\a\nnth: index 3: all is well": "x nth: index 3: all is well",
		"a\tb":                                   "a\tb",
		"\n":                                     "",
	} {
		if got := Line(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	var b bytes.Buffer
	if Tell(&b, "nth: %s", "a\x1b[2J\nb"); b.String() != "nth: a b\n" {
		t.Errorf("%q", b.String())
	}
}

// TestSay: a line of nth's own between those of a command.
func TestSay(t *testing.T) {
	path := t.TempDir() + "/err"
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := New(nil, f, "never")
	s.Say([]byte("3| "), "failed: \x1b]0;t\ax\n3| done")
	s.Lines(Stderr, []byte("3| "), nil, []byte("\x1b[31mits own\n"))
	if body, _ := os.ReadFile(path); string(body) != "3| failed: x 3| done\n3| \x1b[31mits own\n" {
		t.Errorf("%q", body)
	}
}
