package manifest

import (
	"net/url"
	"path"
	"strings"
)

// format is how a manifest's rows are written.
type format struct {
	name       string
	comma      byte // between fields; 0: a row is a line, and there is no header
	bareQuotes bool // within a field without quotes, a quote is text
	json       bool // each row must be JSON
}

// formats, by the end of the name. csv is RFC 4180's. tsv is the same with tabs, as
// spreadsheets, Python and dsub write it, and takes a quote that doesn't begin a
// field for text, as there is nothing to protect in 5" pipe.
var formats = map[string]format{
	".csv":   {name: "csv", comma: ','},
	".tsv":   {name: "tsv", comma: '\t', bareQuotes: true},
	".jsonl": {name: "jsonl", json: true},
	".txt":   {name: "txt"},
}

const compressed = ".gz"

// formatOf tells what a name's end promises.
func formatOf(name string) (f format, gz, ok bool) {
	name, gz = strings.CutSuffix(strings.ToLower(name), compressed)
	f, ok = formats[path.Ext(name)]
	return f, gz, ok
}

// Is tells whether a URL names a manifest, by its end: .csv, .tsv, .jsonl or .txt,
// and each with .gz.
func Is(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	_, _, ok := formatOf(u.Path)
	return ok
}
