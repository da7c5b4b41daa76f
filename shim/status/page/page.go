// Package page has the parts of nth's page for a browser.
package page

import "strings"

// Parts are those of the page, which is one file that needs no network.
type Parts struct {
	HTML   string // with words in capitals where the others, and the data, are to stand
	Style  string
	Script string // of several files, which share one scope
}

// split gives the parts of all files, each of which ends with a zero byte: the page, its style,
// and the script's files in their order.
func split(all string) (p Parts) {
	p.HTML, all, _ = strings.Cut(all, "\x00")
	p.Style, all, _ = strings.Cut(all, "\x00")
	p.Script = strings.ReplaceAll(all, "\x00", "")
	return p
}
