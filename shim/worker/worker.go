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
	places []*place
	count  counts
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
	w := &worker{Way: &once.Way{Run: r, Ending: e}, count: counts{began: time.Now()}, line: newLine()}
	if w.Output, err = output.Open(ctx, r.Process, shared.Logs.Value, r.Config.Stores.StoreTimeout); err != nil {
		return nil, err
	}
	if err := w.open(from, tasks.Value); err != nil {
		return nil, err
	}
	if shared.Markers.Value == "" {
		r.Log.Info().Msg("no --markers: what is done twice isn't noticed")
	}
	w.Record, err = record.Open(ctx, r.Process, r.Config.Markers, r.Config.Stores, shared.Markers.Value)
	report.Record = w.Record
	return w, err
}

// open opens the queue for each place, which holds one task at a time.
func (w *worker) open(from *source.Mapping, url string) error {
	memory := &task.Memory{}
	for n := range w.Config.AtOnce() {
		p := w.place(n)
		var err error
		if p.queue, err = from.Open(p.asking(n), url, memory); err != nil {
			return err
		}
		w.places = append(w.places, p)
	}
	return nil
}

// place makes the n-th.
func (w *worker) place(n int) *place {
	p := &place{worker: w, Way: w.Way}
	jobs := w.Config.AtOnce()
	if jobs == 1 {
		return p
	}
	run, way := *w.Run, *w.Way
	run.Identity.Slot = run.Identity.SlotOf(jobs, n)
	run.Log = w.Log.With().Int64("slot", run.Identity.Slot).Logger()
	way.Run, way.Output = &run, w.Output.Part()
	p.Way = &way
	return p
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
	if why := w.enough(settled); why != "" {
		w.Log.Info().Int("tasks", settled).Msg("no more tasks: " + why)
	} else {
		w.Log.Info().Int("tasks", settled).Msg("no task is left")
	}
	return w.end()
}

// work lets the places work, and gives the first error: it ends the others when they have
// settled what they have.
func (w *worker) work(ctx context.Context) error {
	if len(w.places) == 1 {
		p := w.places[0]
		p.Record = w.Record
		return p.loop(ctx)
	}
	return w.workAtOnce()
}

func (w *worker) workAtOnce() error {
	c := w.Config.Process
	outside, _ := once.Grace(c)
	signals, err := c.SignalConfig()
	if err != nil {
		return err
	}
	parts, err := w.Signals.Divide(len(w.places), c.SweepGrace, outside, w.Log)
	if err != nil {
		return err
	}
	defer parts.End()
	for n, p := range w.places {
		p.Run.Signals = parts.Part(n, signals, nil)
		p.Record, p.Ending = w.Record, w.Ending.Part()
	}
	var group sync.WaitGroup
	for _, p := range w.places {
		group.Go(func() {
			defer parts.Leave(p.Signals)
			defer p.Ending.Reopen()
			if err := p.loop(p.Signals.Context()); err != nil {
				w.line.end(err)
			}
		})
	}
	group.Wait()
	return w.line.why
}

// enough tells why no further task is taken after so many; "" if one is.
func (w *worker) enough(tasks int) string {
	t := w.Config.Tasks
	switch {
	case t.MaxTasks > 0 && tasks >= t.MaxTasks:
		return "--max-tasks"
	case t.MaxRuntime > 0 && time.Since(w.count.began) >= t.MaxRuntime:
		return "--max-runtime"
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
