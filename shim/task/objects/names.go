package objects

import "strings"

// Names says by its name alone whether an object may be an item.
type Names struct {
	exclude []glob
	deep    []bool // of exclude: it has a slash, so that it is about the whole key
}

// NamesBut are all but those that match one of these globs. An error says which is none.
func NamesBut(exclude []string) (n Names, err error) {
	for _, text := range exclude {
		g, err := parseExclude(text)
		if err != nil {
			return Names{}, err
		}
		n.exclude, n.deep = append(n.exclude, g), append(n.deep, strings.Contains(text, "/"))
	}
	return n, nil
}

// Item tells whether an object of this key, below the place that is listed, may be an item:
// it neither stands for a directory nor is left out.
func (n Names) Item(key string) bool { return !IsPlaceholder(key) && !n.left(key) }

// left tells whether a key is left out.
func (n Names) left(key string) bool {
	for i, g := range n.exclude {
		if n.deep[i] && g.match(key) {
			return true
		}
		for part := range strings.SplitSeq(key, "/") {
			if !n.deep[i] && g.match(part) {
				return true
			}
		}
	}
	return false
}
