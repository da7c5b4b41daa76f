package screen

import (
	"strconv"
	"strings"
	"time"
)

// Bar is what a progress bar shows.
type Bar struct {
	Done, Total int64
	Failed      string   // what is shown in red; empty: nothing
	Parts       []string // what else is told, the most important first
}

// rateWindow is the number of samples, one a second, that the rate is the mean
// of: items that were done already pass in no time and would spoil it for ever.
const rateWindow = 60

// Meter measures how fast items settle.
type Meter struct {
	times [rateWindow]time.Time
	count [rateWindow]int64
	n     int // samples taken
}

// Sample notes that settled items were settled at a time.
func (m *Meter) Sample(at time.Time, settled int64) {
	if m.n > 0 && at.Sub(m.times[(m.n-1)%rateWindow]) < time.Second {
		return
	}
	m.times[m.n%rateWindow], m.count[m.n%rateWindow] = at, settled
	m.n++
}

// Rate gives the items settled per second; 0 means unknown.
func (m *Meter) Rate(at time.Time, settled int64) float64 {
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

// Render draws the bar in at most width columns; what doesn't fit is left out from the
// right.
func (b Bar) Render(width int, color bool) (text []byte, cols int) {
	line := " " + itoa(b.Done) + "/" + itoa(b.Total)
	parts := []string{itoa(percent(b.Done, b.Total)) + "%"}
	if b.Failed != "" {
		parts = append(parts, b.Failed)
	}
	for _, p := range append(parts, b.Parts...) {
		if len(line)+2+len(p) > width {
			break
		}
		line += "  " + p
	}
	if room := min(width-len(line)-2, barMax); room >= barMin {
		full := int(percent(b.Done, b.Total)) * room / 100
		line = "[" + strings.Repeat("#", full) + strings.Repeat("-", room-full) + "]" + line
	}
	line = strings.TrimLeft(line, " ")
	line = line[:min(len(line), max(0, width))]
	cols = len(line)
	if color && b.Failed != "" {
		line = strings.Replace(line, b.Failed, red+b.Failed+plain, 1)
	}
	return []byte(line), cols
}

// Pace tells how fast it goes, in items per second, and how long what is left takes at
// that; nothing where it isn't known.
func Pace(rate float64, left int64) []string {
	if rate <= 0 {
		return nil
	}
	parts := []string{perSecond(rate)}
	if left > 0 {
		parts = append(parts, "ETA "+short(time.Duration(min(float64(left)/rate, 1e9))*time.Second))
	}
	return parts
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

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Beside lets draw go on beside other work, if there is a bar to draw, until stop is
// called, which closes quit, waits, and takes the bar away.
func (s *Screen) Beside(draw func(quit <-chan struct{})) (stop func()) {
	if !s.hasBar {
		return func() {}
	}
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		draw(quit)
	}()
	return func() {
		close(quit)
		<-ended
		s.Clear()
	}
}

// Run draws what bar gives, ten times a second, until quit is closed: in a goroutine of
// its own, for a terminal that was stopped with Ctrl-S must not keep the work from being
// controlled.
func (s *Screen) Run(quit <-chan struct{}, bar func(now time.Time) Bar) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	color := s.Color()
	for {
		b := bar(time.Now())
		s.Draw(func(width int) ([]byte, int) { return b.Render(width, color) })
		select {
		case <-quit:
			return
		case <-tick.C:
		}
	}
}
