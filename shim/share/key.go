package share

import (
	"sort"
	"strconv"
	"strings"

	"nth/shim/identity"
)

// parse reads the key of a chunk's claim, as Part.chunk makes it.
func parse(key string) (p Part, digest string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 4 || parts[0] != "share" {
		return p, "", false
	}
	name, ok := strings.CutSuffix(parts[3], ".json")
	if !ok {
		return p, "", false
	}
	from, to, ok := strings.Cut(name, "-")
	if !ok {
		return p, "", false
	}
	for _, n := range []struct {
		text string
		to   *int64
	}{{parts[1], &p.Index}, {from, &p.Start}, {to, &p.End}} {
		v, err := strconv.ParseInt(n.text, 10, 64)
		if err != nil || v < 0 || strconv.FormatInt(v, 10) != n.text {
			return Part{}, "", false
		}
		*n.to = v
	}
	return p, parts[2], p.Start < p.End
}

// union gives the items of parts of one block.
func union(parts []Part) (l identity.List) {
	sort.Slice(parts, func(i, j int) bool { return parts[i].Start < parts[j].Start })
	for _, p := range parts {
		l = identity.Union(l, identity.Span(p.Start, p.End))
	}
	return l
}

// Digest is the short form of a digest that stands in the keys of claims.
func Digest(whole string) string {
	const digits = 16
	hex := whole[strings.LastIndexByte(whole, ':')+1:]
	return hex[:min(digits, len(hex))]
}
