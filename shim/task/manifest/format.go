package manifest

import (
	"net/url"
	"path"
	"strings"
)

// format is how a manifest's rows are written.
type format struct {
	name  string
	comma byte // between fields; 0: there is no header
	spans bool // quotes protect a line's end, and must be right; else a row is a line
	json  bool // each row must be JSON
}

// formats, by the end of the name. csv is RFC 4180's. In tsv a row is a line: most of what
// writes it knows no quotes, so that one that begins a field is no sign of another to
// come, and looking for it would take the rows between for one. Quotes around a whole
// field are those of spreadsheets, Python and dsub, and may hold tabs; every other quote
// is text, as in 5" pipe.
func formats() map[string]format {
	return map[string]format{
		".csv":   {name: "csv", comma: ',', spans: true},
		".tsv":   {name: "tsv", comma: '\t'},
		".jsonl": {name: "jsonl", json: true},
		".txt":   {name: "txt"},
	}
}

const compressed = ".gz"

// formatOf tells what a name's end promises.
func formatOf(name string) (f format, gz, ok bool) {
	name, gz = strings.CutSuffix(strings.ToLower(name), compressed)
	f, ok = formats()[path.Ext(name)]
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
