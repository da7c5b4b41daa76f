package objects

import (
	"context"
	"hash/maphash"
	"strings"
)

// maxNamed is how many names are told of what came, is gone or has changed.
const maxNamed = 3

// Some are objects to which the same has happened: how many, and the first.
type Some struct {
	Count int64
	First []string
}

func (s *Some) add(key string) {
	if s.Count++; s.Count <= maxNamed {
		s.First = append(s.First, key)
	}
}

// String names them.
func (s Some) String() string {
	text := strings.Join(s.First, ", ")
	if s.Count > maxNamed {
		text += ", …"
	}
	return text
}

// Changes is what has become of the objects since the list was pinned.
type Changes struct{ Came, Gone, Changed Some }

// Since lists once more, and compares; of each object it holds two numbers. Lost is told of
// each item of which an object is gone.
func (l *List) Since(ctx context.Context, lost func(item int64)) (c Changes, err error) {
	seed := maphash.MakeSeed()
	was := map[uint64]uint64{}
	err = l.Items(ctx, 0, l.Len(), func(_ int64, it Item) error {
		for _, o := range it.Files {
			was[maphash.String(seed, o.Key)] = maphash.String(seed, o.ETag)
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	err = l.each(ctx, &Known{}, func(o Object) error {
		key := maphash.String(seed, o.Key)
		switch etag, listed := was[key]; {
		case !listed:
			c.Came.add(o.Key)
		case etag != maphash.String(seed, o.ETag):
			c.Changed.add(o.Key)
		}
		delete(was, key)
		return nil
	})
	if err != nil || len(was) == 0 {
		return c, err
	}
	err = l.Items(ctx, 0, l.Len(), func(i int64, it Item) error {
		gone := c.Gone.Count
		for _, o := range it.Files {
			if _, left := was[maphash.String(seed, o.Key)]; left {
				c.Gone.add(o.Key)
			}
		}
		if c.Gone.Count > gone {
			lost(i)
		}
		return nil
	})
	return c, err
}
