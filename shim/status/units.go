package status

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cutList gives a list as far as it fits, and how many indexes more there are.
func cutList(list string, width int) string {
	if len(list) <= width {
		return list
	}
	const reserved = len(",… and 1000000 more")
	shown, more := "", int64(0)
	for part := range strings.SplitSeq(list, ",") {
		if more == 0 && len(shown)+1+len(part)+reserved <= width {
			shown += part + ","
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		a, _ := strconv.ParseInt(first, 10, 64)
		b, _ := strconv.ParseInt(last, 10, 64)
		if more++; isRange {
			more += b - a
		}
	}
	return fmt.Sprintf("%s… and %d more", shown, more)
}

func ago(d time.Duration) string {
	if d < time.Second {
		return "now"
	}
	return short(d) + " ago"
}

// short is a duration in its greatest unit or two.
func short(d time.Duration) string {
	const day = 24 * time.Hour
	unit := time.Millisecond
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%dd", d/day)
	case d >= time.Hour:
		unit = time.Minute
	case d >= 10*time.Second:
		unit = time.Second
	}
	s := d.Round(unit).String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, nothing) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// size is a number of bytes in units of 1,000.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}
