package status

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// terminal shows what a program writes: as much of a VT100 as a watch needs.
type terminal struct {
	mu         sync.Mutex
	cols, rows int
	x, y       int
	screens    [2][][]rune // the normal and the second one
	second     bool
	hidden     bool // the cursor is
	wrapped    int  // characters that didn't fit into their line
	unknown    []string
	rest       []byte
}

func newTerminal(cols, rows int) *terminal {
	t := &terminal{}
	t.resize(cols, rows)
	return t
}

// resize begins with an empty screen, as the program must draw all of it.
func (t *terminal) resize(cols, rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cols, t.rows, t.x, t.y = cols, rows, 0, 0
	for i := range t.screens {
		t.screens[i] = make([][]rune, rows)
	}
}

var sequences = regexp.MustCompile(`^\x1b\[([?0-9;]*)([A-Za-z])`)

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, p...)
	for len(t.rest) > 0 {
		if t.rest[0] == '\x1b' {
			m := sequences.FindSubmatch(t.rest)
			if m == nil && len(t.rest) < 12 {
				return len(p), nil // the rest comes
			}
			if m == nil {
				t.unknown = append(t.unknown, string(t.rest[:12]))
				t.rest = t.rest[1:]
				continue
			}
			t.control(string(m[1]), string(m[2]))
			t.rest = t.rest[len(m[0]):]
			continue
		}
		if !utf8.FullRune(t.rest) {
			return len(p), nil
		}
		r, size := utf8.DecodeRune(t.rest)
		t.put(r)
		t.rest = t.rest[size:]
	}
	return len(p), nil
}

func (t *terminal) screen() [][]rune {
	if t.second {
		return t.screens[1]
	}
	return t.screens[0]
}

func (t *terminal) control(parameters, final string) {
	switch parameters + final {
	case "?1049h", "?1049l":
		t.second = final == "h"
		t.x, t.y = 0, 0
	case "?25h", "?25l":
		t.hidden = final == "l"
	case "H":
		t.x, t.y = 0, 0
	case "K":
		line := t.screen()[t.y]
		t.screen()[t.y] = line[:min(len(line), t.x)]
	case "2J":
		clear(t.screen())
	case "J":
		line := t.screen()[t.y]
		t.screen()[t.y] = line[:min(len(line), t.x)]
		clear(t.screen()[t.y+1:])
	default:
		if _, err := strconv.Atoi(strings.ReplaceAll(parameters, ";", "")); final != "m" || err != nil {
			t.unknown = append(t.unknown, parameters+final)
		}
	}
}

func (t *terminal) put(r rune) {
	switch r {
	case '\r':
		t.x = 0
	case '\n':
		if t.y++; t.y == t.rows {
			t.y--
			copy(t.screen(), t.screen()[1:])
			t.screen()[t.y] = nil
		}
	default:
		if t.x >= t.cols {
			t.wrapped++
			return
		}
		line := t.screen()[t.y]
		for len(line) <= t.x {
			line = append(line, ' ')
		}
		line[t.x] = r
		t.screen()[t.y] = line
		t.x++
	}
}

// String is what is to be seen now.
func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := make([]string, t.rows)
	for i, line := range t.screen() {
		lines[i] = strings.TrimRight(string(line), " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}
