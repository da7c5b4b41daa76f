package shim

import (
	"context"

	"nth/shim/config"
	"nth/shim/identity"
	"nth/shim/task"
)

// Counts gives what tells how many tasks the queue of --tasks has, for who starts the
// workers; nil where there is no queue, each index has its own, or the source can't
// tell. What is wrong with the queue is the workers' to say.
func Counts(c Config, w World) (count func(context.Context) (task.Counts, error), done func()) {
	if c.Tasks.URL == "" || (c.Source() == config.Item || c.Source() == config.Rows) {
		return nil, nil
	}
	r := &run{Config: c, World: w, id: identity.Identity{Completions: c.Index.Completions, Attempt: 1, Job: c.Index.Job, JobUID: c.Index.JobUID, Hostname: w.Hostname}}
	var err error
	if r.mapping, err = parseMapping(&c); err != nil || r.mapping.tasks.UsesIndex() {
		return nil, nil
	}
	x := expander{fields: fields(r.id, r.RunID), sources: r.sources()}
	url := x.expand("--tasks", r.mapping.tasks)
	r.item = &item{}
	var k worker
	if x.err != nil || r.openSource(&k, url.value) != nil {
		return nil, nil
	}
	counter, ok := k.source.(task.Counter)
	if !ok {
		_ = k.source.Close() // nothing was asked
		return nil, nil
	}
	return counter.Count, func() { _ = k.source.Close() }
}
