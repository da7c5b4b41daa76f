package chaos

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"unicode/utf8"

	"nth/shim/failure"
)

// mostRead is the size of a file beyond which its content isn't looked at, in bytes.
const mostRead = 16 << 20

// unsteady is the reason of what differs without any disturbance.
const unsteady = "differs between two undisturbed runs too: the order, the time or chance is in it, so it tells nothing about restarts"

// reordered is the reason of what has the same lines in another order.
const reordered = "the same lines in another order: whichever run comes first writes first"

// another is what is said of a content of which nothing can be said.
const another = "another content"

// reason guesses why what is there isn't what should be.
func (d difference) reason() string {
	switch {
	case d.got.what == "":
		return "missing when disturbed: a run that was killed took it away, or a later one took it for done"
	case d.want.what == "":
		return "there only when disturbed: left behind by a run that was killed, or named by the time or the process"
	case d.want.what != "file" || d.got.what != "file":
		return fmt.Sprintf("a %s undisturbed, a %s disturbed", d.want.what, d.got.what)
	}
	want, got, ok := d.contents()
	if !ok {
		return "another content, too large to be looked at"
	}
	return why(want, got)
}

// contents reads both versions.
func (d difference) contents() (want, got []byte, ok bool) {
	if d.want.what != "file" || d.got.what != "file" || max(d.want.size, d.got.size) > mostRead {
		return nil, nil, false
	}
	want, err := os.ReadFile(d.want.kept)
	if err != nil {
		return nil, nil, false
	}
	got, err = os.ReadFile(d.got.kept)
	return want, got, err == nil
}

// why tells what was probably done to a content that was to be another one.
func why(want, got []byte) string {
	switch {
	case len(got) == 0:
		return "empty when disturbed: a run that began to write it was killed, and what came after took it for done"
	case len(want) == 0:
		return "empty only when undisturbed: each further run adds to it"
	case len(got)%len(want) == 0 && bytes.Equal(bytes.Repeat(want, len(got)/len(want)), got):
		return fmt.Sprintf("the undisturbed content is there %d times: it was appended again by each further run", len(got)/len(want))
	case bytes.HasPrefix(want, got):
		return fmt.Sprintf("half written: it ends after %d of %d bytes, where a run was killed, and was taken for whole", len(got), len(want))
	}
	if text := lines(want, got); text != "" {
		return text
	}
	if text := numbers(want, got); text != "" { // before what follows: 11 isn't 1 begun, and then 1
		return text
	}
	if bytes.HasSuffix(got, want) && fragments(want, got[:len(got)-len(want)]) {
		return "begun by runs that were killed, and appended again by others"
	}
	return another
}

// fragments tells whether all of it consists of beginnings of the whole.
func fragments(whole, all []byte) bool {
	for len(all) > 0 {
		n := 0
		for n < len(all) && n < len(whole) && all[n] == whole[n] {
			n++
		}
		if n == 0 {
			return false
		}
		all = all[n:]
	}
	return true
}

// lines tells in which way two texts have the same lines.
func lines(want, got []byte) string {
	count := func(text []byte) (n map[string]int, all int) {
		n = map[string]int{}
		for line := range bytes.Lines(text) {
			n[string(line)]++
			all++
		}
		return n, all
	}
	w, all := count(want)
	g, _ := count(got)
	more, fewer, strange := 0, 0, 0
	for line, n := range g {
		switch {
		case w[line] == 0:
			strange += n
		case n > w[line]:
			more += n - w[line]
		}
	}
	for line, n := range w {
		fewer += max(0, n-g[line])
	}
	switch {
	case strange > 0:
		return ""
	case more == 0 && fewer == 0:
		return reordered
	case fewer == 0:
		return fmt.Sprintf("%s more than once: appended again by further runs", are(more, "line is", "lines are"))
	case more == 0:
		return fmt.Sprintf("%s missing, of %d: another run has overwritten what was there, or a run was killed before it had written", are(fewer, "line is", "lines are"), all)
	}
	return "lines were lost, and others are there more than once: two runs wrote at the same time"
}

func are(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// numbers tells whether two texts differ in nothing but numbers.
func numbers(want, got []byte) string {
	if !utf8.Valid(want) || !utf8.Valid(got) {
		return ""
	}
	first := ""
	for len(want) > 0 || len(got) > 0 {
		w, g := digits(want), digits(got)
		if (len(w) > 0) != (len(g) > 0) {
			return ""
		}
		if first == "" && !bytes.Equal(w, g) {
			first = fmt.Sprintf("a number is %s and should be %s: something was counted again by further runs", g, w)
		}
		if want, got = want[len(w):], got[len(g):]; len(want) == 0 || len(got) == 0 {
			break
		}
		if len(w) == 0 {
			if want[0] != got[0] {
				return ""
			}
			want, got = want[1:], got[1:]
		}
	}
	if len(want) > 0 || len(got) > 0 {
		return ""
	}
	return first
}

// digits gives the number that a text begins with.
func digits(text []byte) []byte {
	return text[:len(text)-len(bytes.TrimLeft(text, "0123456789"))]
}

// mostLine is how much of a line is shown, in bytes.
const mostLine = 100

// contrast shows both versions: their sizes and sums, and the first line that differs.
func contrast(d difference) (shown []string) {
	if d.want.what == "file" && d.got.what == "file" {
		shown = append(shown, "undisturbed: "+d.want.figures(), "disturbed:   "+d.got.figures())
	}
	want, got, ok := d.contents()
	if !ok || !utf8.Valid(want) || !utf8.Valid(got) || slices.Contains(want, 0) || slices.Contains(got, 0) {
		return shown
	}
	w, g := bytes.SplitAfter(want, []byte("\n")), bytes.SplitAfter(got, []byte("\n"))
	for i := range max(len(w), len(g)) {
		if a, b := at(w, i), at(g, i); a != b {
			return append(shown, fmt.Sprintf("line %d undisturbed: %s", i+1, a), fmt.Sprintf("line %d disturbed:   %s", i+1, b))
		}
	}
	return shown
}

// at gives a line of a text; beyond its end it says so.
func at(lines [][]byte, i int) string {
	if i >= len(lines) || len(lines[i]) == 0 {
		return "(the end)"
	}
	line := lines[i]
	if len(line) > mostLine {
		return strconv.Quote(failure.OneLine(string(bytes.ToValidUTF8(line[:mostLine], nil)))) + "…"
	}
	return strconv.Quote(string(line))
}

func (e entry) figures() string {
	return some(int(e.size), "byte") + ", sha256 " + hex.EncodeToString(e.sum[:8]) + "…"
}
