//go:build !windows

package proc

import (
	"math"
	"time"
)

// streams are those of one command.
type streams struct {
	feed *feed
	take *take
	run  bool // there is a command
}

func newStreams(cmd *Command) *streams {
	return &streams{feed: newFeed(cmd.Feed), take: newTake(cmd.Take)}
}

// open makes the pipes.
func (s *streams) open() (err error) {
	if s.feed != nil {
		if s.feed.pipe, err = newStreamPipe(); err != nil {
			return err
		}
	}
	if s.take != nil {
		s.take.pipe, err = newStreamPipe()
	}
	return err
}

// are tells whether there are any.
func (s *streams) are() bool { return s.feed != nil || s.take != nil }

// started is called once the command has its ends of the pipes.
func (s *streams) started() {
	s.run = true
	s.feed.started()
	s.take.started()
}

// broken are closed when one has failed; nil: there is none.
func (s *streams) broken() (fed, taken <-chan struct{}) {
	if s.feed != nil {
		fed = s.feed.failed
	}
	if s.take != nil {
		taken = s.take.failed
	}
	return fed, taken
}

// discard ends them if there was no command.
func (s *streams) discard() {
	if !s.run {
		s.feed.discard()
		s.take.discard()
	}
}

// endStreams ends them when nothing is left of the command, and says what became of them.
func (r *runner) endStreams(res *Result) {
	res.Fed = r.feed.end()
	dead := res.Signal != 0 || res.TimedOut || res.Cancelled || res.Fed != nil
	res.Taken = r.take.end(r.takeGrace(dead))
}

// takeGrace gives how long the sink has for what is left. dead: the command is no success,
// whatever it has written.
func (r *runner) takeGrace(dead bool) time.Duration {
	grace := r.cmd.TakeGrace
	if grace <= 0 {
		grace = math.MaxInt64
	}
	if at := r.due.killAt; !at.IsZero() {
		grace = min(grace, max(time.Until(at), drain))
	}
	if dead {
		grace = min(grace, deadGrace)
	}
	return grace
}
