package worker

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/end"
	"nth/shim/item"
	"nth/shim/once"
	"nth/shim/source"
	"nth/shim/store/contract"
	"nth/shim/task"
)

// said is an answer of a queue, and how long it takes.
type said struct {
	err  error
	t    *task.Task
	more bool // something is unfinished
	in   time.Duration
}

// script is a queue that answers as it is told, the last answer again and again.
type script struct {
	task.Source
	answers []said
	calls   int
}

func (s *script) next(ctx context.Context) said {
	a := s.answers[min(s.calls, len(s.answers)-1)]
	s.calls++
	select {
	case <-time.After(a.in):
	case <-ctx.Done():
		a.err = &contract.Error{Kind: contract.Unreachable, Cause: ctx.Err()}
	}
	return a
}

func (s *script) Keep(ctx context.Context, _ *task.Task) error { return s.next(ctx).err }

func (s *script) Take(ctx context.Context) (*task.Task, error) {
	a := s.next(ctx)
	return a.t, a.err
}

// Unfinished belongs to the answer that Take gave.
func (s *script) Unfinished(context.Context) (bool, error) {
	return s.answers[min(s.calls, len(s.answers))-1].more, nil
}

func placeOf(q *script, t config.Tasks) *place {
	p := edge.NewProcess(edge.World{LookupEnv: func(string) (string, bool) { return "", false }})
	p.Log = zerolog.New(io.Discard)
	c := &config.Config{Tasks: t}
	c.Stores.StoreTimeout = 30 * time.Second
	w := &worker{Way: &once.Way{Run: &item.Run{Process: p, Config: c}, Ending: end.New(config.Messages{})}, count: counts{began: time.Now()}, line: newLine()}
	w.until = w.ends()
	return &place{worker: w, Way: w.Way, queue: &source.Queue{Source: q}, asked: time.Now()}
}

var away = &contract.Error{Kind: contract.Unreachable, Cause: errors.New("connection refused")}

// TestLease: a lease is lost by the queue's word, and by its silence when no renewal was
// accepted for all of its time. The clock is synctest's.
func TestLease(t *testing.T) {
	const silence = "no renewal was accepted for 30s, and another worker may have it by now"
	for _, tt := range []struct {
		name    string
		answers []said
		lost    time.Duration // after it was taken; 0: it isn't
		why     string
		calls   int
	}{
		{"kept", []said{{}}, 0, "", 60},
		{"the queue's word", []said{{err: task.ErrLost}}, 10 * time.Second, "another worker has it by now", 1},
		{"the queue's word, later", []said{{}, {err: task.Lost("it is too old")}}, 20 * time.Second, "another worker has it by now: it is too old", 2},
		{"refused connections", []said{{err: away}}, 30 * time.Second, silence, 3},
		{"no answers", []said{{in: time.Hour}}, 30 * time.Second, silence, 2},
		{"it is back in time", []said{{err: away}, {err: away}, {}}, 0, "", 60},
		{"silence again", []said{{err: away}, {err: away}, {in: 9 * time.Second}, {err: away}}, time.Minute, silence, 6}, // sent at 30s
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &script{answers: tt.answers}
				began := time.Now()
				l := placeOf(q, config.Tasks{Lease: 30 * time.Second}).hold(t.Context(), &task.Task{})
				after := time.Duration(0)
				select {
				case <-l.lost:
					after = time.Since(began)
				case <-time.After(10*time.Minute + time.Second):
				}
				synctest.Wait() // what ends with the lease has ended
				if after != tt.lost || l.isLost() != (tt.lost > 0) || (l.ctx.Err() != nil) != (tt.lost > 0) {
					t.Errorf("lost after %s, want %s; %v", after, tt.lost, l.ctx.Err())
				}
				l.release()
				calls := q.calls
				time.Sleep(time.Hour)
				if q.calls != tt.calls || q.calls != calls || l.why != tt.why {
					t.Errorf("it was renewed %d times, want %d, and %d times when it was released; %q", calls, tt.calls, q.calls-calls, l.why)
				}
			})
		})
	}
}

// TestLeaseOfALateTake: a lease counts from before the take was sent, and not from its answer,
// which may have been long on its way; a source that had to wait before it asked says so.
func TestLeaseOfALateTake(t *testing.T) {
	for _, tt := range []struct {
		name  string
		took  time.Duration // from the take to its answer
		sent  time.Duration // into that, the source asked; 0: at once
		lost  time.Duration // after it was asked for
		calls int
	}{
		{"at once", 0, 0, 30 * time.Second, 3},
		{"late", 8 * time.Second, 0, 30 * time.Second, 3},
		{"later than it should be renewed", 15 * time.Second, 0, 30 * time.Second, 3},
		{"when it is over", 2 * time.Minute, 0, 2 * time.Minute, 1},
		{"asked for late", 2 * time.Minute, 2*time.Minute - 5*time.Second, 2*time.Minute + 25*time.Second, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one := &task.Task{}
				q := &script{answers: []said{{t: one, in: tt.took}, {err: away}}}
				p := placeOf(q, config.Tasks{Lease: 30 * time.Second})
				time.Sleep(time.Minute)
				began := time.Now()
				if tt.sent > 0 {
					one.Sent = began.Add(tt.sent)
				}
				if got, err := p.takeNow(t.Context()); got != one || err != nil {
					t.Fatal(got, err)
				}
				l := p.hold(t.Context(), one)
				<-l.lost
				if after := time.Since(began); after != tt.lost || q.calls != 1+tt.calls {
					t.Errorf("lost after %s and %d renewals, want %s and %d", after, q.calls-1, tt.lost, tt.calls)
				}
				l.release()
			})
		})
	}
}

// TestEnd: a worker ends when nothing is ready and nothing that is unfinished was last
// its own; with --idle-timeout, when that was so for long enough without a break.
func TestEnd(t *testing.T) {
	one := &task.Task{ID: "1"}
	repeat := func(n int, a said) (all []said) {
		for range n {
			all = append(all, a)
		}
		return all
	}
	for _, tt := range []struct {
		name    string
		tasks   config.Tasks
		answers []said
		took    *task.Task
		calls   int
		least   time.Duration
	}{
		{"a task", config.Tasks{}, []said{{t: one}}, one, 1, 0},
		{"nothing", config.Tasks{}, []said{{}}, nil, 1, 0},
		{"one of its own is unfinished", config.Tasks{}, append(repeat(20, said{more: true}), said{}), nil, 21, time.Minute},
		{"one of its own comes back", config.Tasks{}, append(repeat(20, said{more: true}), said{t: one}), one, 21, time.Minute},
		{"empty for too short a time", config.Tasks{IdleTimeout: time.Minute}, append(repeat(10, said{}), said{t: one}), one, 11, 0},
		{"empty for long enough", config.Tasks{IdleTimeout: time.Minute}, []said{{}}, nil, 18, time.Minute},
		{"empty, with a break", config.Tasks{IdleTimeout: time.Minute}, append(append(repeat(16, said{}), said{more: true}), said{}), nil, 30, 2 * time.Minute},
		{"no longer than it may run", config.Tasks{IdleTimeout: time.Hour, MaxRuntime: new(30 * time.Second)}, []said{{}}, nil, 12, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &script{answers: tt.answers}
				began := time.Now()
				got, err := placeOf(q, tt.tasks).take(t.Context(), t.Context())
				if err != nil || q.calls != tt.calls || time.Since(began) < tt.least {
					t.Errorf("%v; %d calls in %s, want %d in at least %s", err, q.calls, time.Since(began), tt.calls, tt.least)
				}
				if diff := cmp.Diff(tt.took, got); diff != "" {
					t.Errorf("took (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// last is a queue that had one task, and is asked by several places.
type last struct {
	task.Source
	mu         sync.Mutex
	given      bool
	takes      map[time.Duration]int // by when
	unfinished int
	began      time.Time
}

func (l *last) Take(context.Context) (*task.Task, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.takes[time.Since(l.began)]++
	if l.given {
		return nil, nil
	}
	l.given = true
	return &task.Task{ID: "1"}, nil
}

func (l *last) Unfinished(context.Context) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unfinished++
	return false, nil
}

// TestWaitingPlaces: while one place has a task, of the others one alone looks for more, at
// ease, and nobody asks the queue whether a task is unfinished; they all end with it.
func TestWaitingPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &last{takes: map[time.Duration]int{}, began: time.Now()}
		first := placeOf(nil, config.Tasks{})
		first.queue = &source.Queue{Source: q}
		if got, err := first.take(t.Context(), t.Context()); got == nil || err != nil {
			t.Fatal(got, err)
		}
		var group sync.WaitGroup
		for range 3 {
			way := *first.Way
			way.Ending = first.worker.Ending.Part()
			other := &place{worker: first.worker, Way: &way, queue: first.queue}
			group.Go(func() {
				if got, err := other.take(t.Context(), t.Context()); got != nil || err != nil {
					t.Error(got, err)
				}
			})
		}
		const work = time.Hour
		time.Sleep(work)
		q.mu.Lock()
		asked := 0
		for at, n := range q.takes {
			if asked += n; n > 1 && at > 0 {
				t.Errorf("%d looked at %s", n, at)
			}
		}
		if asked > int(work/maxPoll)+20 || q.unfinished > 0 {
			t.Errorf("they looked %d times, and asked %d times for what is unfinished", asked, q.unfinished)
		}
		q.mu.Unlock()
		first.worker.line.leave()
		group.Wait()
		if late := time.Since(q.began) - work; late > 0 || q.unfinished != 1 {
			t.Errorf("they ended %s later, and asked %d times for what is unfinished", late, q.unfinished)
		}
	})
}

// TestMostTasks: however many places ask at the same time, no task too many is taken, and one
// that another place wasn't given is.
func TestMostTasks(t *testing.T) {
	l := newLine()
	enter := func() (got [2]bool) {
		got[0], got[1] = l.enter(2)
		return got
	}
	may, later, never := [2]bool{true, false}, [2]bool{false, true}, [2]bool{false, false}
	got := [][2]bool{enter(), enter(), enter()}
	l.answered(nil, true)
	got = append(got, enter())
	l.answered(&task.Task{}, true)
	l.answered(&task.Task{Aside: "it was put aside"}, true)
	got = append(got, enter()) // though that one is still being told of
	l.answered(&task.Task{}, true)
	got = append(got, enter())
	if diff := cmp.Diff([][2]bool{may, may, later, may, may, never}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFirstError: an error counts also when no place took a task any more by then, and of several
// the first.
func TestFirstError(t *testing.T) {
	l, first := newLine(), errors.New("first")
	l.end(nil)
	if l.failed() || l.over.Err() == nil {
		t.Error("that nothing is left is no error, and the end")
	}
	l.end(first)
	l.end(errors.New("second"))
	if l.why != first {
		t.Error(l.why)
	}
}

// TestOverWhenStopped: a place that has no task isn't stopped when none is taken any more.
func TestOverWhenStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := placeOf(&script{answers: []said{{in: time.Minute}}}, config.Tasks{})
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, func() {
			p.worker.line.end(nil)
			stop()
		})
		if got, err := p.take(ctx, ctx); got != nil || err != nil {
			t.Error(got, err)
		}
	})
}
