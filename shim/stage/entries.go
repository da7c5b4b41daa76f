package stage

import (
	"io/fs"
	"os"
	"sort"
)

// entriesOf lists a directory below root by name. It is fs.ReadDir of root.FS(), which keeps
// every type's method Open in the program.
func entriesOf(root *os.Root, at string) ([]fs.DirEntry, error) {
	dir, err := root.Open(at)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	return entries, err
}
