// Package worker is a run whose index is the number of a worker: it takes tasks from a queue,
// as many at a time as it has places, until none is left that only this worker would come
// back for.
package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"nth/shim/end"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/once"
	"nth/shim/output"
	"nth/shim/record"
	"nth/shim/source"
	"nth/shim/task"
)

// worker is what its places have in common.
type worker struct {
	*once.Way
	from   *source.Mapping
	url    string // of the queue
	memory *task.Memory
	places []*place // that were needed so far
	count  counts
	until  until
	line   *line
	warned sync.Once // of the queue's server
}

// Run runs a worker.
func Run(ctx context.Context, r *item.Run, from *source.Mapping, e *end.Ending) end.Report {
	report := end.Report{Header: r.Header()}
	w, err := prepare(ctx, r, from, e, &report)
	if err == nil {
		defer w.close()
		err = w.pull(ctx)
	}
	if err != nil {
		_, report.OfTask = end.Ran(err)
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
	if r.Config.AtOnce() > 1 {
		x.Fields.Slot = nil // that is a task's
	}
	shared, err := r.Mapping.Shared(x)
	report.QuitURL = shared.QuitURL
	tasks := x.Named(from.Tasks())
	if err == nil {
		err = x.Err
	}
	if err != nil {
		return nil, err
	}
	w := &worker{Way: &once.Way{Run: r, Ending: e}, from: from, url: tasks.Value, memory: task.NewMemory(r.Config.AtOnce()), count: counts{began: time.Now()}, line: newLine()}
	if w.Output, err = output.Open(ctx, r.Process, shared.Logs.Value, r.Config.Stores.StoreTimeout); err != nil {
		return nil, err
	}
	if _, err = w.place(); err != nil {
		return nil, err
	}
	w.until = w.ends()
	if shared.Markers.Value == "" {
		r.Log.Info().Msg("no --markers: what is done twice isn't noticed")
	}
	w.Record, err = record.Open(ctx, r.Process, r.Config.Markers, r.Config.Stores, shared.Markers.Value)
	report.Record = w.Record
	return w, err
}

// place opens the queue for one more place, which holds one task at a time.
func (w *worker) place() (*place, error) {
	n := len(w.places)
	p := &place{worker: w, Way: w.Way}
	if w.Config.AtOnce() > 1 {
		run, way := *w.Run, *w.Way
		way.Run, way.Output = &run, w.Output.Part()
		p.Way = &way
	}
	var err error
	p.queue, err = w.from.Open(p.asking(n), w.url, w.memory)
	if err == nil {
		w.places = append(w.places, p)
	}
	return p, err
}

func (w *worker) close() {
	for _, p := range w.places {
		_ = p.queue.Close()
	}
}

// pull takes one task after the other, in each place.
func (w *worker) pull(ctx context.Context) error {
	if err := w.Step(ctx, "tasks"); err != nil {
		return err
	}
	err := w.work(ctx)
	switch {
	case errors.Is(err, errStopped):
		return w.stoppedBetween()
	case err != nil:
		return err
	}
	settled := w.count.of().settled
	said := "no task is left"
	if why := w.enough(settled); why != "" {
		said = "no more tasks: " + why
	} else if !w.count.of().found { // its name may be mistyped
		said = "no task was found in " + w.places[0].queue.Shown
	}
	w.Log.Info().Int("tasks", settled).Msg(said)
	return w.end()
}

// work works until there is no task for this worker any more, or with the first error: what is
// begun by then is settled.
func (w *worker) work(ctx context.Context) error {
	if w.Config.AtOnce() > 1 {
		return w.workAtOnce()
	}
	p := w.places[0]
	for p.Record = w.Record; ; {
		more, err := p.next(ctx)
		switch {
		case !more || err != nil:
			return err
		case !p.Signals.Again():
			return errStopped
		}
	}
}

// enough tells why no further task is taken after so many; "" if one is.
func (w *worker) enough(tasks int) string {
	t := w.Config.Tasks
	switch {
	case t.MaxTasks > 0 && tasks >= t.MaxTasks:
		return "--max-tasks"
	case w.late():
		return w.until.by
	}
	return ""
}

// end is a worker's end when it has nothing more to do.
func (w *worker) end() error {
	dead := w.count.of().dead
	if dead == 0 {
		return nil
	}
	return &failure.Failure{Code: failure.BadIndex, Tried: "finish the tasks", On: w.places[0].queue.Shown,
		Cause: fmt.Errorf("%d put aside for failing too often", dead), Hint: "nth status --markers URL tells why; they are with the queue's dead letters"}
}
