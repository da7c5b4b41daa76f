// Package worker is a run whose index is the number of a worker: it takes one task after
// the other from a queue, until none is left that only this worker would come back for.
package worker

import (
	"context"
	"fmt"
	"time"

	"nth/shim/end"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/once"
	"nth/shim/output"
	"nth/shim/record"
	"nth/shim/source"
)

// worker is what there is before the first task is taken.
type worker struct {
	*once.Way
	queue *source.Queue
	count counts
}

// counts is what a worker has come to.
type counts struct {
	began   time.Time
	settled int
	dead    int  // tasks that this run has put aside
	left    bool // of some that was taken the queue couldn't be told what came of it
	asked   bool // the queue has answered: what it says from now on, it says in the middle of the work
	// unanswered: the last take was sent, as far as is known, and had no answer.
	unanswered bool
}

// Run runs a worker.
func Run(ctx context.Context, r *item.Run, from *source.Mapping, e *end.Ending) end.Report {
	report := end.Report{Header: r.Header()}
	w, err := prepare(ctx, r, from, e, &report)
	if err == nil {
		defer w.queue.Close()
		err = w.pull(ctx)
	}
	if err != nil {
		report.Err = failure.From(err) // what a task's command left behind is told of the task
	}
	return report
}

// prepare expands what there is to expand, opens the queue and the record, and asks
// neither of them anything.
func prepare(ctx context.Context, r *item.Run, from *source.Mapping, e *end.Ending, report *end.Report) (*worker, error) {
	if err := r.Step(ctx, "prepare"); err != nil {
		return nil, err
	}
	x := r.Expander(r.Fields(), r.Secrets)
	shared, err := r.Mapping.Shared(x)
	report.QuitURL = shared.QuitURL
	tasks := x.Named(from.Tasks())
	if err == nil {
		err = x.Err
	}
	if err != nil {
		return nil, err
	}
	w := &worker{Way: &once.Way{Run: r, Ending: e}, count: counts{began: time.Now()}}
	if w.queue, err = from.Open(r, tasks.Value); err != nil {
		return nil, err
	}
	if w.Output, err = output.Open(ctx, r.Process, shared.Logs.Value, r.Config.Stores.StoreTimeout); err != nil {
		return nil, err
	}
	if shared.Markers.Value == "" {
		r.Log.Info().Msg("no --markers: what is done twice isn't noticed")
	}
	w.Record, err = record.Open(ctx, r.Process, r.Config.Markers, r.Config.Stores, shared.Markers.Value)
	report.Record = w.Record
	return w, err
}

// pull takes one task after the other.
func (w *worker) pull(ctx context.Context) error {
	if err := w.Step(ctx, "tasks"); err != nil {
		return err
	}
	warned := false
	for {
		if why := w.enough(); why != "" {
			w.Log.Info().Int("tasks", w.count.settled).Msg("no more tasks: " + why)
			return w.end()
		}
		t, err := w.take(ctx)
		if err != nil {
			return err
		}
		if t == nil && w.enough() != "" {
			continue
		}
		if t == nil {
			w.Log.Info().Int("tasks", w.count.settled).Msg("no task is left")
			return w.end()
		}
		if !warned {
			w.warn(ctx)
			warned = true
		}
		if t.Aside != "" {
			w.bury(ctx, t)
			continue
		}
		if err := w.do(ctx, t); err != nil {
			return err
		}
		if !w.Signals.Again() {
			return w.stoppedBetween()
		}
	}
}

// warn tells what a source thinks of its server, once it is known to answer.
func (w *worker) warn(ctx context.Context) {
	s, ok := w.queue.Source.(interface{ Warning(context.Context) string })
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, w.Config.Stores.StoreTimeout)
	defer cancel()
	if text := s.Warning(ctx); text != "" {
		w.Log.Warn().Msg(text)
	}
}

// enough tells why no further task is taken; "" if one is.
func (w *worker) enough() string {
	t := w.Config.Tasks
	switch {
	case t.MaxTasks > 0 && w.count.settled >= t.MaxTasks:
		return "--max-tasks"
	case t.MaxRuntime > 0 && time.Since(w.count.began) >= t.MaxRuntime:
		return "--max-runtime"
	}
	return ""
}

// end is a worker's end when it has nothing more to do.
func (w *worker) end() error {
	if w.count.dead == 0 {
		return nil
	}
	return &failure.Failure{Code: failure.BadIndex, Tried: "finish the tasks", On: w.queue.Shown,
		Cause: fmt.Errorf("%d put aside for failing too often", w.count.dead), Hint: "nth status --markers URL tells why; they are with the queue's dead letters"}
}
