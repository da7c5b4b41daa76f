package worker

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"nth/shim/end"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/marker"
	"nth/shim/once"
	"nth/shim/secrets"
	"nth/shim/task"
	"nth/templates"
)

// delivery is one task that was taken, and the way that it goes.
type delivery struct {
	worker  *worker
	task    *task.Task
	way     *once.Way // of the worker, with a log that knows the task
	secrets *secrets.Scope
	header  marker.Header
}

func (w *worker) delivery(t *task.Task) *delivery {
	way, run := *w.Way, *w.Run
	run.Log = w.Log.With().Str("task", w.Secrets.Hide(t.ID)).Logger()
	way.Run, way.Record, way.Nth = &run, w.Record.About(run.Process), w.count.settled
	d := &delivery{worker: w, task: t, way: &way, secrets: w.Secrets.Scope(), header: w.Header()}
	d.header.Task = &marker.Task{ID: t.ID, Source: w.queue.Kind, Queue: w.queue.Name, Attempt: t.Attempt}
	return d
}

func (d *delivery) log() *zerolog.Logger { return &d.way.Log }

// do does one task. An error ends the worker; a task that failed is none.
func (w *worker) do(ctx context.Context, t *task.Task) error {
	d := w.delivery(t)
	held := w.hold(ctx, t)
	r := d.run(held)
	held.release()
	w.Ending.Close() // the queue is told, whatever signal comes
	w.count.settled++
	err := w.settle(d, held, r)
	w.Ending.Reopen()
	w.Output.Wait(d.way.Process)
	if err == nil { // else it is told at the end of the run, without the secrets
		d.secrets.End()
	}
	return err
}

// run takes the task its way.
func (d *delivery) run(held *lease) end.Report {
	ctx := held.ctx
	of, err := d.named()
	if err == nil && d.task.Broken != nil {
		err = &failure.Failure{Code: failure.BadIndex, Tried: "take the task", Cause: d.task.Broken}
	}
	if err != nil {
		return d.report(err)
	}
	d.log().Info().Int("delivery", d.task.Attempt).Msg("task taken")
	if err := d.way.Step(ctx, "expand"); err != nil {
		return d.report(err)
	}
	it, err := d.item(of)
	if err != nil {
		return d.report(err)
	}
	work := once.Command{Way: d.way, Lost: held.lost, Drain: d.way.Config.Tasks.Drain}
	return d.way.Do(ctx, it, work.Do)
}

func (d *delivery) report(err error) end.Report {
	return end.Report{Err: err, Header: d.header, Record: d.way.Record}
}

// named says where the item comes from, and decides on what the task is called.
func (d *delivery) named() (item.From, error) {
	t := d.task
	of := item.From{Kind: templates.TaskItem, Attempt: max(t.Attempt, 1), ID: t.ID, Header: d.header,
		Task: templates.Task{ID: t.ID, Payload: string(t.Payload), Meta: t.Meta}}
	id, err := d.name(of)
	// What names the task is known for the record of a failure, too.
	of.ID = id
	d.header.Task.ID, d.header.Task.Key = d.way.Secrets.Hide(id), task.Key(d.header.Task.Source, d.header.Task.Queue, id)
	return of, err
}

// name gives the task's own ID, or what --task-id makes of its payload.
func (d *delivery) name(of item.From) (string, error) {
	if !d.way.Mapping.NamesTasks {
		return d.task.ID, nil
	}
	f := d.way.Fields()
	f.Kind, f.Task = of.Kind, &of.Task
	x := d.way.Expander(f, d.secrets)
	id := x.Named(d.way.Mapping.TaskID)
	if x.Err == nil && id.Value == "" {
		x.Err = &failure.Failure{Code: failure.BadIndex, Tried: "name the task", On: "--task-id", Cause: errors.New("it gives an empty name")}
	}
	return id.Value, x.Err
}

// item expands the task.
func (d *delivery) item(of item.From) (item.Item, error) {
	it, err := d.way.Make(of, d.secrets)
	if err != nil {
		return it, err
	}
	d.header = it.Header
	d.log().Info().Strs("command", it.Words.StableCommand).Msg("expanded")
	return it, nil
}
