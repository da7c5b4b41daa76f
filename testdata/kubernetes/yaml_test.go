package kubernetes

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// hostile words are taken for something else by some YAML or other, or by Kubernetes.
var hostile = []string{
	"", " ", "yes", "No", "on", "OFF", "y", "n", "true", "False", "null", "Null", "~", "1e3", "0x1f", "0o17", "017", "1_000", "12:30:45", ".inf", "-.INF", ".nan", "+1", "-0", "1.", "2001-12-14", "=", "<<", "<",
	"a: b", "a:", ":a", "a #b", "#", "a#", "- a", "-", "--", "---", "...", "--- a", "? a", "?", "! a", "!!str 1", "&a", "*a", "|", ">", "|-", "%TAG", "@a", "`a", "{a}", "[a]", "{", "}", "a, b", ",", "]", "a]b",
	"'", "''", "it's", `"`, `a"b`, `"a"`, `\`, `a\nb`, `\\`, `C:\dir\`, "'\"", " lead", "trail ", "\ttab", "a\tb", "tab\t", "a\nb", "a\n", "\na", "a\n\n", "a\n\nb\n", "a\n b\n  c", " a\nb", "a \nb ", "a\r\nb", "\r", "\n", "a\n---\nb", "a\n#b\n",
	"a\n\tb", "é", "日本語", "🎉", "a\u00a0b", "a\u2028b", "\ufeffa", "a\ufeff", "\u0085", "\u007f", "\u0001", "\x1b[1m", "\ufffe", "\uffff", "\U000e0001", "\U0010ffff", "e\u0301", "\u202eabc",
	"$", "$$", "$$$", "$(HOME)", "$(NTH_JOB)", "$$(NTH_JOB)", "$(", "$()", "a$", "$é", "$日", "${X}", "$(A)$(B)", "$$$(A)", "x$(NTH_POD)y", "`id`", "$(date +%s)", "a'$(b)'\"c\"",
	"http://a/b?c=d&e=f#g", "s3://b/p", "key=value", "/usr/bin/env", "busybox:1.36", "a:1", "a/b.c-d_e", "12m", "500m",
}

// TestWords: a pod's command gets each word as it was, from every manifest.
func TestWords(t *testing.T) {
	words := slices.Clone(hostile)
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(hostile[r.IntN(len(hostile))])
		}
		words = append(words, b.String())
	}
	words = slices.DeleteFunc(words, func(w string) bool { return strings.Contains(w, "<<") })
	for _, format := range []string{"yaml", "json"} {
		job := decode(t, manifest(t, append([]string{"--format", format, "--name", "w", "--completions", "1", "--image", "b", "--"}, echo(words...)...)...))
		r := saw(t, job, 0)
		if len(r.args) != len(words) {
			t.Fatalf("%d words became %d", len(words), len(r.args))
		}
		for i, w := range words {
			if r.args[i] != w {
				t.Errorf("%s: %q became %q, by way of %q", format, w, r.args[i], work(t, job).Args[len(echo())+i])
			}
		}
	}
}

// TestValues: so does a variable of the command, though it is within one of nth's. One
// that ends with a backslash, and would make one of two, is within nth's words.
func TestValues(t *testing.T) {
	var escaping, others []string
	for _, w := range hostile {
		switch {
		case strings.Contains(w, "<<") || strings.Contains(w, "\n"): // a list has one value a line
		case strings.HasSuffix(w, `\`):
			escaping = append(escaping, w)
		default:
			others = append(others, w)
		}
	}
	for _, values := range [][]string{escaping, others} {
		args := []string{"--name", "w", "--completions", "1", "--image", "b"}
		for i, w := range values {
			args = append(args, "--env", fmt.Sprintf("A%d=%s", i, w))
		}
		job := decode(t, manifest(t, append(append(args, "--"), echo()...)...))
		r := saw(t, job, 0)
		for i, w := range values {
			if got := r.env[fmt.Sprintf("A%d", i)]; got != w {
				t.Errorf("%q became %q", w, got)
			}
		}
	}
}

// FuzzWord is TestWords for any word.
func FuzzWord(f *testing.F) {
	f.Add("a: $(b)\n")
	f.Fuzz(func(t *testing.T, w string) {
		if strings.Contains(w, "<<") || strings.Contains(w, "\x00") {
			t.Skip() // a template, or none that can be parsed; no argument
		}
		stdout, stderr, code := run(t, nil, append([]string{nth, "manifest", "--name", "w", "--completions", "1", "--image", "b", "--"}, echo(w)...)...)
		if code != 0 {
			if stdout != "" || code != 64 || stderr == "" || strings.ToValidUTF8(w, "") == w {
				t.Errorf("%q: exit code %d: %s%s", w, code, stdout, stderr)
			}
			return
		}
		if r := saw(t, decode(t, stdout), 0); r.args[0] != w {
			t.Errorf("%q became %q", w, r.args[0])
		}
	})
}
