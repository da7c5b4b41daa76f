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
	place   *place
	task    *task.Task
	way     *once.Way // of the place, with a log that knows the task
	secrets *secrets.Scope
	header  marker.Header
}

// delivery begins one, the n-th of the worker from 0.
func (p *place) delivery(t *task.Task, n int) *delivery {
	way, run := *p.Way, *p.Run
	way.Run, way.Nth = &run, n
	d := &delivery{place: p, task: t, way: &way, secrets: p.Secrets.Scope(), header: p.Header()}
	d.called(t.ID)
	d.header.Task = &marker.Task{ID: t.ID, Source: p.queue.Kind, Queue: p.queue.Name, Attempt: t.Attempt}
	return d
}

// called has each line of the log say which task it is about.
func (d *delivery) called(id string) {
	d.way.Log = d.place.Log.With().Str("task", d.place.Secrets.Hide(id)).Logger()
	d.way.Record = d.place.Record.About(d.way.Process)
}

func (d *delivery) log() *zerolog.Logger { return &d.way.Log }

// do does one task. An error ends the worker; a task that failed is none.
func (p *place) do(ctx context.Context, t *task.Task) error {
	d := p.delivery(t, p.worker.count.next())
	held := p.hold(ctx, t)
	r := d.run(held)
	held.release()
	p.Ending.Close() // the queue is told, whatever signal comes
	p.worker.count.note(func(c *totals) { c.settled++ })
	err := p.settle(d, held, r)
	p.Output.Wait(d.way.Process)
	p.Ending.Reopen()
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
	return d.way.Do(ctx, it, d.command(held))
}

// command is the work of a task. Where there are several, that of one isn't ended for the sake
// of another that doesn't come to its own.
func (d *delivery) command(held *lease) once.Work {
	work := once.Command{Way: d.way, Lost: held.lost, Drain: d.way.Config.Tasks.Drain}
	if d.way.Config.AtOnce() == 1 {
		return work.Do
	}
	return func(ctx context.Context, it item.Item, in once.Inputs) (once.Outcome, error) {
		d.way.Ending.Close()
		return work.Do(ctx, it, in)
	}
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
	if id != t.ID && id != "" {
		d.called(id)
	}
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
