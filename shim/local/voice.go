package local

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
		j.screen.Say(n.prefix, n.line)
	}
}

// publish hands the counts to whoever draws the bar.
func (j *job) publish() {
	if !j.screen.HasBar() {
		return
	}
	j.shown.Lock()
	j.shown.tally = tally{j.done, j.failed, j.total, len(j.running)}
	j.shown.Unlock()
}
