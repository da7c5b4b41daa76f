package share

import (
	"testing"

	"nth/shim/marker"
)

// TestSpace: chunks follow each other, get no larger, and are a whole block; an item's owner
// is whose block it is in.
func TestSpace(t *testing.T) {
	for _, s := range []Space{{0, 3}, {1, 4}, {10, 1}, {400, 4}, {401, 7}, {5, 9}, {100_000, 33}} {
		for index := range s.Workers {
			b := s.Block(index)
			at, last := b.Start, s.Items+1
			for p := range s.Chunks(index) {
				if p.Index != index || p.Start != at || p.Len() < 1 || p.Len() > last {
					t.Fatalf("%v: %v after %d, of at most %d", s, p, at, last)
				}
				for item := p.Start; item < p.End; item++ {
					if got := s.Owner(item); got != index {
						t.Fatalf("%v: item %d is %d's, want %d", s, item, got, index)
					}
				}
				at, last = p.End, p.Len()
			}
			if at != b.End {
				t.Errorf("%v: the chunks of %d end at %d, want %d", s, index, at, b.End)
			}
		}
	}
}

// FuzzParse: a key that is read is the key that would be written, and no other.
func FuzzParse(f *testing.F) {
	for _, key := range []string{"share/3/83f7a86274776711/30-31.json", "share/3/d/31-30.json", "share/03/d/1-2.json", "share/3/1-2.json", "done/3.json", "share/3/d/-1-2.json"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		p, digest, ok := parse(key)
		if ok && marker.ShareFolder(p.Index)+p.chunk(digest)+".json" != key {
			t.Errorf("%q is read as %v of %q", key, p, digest)
		}
	})
}
