package kubernetes

import (
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
		job := decode(t, manifest(t, append([]string{"--format", format, "--name", "w", "--completions", "1", "--image", "b", "--", self}, words...)...))
		r := saw(t, job, 0)
		if len(r.Args) != len(words) {
			t.Fatalf("%d words became %d", len(words), len(r.Args))
		}
		for i, w := range words {
			if r.Args[i] != w {
				t.Errorf("%s: %q became %q, by way of %q", format, w, r.Args[i], work(t, job).Args[i+1])
			}
		}
	}
}

// TestValues: so does a variable of the command, though it is within one of nth's.
func TestValues(t *testing.T) {
	for _, w := range hostile {
		if strings.Contains(w, "<<") || strings.Contains(w, "\n") { // a list has one value a line
			continue
		}
		job := decode(t, manifest(t, "--name", "w", "--completions", "1", "--image", "b", "--env", "A="+w, "--env", "B=1", "--", self))
		if r := saw(t, job, 0); r.Env["A"] != w || r.Env["B"] != "1" {
			t.Errorf("%q became %q and 1 became %q", w, r.Env["A"], r.Env["B"])
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
		stdout, stderr, code := run(t, nil, nth, "manifest", "--name", "w", "--completions", "1", "--image", "b", "--", self, w)
		if code != 0 {
			if stdout != "" || code != 64 || stderr == "" || strings.ToValidUTF8(w, "") == w {
				t.Errorf("%q: exit code %d: %s%s", w, code, stdout, stderr)
			}
			return
		}
		if r := saw(t, decode(t, stdout), 0); r.Args[0] != w {
			t.Errorf("%q became %q", w, r.Args[0])
		}
	})
}
