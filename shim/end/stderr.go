package end

import (
	"strings"
	"unicode/utf8"

	"nth/shim/secrets"
	"nth/shim/why"
)

// Tail gives the last n bytes of a command's stderr as valid UTF-8 without secrets. More
// was kept than is shown, so that no piece of a secret is left at the cut, and that the line
// which says why is found.
func Tail(kept []byte, truncated bool, n int, s *secrets.Set) string {
	tail := string(kept)
	if truncated {
		cut := min(len(tail), s.Longest())
		for _, secret := range s.All() {
			for from := 0; ; {
				at := strings.Index(tail[from:], secret)
				if at < 0 || from+at >= cut {
					break
				}
				cut, from = max(cut, from+at+len(secret)), from+at+1
			}
		}
		tail = tail[cut:]
	}
	return withReason(strings.ToValidUTF8(s.Hide(tail), "\uFFFD"), n)
}

// withReason gives at most n bytes from the end, with the line before them that says why, if
// that is further up: a stack may be longer than what is kept.
func withReason(text string, n int) string {
	end := LastBytes(text, n)
	if len(end) == len(text) {
		return end
	}
	reason := why.Line(text)
	if room := n - len(reason) - len(gap); reason != "" && room > n/2 && !strings.Contains(end, reason) {
		_, lines, _ := strings.Cut(LastBytes(text, room), "\n") // whole ones, lest a piece looks like a reason
		return reason + gap + lines
	}
	return end
}

// gap stands where something is left out.
const gap = "\n…\n"

// LastBytes gives at most n bytes from the end of valid UTF-8, cut between characters.
func LastBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[len(s)-max(n, 0):]
	for len(s) > 0 && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return s
}
