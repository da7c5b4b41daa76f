package local

import "time"

// note is a line of nth local's own about an index.
type note struct {
	prefix []byte
	line   string
}

// note says something without waiting: whoever reads slowly must not keep the
// Job from being stopped. A note beyond a thousand unread ones is dropped; the
// summary tells the same.
func (j *job) note(prefix []byte, line string) {
	select {
	case j.notes <- note{prefix, line}:
	default:
	}
}

// speak writes the notes until the Job is over.
func (j *job) speak() {
	for n := range j.notes {
		j.screen.say(n.prefix, n.line)
	}
}

// publish hands the counts to whoever draws the bar.
func (j *job) publish() {
	if !j.screen.hasBar {
		return
	}
	j.shown.Lock()
	j.shown.tally = tally{j.done, j.failed, j.total, len(j.running)}
	j.shown.Unlock()
}

// drawBar draws in a goroutine of its own: a terminal that was stopped with
// Ctrl-S must not keep the Job from being controlled.
func (j *job) drawBar() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var m meter
	color := useColor(j.screen)
	for {
		j.shown.Lock()
		t := j.shown.tally
		j.shown.Unlock()
		now := time.Now()
		m.sample(now, t.done+t.failed)
		rate := m.rate(now, t.done+t.failed)
		j.screen.draw(func(width int) ([]byte, int) { return t.render(width, rate, color) })
		select {
		case <-j.quit:
			return
		case <-tick.C:
		}
	}
}
