package logs

import (
	"fmt"
	"runtime/debug"
	"time"

	"nth/shim/store/contract"
)

// work uploads what there is to upload, one part at a time and in order, until the
// log has ended and all of it is there, or its time is over.
func (l *Log) work() {
	defer close(l.done)
	defer l.cancel()
	next := &intervals{list: l.early}
	timer := time.NewTimer(next.next())
	defer timer.Stop()
	pause := firstPause
	for l.ctx.Err() == nil {
		u := l.take()
		switch {
		case u.again:
			next.list = l.early
			timer.Reset(next.next())
		case u.stirs:
			timer.Reset(next.next())
		case u.piece == nil && u.ended:
			return
		case u.piece == nil:
			l.rest()
			select {
			case <-timer.C:
				if l.tick() {
					timer.Reset(next.next())
				}
			case <-l.wake:
			case <-l.ctx.Done():
			}
		case l.upload(u) == nil:
			pause = firstPause
		case u.ended:
			l.sleep(lastPause, nil)
		default:
			l.sleep(pause, l.wake)
			pause = min(2*pause, maxPause)
		}
	}
}

// collected is after how many full parts the garbage is given back: of one there is little,
// for a store's driver sends what it gets, and needs no copy.
const collected = 16

// intervals are the times from one look at what is new to the next.
type intervals struct{ list []time.Duration }

func (i *intervals) next() time.Duration {
	if len(i.list) == 0 {
		return often
	}
	d := i.list[0]
	i.list = i.list[1:]
	return d
}

func (l *Log) sleep(d time.Duration, wake chan struct{}) {
	select {
	case <-time.After(d):
	case <-wake:
	case <-l.ctx.Done():
	}
}

// upload is what is to be uploaded: the output of a piece up to a length.
type upload struct {
	piece        *piece // nil: nothing
	body         []byte
	length       int
	ended, again bool
	stirs        bool // something has come after a time without
}

// take tells what is to be done next.
func (l *Log) take() upload {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := upload{ended: l.ending, again: l.again, stirs: l.stirs}
	if l.again, l.stirs = false, false; u.again || u.stirs {
		l.quiet = false
		return u
	}
	switch {
	case l.old != nil: // what is due stays so until after it
		u.piece = l.old
	case (l.due || l.ending) && l.now.isNew(l.ending):
		l.due, u.piece = false, l.now
	default:
		l.due = false
		return u
	}
	u.body, u.length = u.piece.body(), u.piece.len()
	return u
}

// tick says that it is time to upload what is new, and tells whether there is a next time:
// without anything new nothing wakes nth until something comes.
func (l *Log) tick() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = true
	l.quiet = l.old == nil && !l.now.isNew(false)
	return !l.quiet
}

// upload makes one try.
func (l *Log) upload(u upload) error {
	slow := time.AfterFunc(l.patience, func() { l.fail(fmt.Sprintf("the store takes longer than %s to answer", l.patience)) })
	ctx, cancel := contract.WithPatience(l.ctx, l.PerCall)
	err := l.Store.PutText(ctx, Key(l.Name, u.piece.number), u.body)
	cancel()
	quick := slow.Stop()
	l.asked = true
	if err != nil {
		u.piece.failed = true
		l.fail(l.Describe(err))
		l.mu.Lock()
		l.works, l.due = false, true
		l.mu.Unlock()
		return err
	}
	if quick {
		l.recover()
	}
	if l.stored(u) && (u.piece.failed || u.piece.number%collected == 1) {
		debug.FreeOSMemory() // what its buffer was before it had grown, or a buffer of its own
	}
	return nil
}

// stored notes what the store has, and tells whether that was the last of a part.
func (l *Log) stored(u upload) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.works = true
	p := u.piece
	p.saved, p.stored = u.length, true
	if p != l.old || p.isNew(true) {
		return false
	}
	l.old = nil
	if !p.failed { // a call that was given up may still read it
		l.spare = p.buf
	}
	l.room.Broadcast()
	return true
}

// fail says that nothing may wait for the store. What is told isn't told under the
// lock, for nth's stderr may be slow, and nobody's stdout waits for that.
func (l *Log) fail(reason string) {
	l.mu.Lock()
	tell := !l.failing && l.ctx.Err() == nil
	l.failing, l.reason = true, reason
	l.room.Broadcast()
	l.mu.Unlock()
	if tell {
		l.Warn(reason)
	}
}

// recover says that the command may wait for the store again.
func (l *Log) recover() {
	l.mu.Lock()
	tell := l.failing
	l.mu.Unlock()
	if tell {
		l.Back()
	}
	l.mu.Lock()
	l.failing = false
	l.mu.Unlock()
}

// rest gives back what isn't needed until the next upload.
func (l *Log) rest() {
	l.Store.Idle()
	l.mu.Lock()
	l.spare = nil
	l.mu.Unlock()
	if l.asked {
		l.asked = false
		l.Rest()
	}
}
