package end

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nth/shim/secrets"
)

func TestTail(t *testing.T) {
	n := 20
	for _, tt := range []struct {
		name      string
		kept      string
		truncated bool
		want      string
	}{
		{"whole", "login hunter2 failed", false, "login *** failed"},
		{"a secret spans the cut", "ahunter2 and the rest of it", true, " and the rest of it"},
		{"a piece of one at the start", "ter2 hello 012345678", true, "llo 012345678"},
		{"not valid UTF-8", "1234567\xff\xfeok", true, "\uFFFDok"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var set secrets.Set
			set.Add("hunter2")
			if diff := cmp.Diff(tt.want, Tail([]byte(tt.kept), tt.truncated, n, &set)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTailReason: of a stack that is longer than what is kept, the line that says why stays.
func TestTailReason(t *testing.T) {
	var set secrets.Set
	set.Add("hunter2")
	frames := strings.Repeat("\tat Fail.deep(Fail.java:5)\n", 20)
	const why = "Exception in thread \"main\" java.io.IOException: disk full of "
	for _, tt := range []struct {
		name, kept string
		n          int
		want       string
	}{
		{"a stack", "reading\n" + why + "hunter2\n" + frames, 160, why + "***\n…\n" + frames[:3*len(frames)/20]},
		{"the reason is at the end", frames + "disk full\n", 30, LastBytes(frames+"disk full\n", 30)},
		{"it fits", why + "x\n\tat A.b(A.java:1)\n", 130, why + "x\n\tat A.b(A.java:1)\n"},
		{"too long to be shown", strings.Repeat("why ", 100) + "\n" + frames, 100, LastBytes(frames, 100)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Tail([]byte(tt.kept), false, tt.n, &set)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTermination: the message goes first, then what says why, then the end of stderr.
func TestTermination(t *testing.T) {
	frames := strings.Repeat("\tat Fail.deep(Fail.java:5)\n", 100)
	const message, why = "nth: index 5: run java: exit code 1", "Exception in thread \"main\" java.io.IOException: disk full"
	for _, tt := range []struct{ name, stderr, begin, end string }{
		{"short", "reading\n" + why + "\n\tat A.b(A.java:1)\n", message + ": reading " + why + " at A.b(A.java:1)", ""},
		{"a stack", "reading\n" + why + "\n" + frames, message + ": " + why + " … ", " at Fail.deep(Fail.java:5)"},
		{"the reason is at the end", frames + "disk full\n", message + ": ", " disk full"},
		{"nothing", "", message, message},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := termination(message, tt.stderr)
			if !strings.HasPrefix(got, tt.begin) || !strings.HasSuffix(got, tt.end) || len(got) > maxTermination || !utf8.ValidString(got) {
				t.Errorf("%d bytes: %q", len(got), got)
			}
		})
	}
}
