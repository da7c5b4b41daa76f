package contract

import (
	"fmt"
	"path"
	"strings"
	"unicode"
)

// Printable refuses variables that hold what no credential, name or address can: a key with
// a line break behind it, as echo and editors leave it in a Secret, is one that every server
// refuses, and says so as if the key were another's. The value is never part of the error.
func Printable(getenv func(string) string, names ...string) error {
	if getenv == nil {
		return nil
	}
	for _, name := range names {
		if what := Control(getenv(name)); what != "" {
			return &Error{Kind: Invalid, Cause: fmt.Errorf("the variable %s %s", name, what), Hint: HintControl}
		}
	}
	return nil
}

// HintControl says where such a value mostly comes from.
const HintControl = "make its Secret or ConfigMap anew without it: from a file that printf wrote, or with --from-literal"

// HintFull is for a file that has no room: ENOSPC is said of inodes too.
const HintFull = "the volume is full: of bytes (df) or of files (df -i)"

// Control says which control character a text has, as a sentence's end; "" for none.
func Control(text string) string {
	at := strings.IndexFunc(text, unicode.IsControl)
	switch {
	case at < 0:
		return ""
	case strings.Trim(text[at:], "\r\n") == "":
		return "ends in a line break"
	case text[at] == '\n' || text[at] == '\r':
		return "has a line break in it"
	}
	return "has a control character in it"
}

// Plain gives what was meant as a URL and has no scheme, as it may be shown: what is a path,
// or a file's name, by the look of it. Else it is "", for a lone word may be a password, and
// nothing tells where one begins.
func Plain(text string) string {
	text, _, _ = strings.Cut(text, "?")
	ending := strings.TrimLeft(path.Ext(text), ".")
	ofFile := 1 < len(ending) && len(ending) < 6 && strings.Trim(ending, "abcdefghijklmnopqrstuvwxyz") == "" && !strings.ContainsAny(text, "=;")
	if strings.ContainsAny(text, "@;") || !ofFile && !strings.HasPrefix(text, "/") && !strings.HasPrefix(text, ".") {
		return ""
	}
	return text
}

// NoUser gives a URL, which may be malformed, without the credentials in front of its host.
func NoUser(text string) string {
	scheme, rest, is := strings.Cut(text, "://")
	authority, _, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); is && at >= 0 {
		return scheme + "://" + rest[at+1:]
	}
	return text
}
