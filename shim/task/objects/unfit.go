package objects

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxUnfit is how many names are told of what can't be an item.
const maxUnfit = 3

// unfit notes what the listing met that can't be an item, though its name would be one's:
// who counts files has more than nth.
func (l *List) unfit(known *Known) {
	for _, s := range l.objects.Skipped() {
		if yes, _ := l.taken(s.Key); !yes && !(s.Dir && l.leads(s.Key)) {
			continue
		}
		if known.Unfit++; known.Unfit <= maxUnfit {
			name := s.Key
			if !utf8.ValidString(name) {
				name = fmt.Sprintf("%q", name)
			}
			known.UnfitNames = append(known.UnfitNames, name+" ("+s.Why+")")
		}
	}
}

// leads tells whether items may be below a key, by its own name and the glob.
func (l *List) leads(key string) bool {
	if l.place.glob == nil || !strings.Contains(l.place.text, "/") && l.place.text != "**" {
		return false // of all, taken has told
	}
	all := *l
	all.place.glob = nil
	yes, _ := all.taken(key)
	return yes
}

// Lacks tells of what can't be an item; "": there is nothing.
func (k Known) Lacks() string {
	if k.Unfit == 0 {
		return ""
	}
	s := fmt.Sprintf("%d more can't be items: %s", k.Unfit, strings.Join(k.UnfitNames, ", "))
	if k.Unfit > maxUnfit {
		s += ", …"
	}
	return s
}
