package look

import "fmt"

// Clashed notes which indexes write to the same place.
func (f *Found) Clashed(clashes []string) { f.clashes = clashes }

// Clash tells of indexes that would overwrite each other's outputs; "": there are none.
func (f *Found) Clash() string {
	switch n := len(f.clashes); n {
	case 0:
		return ""
	case 1:
		return f.clashes[0]
	default:
		return fmt.Sprintf("%s; and %d more of this kind", f.clashes[0], n-1)
	}
}
