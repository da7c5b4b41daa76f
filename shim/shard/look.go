package shard

import (
	"context"
	"sync"
	"time"

	"nth/shim/failure"
	"nth/shim/fetch"
)

// mostAhead bounds how many objects are looked at at the same time, unless as many commands
// run.
const mostAhead = 64

// sender gives what hands a batch to who takes the rows; false: there is no more to send.
func (rs *rows) sender() func(context.Context, batch) bool {
	looker, looks := rs.m.(fetch.Looker)
	if !looks {
		return rs.send
	}
	l := &look{rows: rs, at: looker, least: rs.way.Config.AtOnce()}
	l.ahead = l.least
	return l.send
}

func (rs *rows) send(ctx context.Context, b batch) bool {
	select {
	case rs.batches <- b:
		return true
	case <-ctx.Done():
		return false
	}
}

// look hands objects over as they are now, and not as they were when they were listed. It
// looks at a few while the commands of those before them run: at as many as run at the
// same time, so that what was seen isn't old, and at more only while commands wait for it.
type look struct {
	*rows
	at           fetch.Looker
	least, ahead int
}

func (l *look) send(ctx context.Context, b batch) bool {
	for len(b.rows) > 0 {
		n := min(l.ahead, len(b.rows))
		began := time.Now()
		some := l.now(ctx, b.rows[:n])
		looked := time.Now()
		if !l.rows.send(ctx, some) || some.err != nil {
			return false
		}
		b.rows = b.rows[n:]
		l.ahead = l.least
		if time.Since(looked) < looked.Sub(began) {
			l.ahead = max(l.least, min(2*n, mostAhead))
		}
	}
	return b.err == nil || l.rows.send(ctx, b)
}

// now looks at rows. One whose object is gone, or is none any more, is bad; of whatever
// else keeps one from being looked at, those behind it would tell the same.
func (l *look) now(ctx context.Context, list []row) batch {
	var all sync.WaitGroup
	for i := range list {
		one := &list[i]
		all.Go(func() {
			if one.err != nil {
				return
			}
			now, err := l.at.Now(ctx, one.listed)
			one.task, one.err, one.listed = now.Task, err, fetch.Row{}
		})
	}
	all.Wait()
	for i, one := range list {
		if f := failure.From(one.err); one.err != nil && f.Code != failure.NoInput && f.Code != failure.BadIndex {
			return batch{list[:i], one.err}
		}
	}
	return batch{rows: list}
}
