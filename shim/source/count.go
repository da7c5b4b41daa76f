package source

import (
	"context"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/identity"
	"nth/shim/item"
	"nth/shim/task"
)

// Counts gives what tells how many tasks the queue of --tasks has, for who starts the
// workers; nil where there is no queue, each index has its own, or the source can't
// tell. What is wrong with the queue is the workers' to say.
func Counts(c config.Config, p edge.Process) (count func(context.Context) (task.Counts, error), done func()) {
	if c.Source() != config.Queue {
		return nil, nil
	}
	m, err := Parse(&c)
	if err != nil || m.tasks.UsesIndex() {
		return nil, nil
	}
	r := &item.Run{Process: p, Config: &c, Identity: identity.Outside(c.Index, p.Hostname)}
	x := r.Expander(r.Fields(), r.Secrets)
	url := x.Named(m.Tasks())
	if x.Err != nil {
		return nil, nil
	}
	q, err := m.Open(r, url.Value)
	if err != nil {
		return nil, nil
	}
	counter, ok := q.Source.(task.Counter)
	if !ok {
		_ = q.Close() // nothing was asked
		return nil, nil
	}
	return counter.Count, func() { _ = q.Close() }
}
