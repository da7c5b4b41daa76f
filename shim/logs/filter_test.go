package logs

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cut passes text through a filter in pieces that end at the places given.
func cut(f *filter, text string, at ...int) string {
	var b bytes.Buffer
	out := func(p []byte) { b.Write(p) }
	from := 0
	for _, to := range append(at, len(text)) {
		f.pass([]byte(text[from:to]), out)
		from = to
	}
	f.end(out)
	return b.String()
}

// TestFilter: wherever a stream is cut, in two places, the same comes out.
func TestFilter(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
		secrets          []string
	}{
		{"none", "abc canary", "abc canary", nil},
		{"one", "a canary sings\n", "a *** sings\n", []string{"canary"}},
		{"at both ends", "canary and canary", "*** and ***", []string{"canary"}},
		{"twice in a row", "canarycanary", "******", []string{"canary"}},
		{"half of one at the end", "a can", "a can", []string{"canary"}},
		{"half of one, then one", "cancanary", "can***", []string{"canary"}},
		{"one within another", "the canary-bird", "the ***", []string{"canary-bird", "canary"}},
		{"only the shorter one", "the canary-bi", "the ***-bi", []string{"canary-bird", "canary"}},
		{"overlapping", "xcanarybird.", "x***.", []string{"canary", "narybird"}},
		{"overlapping, and cut off", "xcanarybir", "x***bir", []string{"canary", "narybird"}},
		{"overlapping itself", "anananas", "***s", []string{"anana"}},
		{"three that overlap", "abcde.", "***.", []string{"abc", "bcd", "cde"}},
		{"as in a URL", "?k=a%2Fb+c&p=/a/b%20c", "?k=***&p=/***", []string{"a/b c"}},
		{"bytes that are no text", "\xff\x00canary\xfe", "\xff\x00***\xfe", []string{"canary"}},
		{"a secret of one byte", "axbx", "a***b***", []string{"x"}},
		{"an empty one", "abc", "abc", []string{""}},
		{"of several lines", "key:\n-----\nabc\n-----\n.", "key:\n***.", []string{"-----\nabc\n-----\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range len(tt.text) + 1 {
				for j := i; j <= len(tt.text); j++ {
					if got := cut(newFilter(tt.secrets), tt.text, i, j); got != tt.want {
						t.Fatalf("cut at %d and %d: %q, want %q", i, j, got, tt.want)
					}
				}
			}
			var every []int
			for i := range tt.text {
				every = append(every, i)
			}
			if diff := cmp.Diff(tt.want, cut(newFilter(tt.secrets), tt.text, every...)); diff != "" {
				t.Errorf("byte by byte: %s", diff)
			}
		})
	}
}

// FuzzFilter: no secret comes out, the pieces don't matter, and without a secret
// nothing is changed.
func FuzzFilter(f *testing.F) {
	f.Add("the canary-bird sings canary", "canary", "nary-bird", uint8(7), uint8(11))
	f.Add("aaaaaaa", "aa", "aaa", uint8(1), uint8(2))
	f.Add("%2F/%2F", "/", "%", uint8(1), uint8(2))
	f.Fuzz(func(t *testing.T, text, one, two string, i, j uint8) {
		secrets := []string{one, two}
		at := []int{min(int(i), len(text)), min(max(int(i), int(j)), len(text))}
		got, whole := cut(newFilter(secrets), text, at...), cut(newFilter(secrets), text)
		if got != whole {
			t.Errorf("cut at %d: %q, whole: %q", at, got, whole)
		}
		for _, secret := range secrets {
			if secret == "" {
				continue
			}
			for _, piece := range strings.Split(whole, "***") {
				if strings.Contains(piece, secret) {
					t.Errorf("%q is in %q", secret, whole)
				}
			}
		}
		if !strings.Contains(whole, "***") && whole != text {
			t.Errorf("%q became %q", text, whole)
		}
	})
}
