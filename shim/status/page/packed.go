//go:build packed

package page

import (
	"compress/flate"
	_ "embed" // what .ci/without/page has written
	"io"
	"strings"
)

//go:embed packed
var packed string

// Read gives the parts.
func Read() Parts {
	all, err := io.ReadAll(flate.NewReader(strings.NewReader(packed)))
	if err != nil {
		panic(err) // the build is broken
	}
	return split(string(all))
}
