package chaos

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"nth/shim/local"
	"nth/shim/marker"
)

const markersFlag = "--markers="

// instead gives the markers that the first round has, and the flags with those in place of the
// user's, which are left alone: what is done there isn't done here.
func (t *trial) instead(own []string) (string, []string) {
	where := address(t.markers(calm))
	own = slices.DeleteFunc(slices.Clone(own), func(word string) bool { return strings.HasPrefix(word, markersFlag) })
	_ = os.MkdirAll(t.markers(calm), 0o700)
	return where, append(own, markersFlag+where)
}

// markers is the directory of a round's.
func (t *trial) markers(round string) string { return filepath.Join(t.dir, "markers", round) }

func address(dir string) string { return (&url.URL{Scheme: "file", Path: dir}).String() }

// markers is such a directory.
type markers struct{ dir string }

func (m markers) done(index int64) string {
	return filepath.Join(m.dir, "done", strconv.FormatInt(index, 10)+".json")
}

func (m markers) read(index int64) (*marker.Marker, bool) {
	body, err := os.ReadFile(m.done(index))
	if err != nil {
		return nil, false
	}
	doc, err := marker.Decode(body, index)
	return doc, err == nil
}

// took tells how long the command of an index took; 0: that isn't known.
func (m markers) took(index int64) time.Duration {
	if doc, ok := m.read(index); ok {
		return time.Duration(doc.DurationS * float64(time.Second))
	}
	return 0
}

// forget makes an index be run again that is done, as if nth had been killed between the
// command's end and the marker: with what it has published, but without the marker, and of
// its items without a note of which are done. It tells whether it was done.
func (m markers) forget(index int64) bool {
	number := strconv.FormatInt(index, 10)
	_ = os.RemoveAll(filepath.Join(m.dir, "progress", number))
	_ = os.Remove(filepath.Join(m.dir, "skipped", number+".json"))
	return os.Remove(m.done(index)) == nil
}

// mostLooked is how many commands are looked at, to find out whose a file is.
const mostLooked = 10_000

// whose finds out which index has written what differs.
func (m markers) whose(list []difference, o local.Options) {
	var texts map[int64]string
	for i := range list {
		d := &list[i]
		if d.index != unknown {
			continue
		}
		if texts == nil {
			texts = m.commands(o)
		}
		d.index = owner(d.name, d.path, texts)
	}
}

func (m markers) commands(o local.Options) map[int64]string {
	texts := map[int64]string{}
	for n := range min(o.Total(), mostLooked) {
		index := n
		if o.Indexes != nil {
			index = o.Indexes[n]
		}
		if doc, ok := m.read(index); ok {
			texts[index] = strings.Join(doc.Command, "\n")
		}
	}
	return texts
}

// owner gives the index that has written a file: the one whose command alone has its name in
// it, or as much of the name's end as any has; else the one whose number is in its path within
// the place; unknown.
func owner(name, path string, texts map[int64]string) int64 {
	for rest, more := name, true; more; _, rest, more = strings.Cut(rest, "/") {
		var found []int64
		for index, text := range texts {
			if rest != "" && names(text, rest) {
				found = append(found, index)
			}
		}
		if len(found) == 1 {
			return found[0]
		} else if len(found) > 1 {
			break
		}
	}
	found := int64(unknown)
	for digits := range strings.FieldsFuncSeq(path, func(r rune) bool { return r < '0' || r > '9' }) {
		index, err := strconv.ParseInt(digits, 10, 64)
		if _, there := texts[index]; err != nil || !there {
			continue
		}
		if found != unknown && found != index {
			return unknown
		}
		found = index
	}
	return found
}

// names tells whether a text has a name as a word of its own.
func names(text, name string) bool {
	part := func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-'
	}
	for at := 0; ; at++ {
		n := strings.Index(text[at:], name)
		if n < 0 {
			return false
		}
		at += n
		end := at + len(name)
		if (at == 0 || !part(text[at-1])) && (end == len(text) || !part(text[end]) && text[end] != '.') {
			return true
		}
	}
}
