package local

import (
	"strconv"
	"time"

	"nth/shim/screen"
)

// tally is what the bar shows.
type tally struct {
	done, failed, total int64
	running             int
}

// bar gives the bar at a rate of indexes settled per second; 0 means unknown.
func (t tally) bar(rate float64) screen.Bar {
	b := screen.Bar{Done: t.done + t.failed, Total: t.total, Parts: []string{strconv.Itoa(t.running) + " running"}}
	if t.failed > 0 {
		b.Failed = itoa(t.failed) + " failed"
	}
	b.Parts = append(b.Parts, screen.Pace(rate, b.Total-b.Done)...)
	return b
}

// drawBar shows the bar until the Job is over.
func (j *job) drawBar() {
	var m screen.Meter
	j.screen.Run(j.quit, func(now time.Time) screen.Bar {
		j.shown.Lock()
		defer j.shown.Unlock()
		t := j.shown.tally
		m.Sample(now, t.done+t.failed)
		return j.shown.backlog.bar(now, t.bar(m.Rate(now, t.done+t.failed)))
	})
}
