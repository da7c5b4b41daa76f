package web

import "strings"

// EscapePath escapes a path as signatures want it: every byte but the unreserved ones
// and the slash (RFC 3986, section 2.3).
func EscapePath(path string) string {
	const hex = "0123456789ABCDEF"
	var s strings.Builder
	for i := range len(path) {
		c := path[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			s.WriteByte(c)
		} else {
			s.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return s.String()
}
