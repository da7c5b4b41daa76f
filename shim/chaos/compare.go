package chaos

import (
	"maps"
	"sort"
)

// unknown is the index of what can't be told whose it is.
const unknown = -1

// difference is something that isn't as it is in the undisturbed Job.
type difference struct {
	index     int64 // whose it is; unknown
	path      string
	name      string // for people
	want, got entry  // one that has no what isn't there
	why       string
}

// compare gives what differs between two places, in the order of its paths.
func compare(want, got listing) (list []difference) {
	paths := maps.Clone(want)
	maps.Copy(paths, got)
	for path := range paths {
		if w, g := want[path], got[path]; !w.same(g) {
			list = append(list, difference{index: unknown, path: path, want: w, got: g})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].path < list[j].path })
	return list
}

func (e entry) same(o entry) bool { return e.what == o.what && e.size == o.size && e.sum == o.sum }

// inOrder sorts by index; what is nobody's comes last.
func inOrder(list []difference) {
	sort.SliceStable(list, func(i, j int) bool { return uint64(list[i].index) < uint64(list[j].index) })
}
