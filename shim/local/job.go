package local

import (
	"container/heap"
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"nth/shim/failure"
	"nth/shim/proc"
	"nth/shim/screen"
)

// job is the state of the whole. Only loop's goroutine touches it, except for
// what the bar shows. An index that has succeeded leaves nothing but a count.
type job struct {
	o     *Options
	env   []string // of every child
	dir   string   // for termination logs; empty: none
	width int      // of the widest index
	began time.Time

	total, limit int64
	next         int64 // position of the first index that was never started
	waiting      retries
	started      int64 // attempts, until now
	running      map[*child]bool
	beside       int            // of those that run, how many have given their place to another
	children     *proc.Children // where each attempt is an nth of its own
	parts        *proc.Parts    // where all run in this process
	ended        chan outcome
	freed        chan *child
	killed       chan struct{} // closed: don't wait for output any more

	done, failed int64
	failures     []Failure
	failJob      *Failure
	stopping     bool
	stopped      proc.First
	fatal        error
	unwritten    error            // why stdout or stderr can't be written any more
	giveUp       <-chan time.Time // who was killed isn't waited for any longer
	cut          []int64          // indexes that ended well, and whose output is cut off

	screen *screen.Screen
	shown  struct {
		sync.Mutex
		tally
		backlog
	}
	notes  chan note
	quit   chan struct{} // closed: the Job is over
	voices sync.WaitGroup
}

func newJob(o *Options) *job {
	j := &job{
		o: o, total: o.Total(), limit: o.MaxFailed.Of(o.Total()), began: o.clock.now(),
		running: map[*child]bool{}, ended: make(chan outcome), freed: make(chan *child), killed: make(chan struct{}),
		screen: screen.New(o.Stdout, o.Stderr, o.Progress), quit: make(chan struct{}),
		notes: make(chan note, 1024),
	}
	j.env = without(o.Environ, slices.Concat(ownVariables, o.Remove)...)
	j.width = len(itoa(j.index(j.total - 1)))
	for _, i := range o.Indexes {
		j.width = max(j.width, len(itoa(i)))
	}
	if o.Inside == nil && !has(j.env, "NTH_TERMINATION_LOG") {
		// Without it only the reasons in the summary are missing.
		j.dir, _ = os.MkdirTemp("", "nth-local-")
	}
	if j.screen.HasBar() {
		j.publish()
		j.voices.Go(j.drawBar)
		if o.Tasks != nil {
			j.voices.Go(j.watchQueue)
		}
	}
	j.voices.Go(j.speak)
	return j
}

// close takes away the bar and the temporary files. No child is left by now.
func (j *job) close() {
	j.endParts()
	close(j.quit)
	close(j.notes)
	select {
	case <-j.killed: // in a hurry: a reader may be stuck for ever
	default:
		j.voices.Wait()
	}
	j.screen.Clear()
	if j.dir != "" {
		os.RemoveAll(j.dir)
	}
}

// index is the n-th index to run.
func (j *job) index(n int64) int64 {
	if j.o.Indexes != nil {
		return j.o.Indexes[n]
	}
	return n
}

func (j *job) prefix(index int64) []byte {
	return []byte("[" + padLeft(itoa(index), j.width) + "] ")
}

// newLog makes an empty file for nth's termination message; "" if it can't.
func (j *job) newLog(index int64) string {
	if j.dir == "" {
		return ""
	}
	j.started++ // two attempts of an index may run at the same time
	path := filepath.Join(j.dir, itoa(index)+"-"+itoa(j.started))
	if os.WriteFile(path, nil, 0o600) != nil {
		return ""
	}
	return path
}

// loop is the controller: it starts what may start, then waits for the next
// thing to happen, until nothing is left.
func (j *job) loop(ctx context.Context) error {
	stop, broken := ctx.Done(), j.screen.Broken()
	suspended := proc.Suspensions()
	defer signal.Stop(suspended)
	for {
		j.heed()
		j.startSome()
		j.publish()
		if len(j.running) == 0 && (j.stopping || j.next == j.total && len(j.waiting) == 0) {
			return j.fatal
		}
		select {
		case c := <-j.freed:
			c.freed = true
			j.beside++
		case o := <-j.ended:
			j.heed()
			j.settle(o)
		case a := <-j.o.Disturber.Beside():
			j.startBeside(a)
		case <-j.due():
		case s := <-j.o.Signals:
			j.stopBy(s)
		case <-suspended:
			j.suspend()
			select { // one more, typed before it stood still
			case <-suspended:
			default:
			}
		case <-stop:
			stop = nil
			j.stopBy(syscall.SIGTERM)
		case <-j.giveUp:
			return j.fatal
		case <-broken:
			broken = nil
			j.stopUnwritten(j.screen.Err())
		}
	}
}

// due fires when a waiting index may be tried again and there is room for it.
func (j *job) due() <-chan time.Time {
	if j.stopping || len(j.waiting) == 0 || !j.hasPlace() {
		return nil
	}
	return j.o.clock.after(j.waiting[0].at.Sub(j.o.clock.now()))
}

// startSome fills the free places: first with what waited for its retry, then
// with indexes that never ran.
func (j *job) startSome() {
	for !j.stopping && j.hasPlace() {
		var a Attempt
		switch {
		case len(j.waiting) > 0 && !j.waiting[0].at.After(j.o.clock.now()):
			a = heap.Pop(&j.waiting).(retry).Attempt
		case j.next < j.total:
			a = Attempt{Index: j.index(j.next), Number: 1}
			j.next++
		default:
			return
		}
		err := j.start(a)
		switch {
		case err == nil:
		case hopeless(err):
			j.fatal = &failure.Failure{Code: failure.Setup, Tried: "start nth for index " + itoa(a.Index) + ":", On: j.o.Self, Cause: reason(err)}
			j.stop()
		default:
			j.settle(outcome{Attempt: a, code: int(failure.NotRunnable), message: "nth could not be started: " + err.Error()})
		}
	}
}

// reason is the error without the path, which is said already.
func reason(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// settle takes the end of an attempt into account, as the Job controller does.
func (j *job) settle(o outcome) {
	delete(j.running, o.of)
	if o.of != nil && o.of.freed {
		j.beside--
	}
	f := Failure{Index: o.Index, Attempts: o.Number, Code: o.code, Signal: o.signal, Message: o.message}
	act := actionOf(o.code)
	if o.signal != 0 {
		act = count // a lost pod, whatever 128+n may be
	}
	verdict := Counts
	if o.of != nil {
		verdict = j.o.Disturber.Ended(o.Attempt, f, act != count)
	}
	switch {
	case verdict == Waits:
	case verdict == Again:
		heap.Push(&j.waiting, retry{j.o.clock.now(), o.again(0, 1)})
	case verdict == Succeeded:
		j.done++
	case o.code == 0 && o.lost != nil:
		j.cut = append(j.cut, o.Index) // once more it would be found done, and write nothing
		if cutOff(o.lost) {
			f.Message = "its output is cut off: " + reason(o.lost).Error()
			j.fail(f)
		}
	case o.code == 0:
		j.done++
	case act == failJob && !j.stopping:
		j.fail(f)
		j.failJob = &f
		j.stop()
	case act != count:
		j.fail(f)
	case j.stopping: // stopped, not failed
	case o.Number > j.o.BackoffLimit:
		j.fail(f)
	default:
		delay := j.o.retryAfter(o.Number)
		heap.Push(&j.waiting, retry{j.o.clock.now().Add(delay), o.again(1, 0)})
		j.note(j.prefix(o.Index), "nth local: "+f.How()+", attempt "+strconv.Itoa(o.Number)+" of "+
			strconv.Itoa(j.o.BackoffLimit+1)+", again in "+delay.String())
	}
}

// fail counts an index that failed for good.
func (j *job) fail(f Failure) {
	j.failed++
	j.note(j.prefix(f.Index), "nth local: "+f.How()+", attempt "+strconv.Itoa(f.Attempts)+": failed")
	if len(j.failures) >= maxReasons {
		f.Message = ""
	}
	j.failures = append(j.failures, f)
	if j.failed > j.limit {
		j.stop()
	}
}
