package local

import (
	"context"
	"time"

	"nth/shim/screen"
	"nth/shim/task"
)

// A queue is asked for its tasks once a second, and no more than a tenth of the time.
const (
	countEvery   = time.Second
	countTimeout = 2 * time.Second
	countShare   = 10
)

// backlog is what is known of the queue that the workers take their tasks from.
type backlog struct {
	begun  bool // it was counted once
	known  bool // and just now
	now    task.Counts
	most   int64 // that was left at one time
	before int64 // dead ones when this began
	meter  screen.Meter
}

// counted takes a count into account.
func (b *backlog) counted(at time.Time, n task.Counts) {
	if !b.begun {
		b.begun, b.before = true, n.Dead
	}
	b.known, b.now, b.most = true, n, max(b.most, n.Left)
	b.meter.Sample(at, b.done())
}

// done is how many tasks have come off since there were most of them.
func (b *backlog) done() int64 { return b.most - b.now.Left }

// bar shows the tasks; how many workers run comes behind them.
func (b *backlog) bar(at time.Time, of screen.Bar) screen.Bar {
	if !b.known || b.most == 0 {
		return of
	}
	show := screen.Bar{Done: b.done(), Total: b.most, Failed: of.Failed, Parts: []string{itoa(b.now.Left) + " tasks left"}}
	if dead := b.now.Dead - b.before; dead > 0 {
		show.Parts = append(show.Parts, itoa(dead)+" put aside")
	}
	show.Parts = append(show.Parts, of.Parts[0])
	show.Parts = append(show.Parts, screen.Pace(b.meter.Rate(at, b.done()), b.now.Left)...)
	return show
}

// watchQueue counts until the Job is over. What can't be counted isn't shown.
func (j *job) watchQueue() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-j.quit
		cancel()
	}()
	for {
		begin := time.Now()
		n, err := j.countTasks(ctx)
		j.shown.Lock()
		if err == nil {
			j.shown.backlog.counted(time.Now(), n)
		} else {
			j.shown.backlog.known = false
		}
		j.shown.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(countEvery, countShare*time.Since(begin))):
		}
	}
}

func (j *job) countTasks(ctx context.Context) (task.Counts, error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	return j.o.Tasks(ctx)
}
