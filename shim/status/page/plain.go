//go:build !packed

package page

import (
	_ "embed" // the files
	"strings"
)

var (
	//go:embed page.html
	html string
	//go:embed page.css
	style string
	//go:embed data.js
	data string
	//go:embed filter.js
	filter string
	//go:embed grid.js
	grid string
	//go:embed failures.js
	failures string
	//go:embed charts.js
	charts string
	//go:embed main.js
	mainJS string
)

// Read gives the parts.
func Read() Parts {
	return split(strings.Join([]string{html, style, data, filter, grid, failures, charts, mainJS, ""}, "\x00"))
}
