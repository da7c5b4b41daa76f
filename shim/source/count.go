package source

import (
	"context"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task"
)

// Counts gives what tells how many tasks the queue of --tasks has, for who starts the
// workers; nil where there is no queue, each index has its own, or the source can't
// tell. What is wrong with the queue is the workers' to say.
func Counts(c config.Config, p edge.Process) (count func(context.Context) (task.Counts, error), done func()) {
	q := outside(c, p)
	if q == nil {
		return nil, nil
	}
	counter, ok := q.Source.(task.Counter)
	if !ok {
		_ = q.Close() // nothing was asked
		return nil, nil
	}
	return counter.Count, func() { _ = q.Close() }
}

// Denied asks the queue what every worker asks it, and tells where the credentials are
// refused; nil: they aren't, or nobody can say so from here.
func Denied(ctx context.Context, c config.Config, p edge.Process) error {
	q := outside(c, p)
	if q == nil {
		return nil
	}
	defer q.Close()
	if _, err := q.Unfinished(ctx); store.Classify(err) == contract.Denied {
		return store.Fail(err, failure.TheJob, "look into the queue", q.Shown)
	}
	return nil
}

// outside opens the queue of --tasks where no worker is; nil: there is none, or each index
// has its own.
func outside(c config.Config, p edge.Process) *Queue {
	if c.Source() != config.Queue {
		return nil
	}
	m, err := Parse(&c)
	if err != nil || m.tasks.UsesIndex() {
		return nil
	}
	r := &item.Run{Process: p, Config: &c, Identity: identity.Outside(c.Index, p.Hostname)}
	x := r.Expander(r.Fields(), r.Secrets)
	url := x.Named(m.Tasks())
	if x.Err != nil {
		return nil
	}
	q, err := m.Open(r, url.Value, nil)
	if err != nil {
		return nil
	}
	return q
}
