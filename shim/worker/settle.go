package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nth/shim/end"
	"nth/shim/failure"
	"nth/shim/once"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task"
)

// settle tells the queue what came of a task. Failures of the task are its own; those
// that would meet every task end the worker, and the task goes back untouched.
func (p *place) settle(d *delivery, held *lease, r end.Report) error {
	_, stopped := p.Signals.Stopped()
	evidence, ran := end.Ran(r.Err)
	switch {
	case r.Err == nil:
		d.acknowledge()
		return nil
	case held.isLost():
		d.log().Warn().Bool("ran", ran).Msg("the task's lease is lost: " + held.why)
		return nil
	case stopped:
		d.giveBack()
		if !ran {
			return errStopped
		}
		return r.Err
	case !ofTask(r.Err, ran && !evidence.Judged):
		d.giveBack()
		return failure.From(r.Err)
	}
	return d.fail(r)
}

// ofTask tells whether it is the task that failed: its command did, or it can't be
// expanded, or its input isn't there, or its marker is of another payload.
func ofTask(err error, commandFailed bool) bool {
	code := failure.From(err).Code
	return commandFailed || code == failure.BadIndex || code == failure.NoInput
}

// tell tells the queue something, as long as a marker may take.
func (d *delivery) tell(what string, do func(context.Context) error) error {
	policy := d.place.policy(d.way.Config.Stores.MarkerTimeout)
	policy.Final = ofOneTask
	err := store.Retry(context.Background(), policy, do, func(err error, wait time.Duration) { d.way.RetryingTo(what, err, wait) })
	if err != nil && !errors.Is(err, task.ErrLost) {
		d.place.worker.count.note(func(c *totals) { c.left = true })
	}
	return err
}

// ofOneTask tells what no further try changes of a call that is about one task: a refusal is
// of what this one says, and what else a server says in the middle of the work may change.
func ofOneTask(k contract.Kind) bool { return k == contract.Refused || store.InTheMiddle(k) }

// acknowledge: where it fails, the marker keeps the task from being done again.
func (d *delivery) acknowledge() {
	const what = "acknowledge the task"
	err := d.tell(what, func(ctx context.Context) error { return d.place.queue.Done(ctx, d.task) })
	switch {
	case err == nil:
		d.log().Info().Msg("task done")
	case errors.Is(err, task.ErrLost):
		d.log().Warn().Msg("the task is done, and its lease was lost: another worker may find it done")
	default:
		d.log().Warn().Msg(what + ": " + d.way.Said(err) + "; it will be delivered again")
		if store.Classify(err) == contract.Refused { // without end, if nobody counted
			d.goBack(end.Message(d.way.Process, d.header, store.Fail(err, failure.OneTask, what, d.place.queue.Shown)))
		}
	}
}

func (d *delivery) giveBack() {
	const what = "give the task back"
	if err := d.tell(what, func(ctx context.Context) error { return d.place.queue.Release(ctx, d.task) }); err != nil {
		d.log().Warn().Msg(what + ": " + d.way.Said(err) + "; it will be delivered again when its lease has ended")
		return
	}
	d.log().Info().Msg("task given back")
}

// fail gives a task back that failed, or puts it aside.
func (d *delivery) fail(r end.Report) error {
	f := failure.From(r.Err)
	message := d.say(f)
	r.Fail(d.way.Process, f, message, "")
	if d.goBack(message) {
		d.dead(f, message)
	}
	if d.way.Config.Tasks.OnFailure == "stop" {
		return r.Err
	}
	return nil
}

// goBack gives a task back for which there is this message, or puts it aside.
func (d *delivery) goBack(message string) (dead bool) {
	const what = "give the failed task back"
	told := d.tell(what, func(ctx context.Context) (err error) {
		dead, err = d.place.queue.Fail(ctx, d.task, task.Failure{Reason: message, After: once.Pause(d.task.Attempt)})
		return err
	})
	switch {
	case told != nil:
		d.log().Warn().Msg(what + ": " + d.way.Said(told) + "; it will be delivered again when its lease has ended")
	case dead:
		d.place.worker.count.note(func(c *totals) { c.dead++ })
		d.log().Warn().Msg("the task has failed too often, and was put aside")
	default:
		d.log().Info().Msg(fmt.Sprintf("the task is delivered again in %s", once.Pause(d.task.Attempt)))
	}
	return dead
}

// say logs a failure of the task.
func (d *delivery) say(f *failure.Failure) (message string) {
	message = end.Message(d.way.Process, d.header, f)
	d.log().Error().Int("exit_code", int(f.Code)).Msg(message)
	return message
}

// dead records that the task was put aside.
func (d *delivery) dead(f *failure.Failure, message string) {
	d.way.Record.Dead(d.way.Record.Failure(d.header, f, message))
}

// bury tells of a task that was put aside when it would have been taken: whoever had it
// last can't. One may have died after its marker was written, and before the queue knew.
func (p *place) bury(ctx context.Context, t *task.Task) {
	d := p.delivery(t, 0)
	defer d.secrets.End()
	if d.isDone(ctx) {
		d.log().Warn().Msg("the task was put aside, though it is done: " + t.Aside)
		return
	}
	f := &failure.Failure{Code: failure.BadIndex, Tried: "take the task", Cause: errors.New(t.Aside + "; it was put aside"),
		Hint: "a task that ends its pods mostly needs more memory than they may have"}
	d.dead(f, d.say(f))
	p.worker.count.note(func(c *totals) { c.dead++ })
}

// isDone asks the record. That it can't be asked is no yes.
func (d *delivery) isDone(ctx context.Context) bool {
	of, err := d.named()
	if err != nil {
		return false
	}
	it, err := d.item(of)
	if err != nil {
		return false
	}
	found, err := d.way.Look(ctx, it)
	return err == nil && found.Settled
}
