package batch

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWord: a shell reads each word as it was, and no line of the script is one that a batch
// system would take for an option.
func TestWord(t *testing.T) {
	words := []string{"", "a", "it's", `"`, `\`, `\n`, "$HOME", "$(false)", "`false`", "*", "~", "-x", "--", "--a=b c", "--it's=x", "--a=--b=$c", "a=b", "é", "\t \r", "#", "!!",
		"\n", "a\n#SBATCH --array=7", "--env=A=a\n#$ -t 7\n#PBS x\n", "\n\n#\n'\n#'", "' \n#SBATCH x '", strings.Repeat("x", 10_000)}
	var quoted []string
	for _, w := range words {
		q := Word(w)
		for line := range strings.Lines(q) {
			if strings.HasPrefix(line, "#") {
				t.Errorf("%q has the line %q", q, line)
			}
		}
		quoted = append(quoted, q)
	}
	script := Script{Words: quoted[:0], Call: words}.Text()
	_, call, _ := strings.Cut(string(script), " \\\n  -- ")
	out, err := exec.Command("sh", "-c", `printf '%s\0' `+call).Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(words, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")); diff != "" {
		t.Error(diff)
	}
}

// unquoted reads a value as sbatch does (get_argument in its opt.c).
func unquoted(s string) string {
	var b strings.Builder
	var quote rune
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			escaped = false
			b.WriteRune(r)
		case r == '\\':
			escaped = true
		case quote == r:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote = r
		case quote == 0 && (r == '#' || r == ' ' || r == '\t'):
			return b.String()
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// FuzzOption: an option is one line, and its value is read as it was.
func FuzzOption(f *testing.F) {
	for _, s := range []string{"partition=short", "exclusive", "comment=a b", `comment=\"'#$(x)`, "a=\n#SBATCH b", "=", "-a=b", "A=b", "comment=", "a=\x80", "a=é\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := Parse(s)
		if err != nil {
			return
		}
		text := string(Script{Magic: "#SBATCH", Options: []Option{o}}.Text())
		line, rest, _ := strings.Cut(strings.TrimPrefix(text, "#!/bin/sh\n#SBATCH --"), "\n")
		name, value, _ := strings.Cut(line, "=")
		if rest != "\nexec nth run \\\n  --\n" || name != o.Name || unquoted(value) != o.Value || o.Bare != !strings.Contains(s, "=") {
			t.Errorf("%q becomes %q", s, text)
		}
	})
}
