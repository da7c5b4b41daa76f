package logs

import (
	"context"
	"io"
	"sync"
	"time"

	"nth/shim/store"
)

// While a command runs, what is new is uploaded after these times, and then every
// minute: an attempt that is killed early leaves its log too.
var early = []time.Duration{5 * time.Second, 10 * time.Second, 45 * time.Second}

const often = time.Minute

// patience is how long a call to the store may hold the command, whose log is whole
// as long as the store keeps up. After one that takes longer, or fails, nothing is
// held any more until a call succeeds in time.
const patience = 10 * time.Second

// Between two tries of a store that fails: a second at first, doubled each time. When
// the command has ended, there is little time left.
const (
	firstPause = time.Second
	maxPause   = time.Minute
	lastPause  = 200 * time.Millisecond
)

// Options say where a log goes.
type Options struct {
	Store    *store.Store
	Name     string                 // Index or Task
	Secrets  []string               // that never reach the store
	PerCall  time.Duration          // deadline of one call
	Describe func(err error) string // a store's error, in a line without secrets
	Warn     func(reason string)    // the store fails
	Back     func()                 // and works again
	Rest     func()                 // gives memory back that isn't needed until the next upload

	size     int // of a part; 0: PartSize, and the times above. Tests have less of each
	early    []time.Duration
	patience time.Duration
}

// Log takes the output of one attempt and uploads it as it comes. Memory is bounded,
// whatever comes and whatever the store does: two parts, and what the store's driver
// needs to send one.
type Log struct {
	Options
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{} // there is something to do
	done   chan struct{} // nothing more will be done
	asked  bool          // the store was, since the last rest

	mu      sync.Mutex
	room    *sync.Cond // there is room, or nobody waits for it any more
	old     *piece     // full, and not yet uploaded
	now     *piece     // grows
	spare   []byte     // a buffer for the next one
	failing bool       // nothing may wait for the store,
	reason  string     // and why
	works   bool       // its last call succeeded
	due     bool       // what is new is to be uploaded now
	again   bool       // begin with the early times once more
	quiet   bool       // nothing came, and no time is set
	stirs   bool       // but now something has
	ending  bool
	lost    bool // something is missing
}

// New begins a log. It asks the store nothing before something has come.
func New(o Options) *Log {
	if o.size == 0 {
		o.size, o.early, o.patience = PartSize, early, patience
	}
	o.Store.Idle() // it starts no process from here on
	l := &Log{Options: o, wake: make(chan struct{}, 1), done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.room = sync.NewCond(&l.mu)
	l.now = &piece{number: 1, limit: o.size}
	go l.work()
	return l
}

// Stream gives a writer for one of the command's outputs, whose Write never fails.
// Close is for the end of that output.
func (l *Log) Stream() io.WriteCloser { return &stream{l, newFilter(l.Secrets)} }

type stream struct {
	log    *Log
	filter *filter
}

// Write takes what was written at once: no other stream's comes between its pieces, where it
// has a secret.
func (s *stream) Write(p []byte) (int, error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.filter.pass(p, s.log.add)
	return len(p), nil
}

func (s *stream) Close() error {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.filter.end(s.log.add)
	return nil
}

// add takes a piece of the output. It waits for the store only as long as that works. The lock
// is held.
func (l *Log) add(p []byte) {
	if l.quiet {
		l.quiet, l.stirs = false, true
		poke(l.wake)
	}
	for {
		p = p[l.now.add(p):]
		if len(p) == 0 {
			return
		}
		if l.old != nil && !l.failing {
			l.room.Wait()
			continue // the other stream may have begun a part meanwhile
		}
		if l.old != nil {
			l.now.forget(l.reason) // the end of an output tells more than its middle
			l.lost = true
			continue
		}
		l.old = l.now
		l.now = &piece{number: l.old.number + 1, limit: l.size, midLine: l.old.endsMidLine(), buf: l.spare}
		l.spare = nil
		l.now.clear()
		l.now.reserve() // a command that has filled one part will fill another
		poke(l.wake)
	}
}

// Soon uploads what is new at once, and again after the early times: the command was
// told to stop, and may be killed.
func (l *Log) Soon() {
	l.mu.Lock()
	l.due, l.again = true, true
	l.mu.Unlock()
	poke(l.wake)
}

// End says that nothing more comes, and doesn't wait. What isn't uploaded within this
// time, or within the shorter one if the store doesn't work or hasn't been asked so
// far, is lost.
func (l *Log) End(within, unproven time.Duration) {
	l.mu.Lock()
	l.ending = true
	if !l.works || l.failing {
		within = min(within, unproven)
	}
	l.mu.Unlock()
	time.AfterFunc(within, l.cancel)
	poke(l.wake)
}

// Discard ends a log that is none: its command never started.
func (l *Log) Discard() {
	l.cancel()
	<-l.done
}

// Wait waits for the end, and tells whether the store has all of the output.
func (l *Log) Wait() bool {
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.lost && l.old == nil && !l.now.isNew(true)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
