package local

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// tally is what the bar shows.
type tally struct {
	done, failed, total int64
	running             int
}

// rateWindow is the number of samples, one a second, that the rate is the mean
// of: items that were done already pass in no time and would spoil it for ever.
const rateWindow = 60

// meter measures how fast indexes settle.
type meter struct {
	times [rateWindow]time.Time
	count [rateWindow]int64
	n     int // samples taken
}

// sample notes that settled indexes were settled at a time.
func (m *meter) sample(at time.Time, settled int64) {
	if m.n > 0 && at.Sub(m.times[(m.n-1)%rateWindow]) < time.Second {
		return
	}
	m.times[m.n%rateWindow], m.count[m.n%rateWindow] = at, settled
	m.n++
}

// rate gives the indexes settled per second; 0 means unknown.
func (m *meter) rate(at time.Time, settled int64) float64 {
	if m.n == 0 {
		return 0
	}
	oldest := 0
	if m.n > rateWindow {
		oldest = m.n % rateWindow
	}
	d := at.Sub(m.times[oldest]).Seconds()
	if d <= 0 {
		return 0
	}
	return float64(settled-m.count[oldest]) / d
}

const (
	barMin, barMax = 10, 40
	red, plain     = "\x1b[31m", "\x1b[0m"
)

// render draws the bar in at most width columns; what doesn't fit is left out
// from the right.
func (t tally) render(width int, rate float64, color bool) (text []byte, cols int) {
	settled := t.done + t.failed
	fixed := " " + itoa(settled) + "/" + itoa(t.total)
	parts := []string{strconv.FormatInt(percent(settled, t.total), 10) + "%"}
	failed := ""
	if t.failed > 0 {
		failed = itoa(t.failed) + " failed"
		parts = append(parts, failed)
	}
	parts = append(parts, strconv.Itoa(t.running)+" running")
	if rate > 0 {
		parts = append(parts, perSecond(rate))
		if settled < t.total {
			left := min(float64(t.total-settled)/rate, 1e9)
			parts = append(parts, "ETA "+short(time.Duration(left)*time.Second))
		}
	}
	line := fixed
	for _, p := range parts {
		if len(line)+2+len(p) > width {
			break
		}
		line += "  " + p
	}
	if room := min(width-len(line)-2, barMax); room >= barMin {
		full := int(percent(settled, t.total)) * room / 100
		line = "[" + strings.Repeat("#", full) + strings.Repeat("-", room-full) + "]" + line
	}
	line = strings.TrimLeft(line, " ")
	line = line[:min(len(line), max(0, width))]
	cols = len(line)
	if color && failed != "" {
		line = strings.Replace(line, failed, red+failed+plain, 1)
	}
	return []byte(line), cols
}

// percent is rounded down, so that 100 means all.
func percent(n, total int64) int64 { return int64(float64(n) / float64(total) * 100) }

func perSecond(rate float64) string {
	if rate < 0.1 {
		return strconv.FormatFloat(rate*60, 'f', 1, 64) + "/min"
	}
	return strconv.FormatFloat(rate, 'f', 1, 64) + "/s"
}

// short is a duration in whole seconds, without seconds from an hour on.
func short(d time.Duration) string {
	if d >= time.Hour {
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return d.Round(time.Second).String()
}

// useColor follows https://no-color.org.
func useColor(s *screen) bool { return s.onTerm[toStderr] && os.Getenv("NO_COLOR") == "" }
