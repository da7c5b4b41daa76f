package commands

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/screen"
)

// Meant gives the subcommand that a word may be a slip of: one that is no command in PATH
// and no path, and differs by a letter, or a long one by two. Else it gives "".
func Meant(word string, all []Command) string {
	if len(word) < 2 || strings.HasPrefix(word, "-") || strings.Contains(word, "/") {
		return ""
	}
	best, near := "", 2 // of distances from here on there is none
	if len(word) > 4 {
		near = 3
	}
	for _, c := range all {
		if d := distance(strings.ToLower(word), c.Word()); d < near {
			best, near = c.Word(), d
		}
	}
	if best == "" {
		return ""
	}
	if _, err := exec.LookPath(word); err == nil {
		return ""
	}
	return best
}

// distance is how many letters must be put in, taken out or replaced to make one word of
// the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// NotFound tells a person who has slipped so: exit code 127, as of any command that isn't
// there.
func NotFound(word string, w edge.World) int {
	f := failure.From(w.Hint(&failure.Failure{Code: failure.NotFound, Tried: "run", On: fmt.Sprintf("%q", word), Cause: errors.New("not found in PATH")}))
	screen.Tell(w.Stderr, "nth: %s", f.Error())
	return int(f.Code)
}
