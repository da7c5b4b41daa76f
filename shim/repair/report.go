package repair

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/screen"
)

// heap is items to which the same has happened.
type heap struct {
	indexes []int64
	tasks   int64
}

func (h *heap) add(item marker.Item) {
	if item.Task != "" {
		h.tasks++
		return
	}
	h.indexes = append(h.indexes, item.Index)
}

func (h *heap) len() int64 { return int64(len(h.indexes)) + h.tasks }

// String names the items: "3,7-9 and 12 tasks".
func (h *heap) String() string {
	var parts []string
	if len(h.indexes) > 0 {
		slices.Sort(h.indexes)
		parts = append(parts, identity.FormatList(h.indexes))
	}
	if h.tasks > 0 {
		parts = append(parts, counted(h.tasks, "task", "tasks"))
	}
	return strings.Join(parts, " and ")
}

// counted gives "1 marker", "98,312 markers".
func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// enumerate gives "a", "a and b", "a, b and c".
func enumerate(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}

// bar shows how many of the items are through, as they are counted, until it is stopped.
func (s *session) bar(total int) (through *atomic.Int64, stop func()) {
	through = &atomic.Int64{}
	sc := screen.New(nil, s.Stderr, s.Progress)
	if total == 0 {
		return through, func() {}
	}
	return through, sc.Beside(func(quit <-chan struct{}) {
		var m screen.Meter
		sc.Run(quit, func(now time.Time) screen.Bar {
			n := through.Load()
			m.Sample(now, n)
			return screen.Bar{Done: n, Total: int64(total), Parts: screen.Pace(m.Rate(now, n), int64(total)-n)}
		})
	})
}

// say prints a line about what was done, and warn one about what was not.
func (s *session) say(format string, args ...any) { screen.Tell(s.Stdout, format, args...) }
func (s *session) warn(format string, args ...any) {
	screen.Tell(s.Stderr, "nth: "+s.name+": "+format, args...)
}
