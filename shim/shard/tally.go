package shard

import (
	"strings"
	"sync"
	"syscall"
	"time"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/proc"
)

// tally is what has come of a shard's items.
type tally struct {
	before marker.Progress // what other runs have done; with --share under the lock
	others
	began  time.Time
	at     int64        // no item before it is still to be started
	first  *itemFailure // nil: none has failed
	broken error        // why no more items can be had

	// now is between the loop that runs items and what tells of it.
	mu  sync.Mutex
	now sum
	verdicts
}

// verdicts are those that aren't final. All but the functions are under the tally's lock.
type verdicts struct {
	// late are items that ended well, in order, for so short a time that a stop signal
	// may yet tell what ended them.
	late    []lately
	settled func(ended time.Time) (final bool, by syscall.Signal)
	look    func() // for stop signals: without one, what had ended a while before is final
	looks   bool   // one is on its way
}

// others is what a tally knows of items that aren't its index's own (--share).
type others struct {
	index int64                  // its own
	whose func(item int64) int64 // whose an item is; nil: its own
	away  map[int64]*sum         // what has come of theirs; under the lock
	kick  chan struct{}          // what is done is to be recorded at once, for others wait
}

type lately struct {
	item    int64
	outcome string
	ended   time.Time
}

// endedWell takes down an item, whose end is looked at again as soon as it may be final: what
// isn't then, when a stop signal comes, is lost. The lock is held.
func (t *tally) endedWell(one lately) {
	t.late = append(t.late, one)
	if t.looks {
		return
	}
	t.looks = true
	time.AfterFunc(proc.Settle, t.lookAgain)
}

func (t *tally) lookAgain() {
	t.look()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settleLate()
	if t.looks = len(t.late) > 0; t.looks {
		time.AfterFunc(proc.Settle, t.lookAgain)
	}
}

// settleLate counts what is final by now, and forgets what a stop signal may have ended:
// that is neither done nor failed. The lock is held.
func (t *tally) settleLate() {
	for len(t.late) > 0 {
		one := t.late[0]
		final, by := t.settled(one.ended)
		if !final {
			return
		}
		if t.late = t.late[1:]; by == 0 {
			t.of(one.item).settle(one.item, one.outcome)
		}
	}
}

// of gives where an item counts. The lock is held.
func (t *tally) of(item int64) *sum {
	if t.whose == nil {
		return &t.now
	}
	index := t.whose(item)
	if index == t.index {
		return &t.now
	}
	if t.away[index] == nil {
		t.away[index] = &sum{}
	}
	return t.away[index]
}

// sum is what this run has come to.
type sum struct {
	done, skipped, failed    identity.List // they may be cut
	settled, skips, failures int64
	left                     int64 // commands that left processes behind
	used                     marker.Usage
	changes                  int64
}

// await settles what is left when no more commands are started. settled waits until it is
// final what ended a command.
func (t *tally) await(settled func(ended time.Time) (by syscall.Signal)) {
	t.mu.Lock()
	late := t.late
	t.late = nil // nobody else settles them
	t.mu.Unlock()
	if len(late) == 0 {
		return
	}
	settled(late[len(late)-1].ended)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range late {
		if _, by := t.settled(one.ended); by == 0 {
			t.of(one.item).settle(one.item, one.outcome)
		}
	}
}

// snapshot gives what this run has come to so far, for others to keep.
func (t *tally) snapshot() sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settleLate()
	return t.now.clone()
}

func (s sum) clone() sum {
	s.done, s.skipped, s.failed = s.done.Clone(), s.skipped.Clone(), s.failed.Clone()
	return s
}

// helped is snapshot for the items of others, by their indexes.
func (t *tally) helped() map[int64]sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settleLate()
	all := make(map[int64]sum, len(t.away))
	for index, s := range t.away {
		all[index] = s.clone()
	}
	return all
}

// learn takes over what other runs are known to have done by now.
func (t *tally) learn(p marker.Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before = p
}

func (t *tally) known() marker.Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.before
}

// record has what is done recorded soon.
func (t *tally) record() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// counted gives the numbers alone: the lists may be long.
func (t *tally) counted() sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settleLate()
	s := t.now
	s.done, s.skipped, s.failed = identity.List{}, identity.List{}, identity.List{}
	return s
}

// mostRanges bounds what is remembered of items, in ranges: what isn't is done again.
const mostRanges = 1 << 17

// ended takes down what a command has used.
func (s *sum) ended(res *proc.Result) {
	s.changes++
	s.used.MaxRSSBytes = max(s.used.MaxRSSBytes, res.MaxRSS)
	s.used.UserS += res.User.Seconds()
	s.used.SystemS += res.System.Seconds()
	if res.Leftovers > 0 {
		s.left++
	}
}

func (s *sum) settle(item int64, outcome string) {
	s.settled++
	s.changes++
	s.done.Add(item, mostRanges)
	if outcome == marker.Skipped {
		s.skips++
		s.skipped.Add(item, mostRanges)
	}
}

func (s *sum) fail(item int64) {
	s.failures++
	s.failed.Add(item, mostRanges)
}

// used is by the commands of this run.
func (t *tally) used(s sum, now time.Time) marker.Usage {
	u := s.used
	if !t.began.IsZero() {
		u.Started, u.Finished, u.DurationS = t.began.UTC(), now.UTC(), now.Sub(t.began).Seconds()
	}
	return u
}

// next gives the next number that isn't done; items before it are started by now.
func (t *tally) next() int64 {
	number := t.before.Done.Next(t.at)
	t.at = number + 1
	return number
}

// Of a list of items, how much is shown in a message and how much is recorded, in bytes.
const (
	maxShown    = 100
	maxRecorded = 2000
)

func shortList(l identity.List, most int) string {
	text := l.Cut(most).String()
	if len(text) <= most && l.Ranges() <= most {
		return text
	}
	text = text[:min(most, len(text))]
	return text[:strings.LastIndexByte(text, ',')+1] + "…"
}
