package manifest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestText: plain only where every YAML agrees, and in one line.
func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"": `""`, "a": "a", "/usr/bin/env": "/usr/bin/env", "busybox:1.36": "busybox:1.36", "a:b": "a:b", "a:": `"a:"`, "a: b": `"a: b"`, "1": `"1"`, "1e3": `"1e3"`, "-c": `"-c"`,
		"yes": `"yes"`, "No": `"No"`, "NULL": `"NULL"`, "nope": "nope", "12:30": `"12:30"`, "it's": `"it's"`, `say "it's"`: `'say "it''s"'`, `C:\x`: `'C:\x'`,
		"a\"\n": `"a\"\n"`, "é": `"é"`, "a\u0085": `"a\u0085"`, "\U000e0001": `"\U000E0001"`, "a\tb": `"a\tb"`, "<<.Index>>": `"<<.Index>>"`, "a#": `"a#"`,
	} {
		if got := text(in, false); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
	if got := text("a:1", true); got != `"a:1"` {
		t.Errorf("within brackets a:1 is %s", got)
	}
}

// TestYAML: comments stand where they are read, lines as they are.
func TestYAML(t *testing.T) {
	o := pairs("kind", "Job").
		add("rules", list{object{}.add("a", int64(1), "behind a").with("b", list{"x", line{list{"y", int64(2)}}})}, "behind rules").
		add("script", "a\n  b\n\nc\n", "").add("last", "a\nb", "").add("none", object{}, "nothing").add("no", list{}, "")
	o[0].above = "above kind"
	const want = `# above kind
kind: Job
rules: # behind rules
  - a: 1 # behind a
    b:
      - x
      - ["y", 2]
script: |
  a
    b

  c
last: |-
  a
  b
none: {} # nothing
"no": []
`
	if diff := cmp.Diff(want, string(formatYAML(o))); diff != "" {
		t.Error(diff)
	}
}

// TestNameRoom: the longest name that fits is taken, and not one letter more.
func TestNameRoom(t *testing.T) {
	for _, tt := range []struct {
		kind        string
		completions int64
		replicas    int
		most        int
	}{{"job", 1, 1, 61}, {"job", 100, 1, 60}, {"job", 101, 1, 59}, {"cronjob", 1, 1, 50}, {"cronjob", 1000, 1, 48}, {"jobset", 10, 12, 47}} {
		for _, n := range []int{tt.most, tt.most + 1} {
			j := &job{Config: Config{Kind: tt.kind, Replicas: tt.replicas, ReplicatedJob: container}, completions: tt.completions, name: strings.Repeat("a", n)}
			err := j.checkName()
			if (err == nil) != (n == tt.most) {
				t.Errorf("%s of %d with %d letters: %v", tt.kind, tt.completions, n, err)
			}
			if err != nil && !strings.Contains(err.Error(), strconv.Itoa(tt.most)+" characters fit") {
				t.Errorf("%v: want %d", err, tt.most)
			}
		}
	}
}

// TestEscape: only what Kubernetes would change is written in another way.
func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "$HOME ${A} a$": "$HOME ${A} a$", "$(A)": "$$(A)", "$$": "$$$", "$$$": "$$$$$", "$$(A)": "$$$$(A)", "$(": "$$(", "$é": "$$é", "é$(A)": "é$$(A)",
	} {
		if got := escape(in); got != want {
			t.Errorf("%q is escaped as %q, want %q", in, got, want)
		}
	}
}
