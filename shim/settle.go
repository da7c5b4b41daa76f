package shim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/templates"
)

// nameByTemplate names the task by --task-id.
func (r *run) nameByTemplate() error {
	f := fields(r.id, r.RunID)
	f.Task = &templates.Task{ID: r.task.ID, Payload: string(r.task.Payload), Meta: r.task.Meta}
	x := expander{fields: f, sources: r.sources()}
	id := x.expand("--task-id", r.mapping.taskID)
	if x.err == nil && id.value == "" {
		x.err = &failure.Failure{Code: failure.BadIndex, Tried: "name the task", On: "--task-id", Cause: errors.New("it gives an empty name")}
	}
	r.header.Task.ID = id.value
	r.header.Task.Key = task.Key(r.header.Task.Source, r.header.Task.Queue, id.value) // for the record of a failure
	return x.err
}

// settle tells the queue what came of a task. Failures of the task are its own; those
// that would meet every task end the worker, and the task goes back untouched.
func (r *run) settle(one *run, held *lease, err error) error {
	_, stopped := r.signals.Stopped()
	switch {
	case err == nil:
		r.acknowledge(one)
		return nil
	case held.isLost():
		one.log.Warn().Bool("ran", one.ran).Msg("the task's lease is lost: another worker has it by now")
		return nil
	case stopped:
		r.giveBack(one)
		if !one.ran {
			return r.stoppedBetween()
		}
		return err
	case !one.failed(err):
		r.giveBack(one)
		return err
	}
	return r.fail(one, err)
}

// failed tells whether it is the task that failed: its command did, or it can't be
// expanded, or its input isn't there, or its marker is of another payload.
func (r *run) failed(err error) bool {
	code := failure.From(err).Code
	return r.ran && r.outcome == "" || code == failure.BadIndex || code == failure.NoInput
}

// tell tells the queue something, as long as a marker may take.
func (r *run) tell(what string, do func(context.Context) error) error {
	return store.Retry(context.Background(), r.policy(r.Stores.MarkerTimeout), func(ctx context.Context) error {
		err := do(ctx)
		if errors.Is(err, task.ErrLost) {
			return errors.Join(err, &contract.Error{Kind: contract.Lost, Cause: err}) // no further try changes it
		}
		return err
	}, func(err error, wait time.Duration) {
		r.log.Warn().Dur("wait_ms", wait).Msg(what + ": " + r.said(err) + "; trying again")
	})
}

// acknowledge: where it fails, the marker keeps the task from being done again.
func (r *run) acknowledge(one *run) {
	err := one.tell("acknowledge the task", func(ctx context.Context) error { return r.worker.source.Done(ctx, one.task) })
	switch {
	case err == nil:
		one.log.Info().Msg("task done")
	case errors.Is(err, task.ErrLost):
		one.log.Warn().Msg("the task is done, and its lease was lost: another worker may find it done")
	default:
		one.log.Warn().Msg("acknowledge the task: " + one.said(err) + "; it will be delivered again")
	}
}

func (r *run) giveBack(one *run) {
	if err := one.tell("give the task back", func(ctx context.Context) error { return r.worker.source.Release(ctx, one.task) }); err != nil {
		one.log.Warn().Msg("give the task back: " + one.said(err) + "; it will be delivered again when its lease has ended")
		return
	}
	one.log.Info().Msg("task given back")
}

// Between a task's failure and its next delivery: a second, doubled each time.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// fail gives a task back that failed, or puts it aside.
func (r *run) fail(one *run, err error) error {
	f := failure.From(err)
	message := one.message(f)
	one.log.Error().Int("exit_code", int(f.Code)).Msg(message)
	one.recordFailure(f, message, "")
	dead := false
	told := one.tell("give the failed task back", func(ctx context.Context) (err error) {
		dead, err = r.worker.source.Fail(ctx, one.task, task.Failure{Reason: message, After: pauseAfter(one.task.Attempt)})
		return err
	})
	switch {
	case told != nil:
		one.log.Warn().Msg("give the failed task back: " + one.said(told) + "; it will be delivered again when its lease has ended")
	case dead:
		r.worker.dead++
		one.recordDead(f, message)
		one.log.Warn().Msg("the task has failed too often, and was put aside")
	default:
		one.log.Info().Msg(fmt.Sprintf("the task is delivered again in %s", pauseAfter(one.task.Attempt)))
	}
	if r.Tasks.OnFailure == "stop" {
		return err
	}
	return nil
}

// bury tells of a task that was put aside when it would have been taken: whoever had it
// last can't. One may have died after its marker was written, and before the queue knew.
func (r *run) bury(t *task.Task) {
	one := r.with(t)
	one.ctx = r.ctx
	err := one.name()
	if err == nil {
		err = one.through(buriedSteps)
	}
	if errors.Is(err, errSettled) {
		one.log.Warn().Msg("the task was put aside, though it is done: " + t.Aside)
		return
	}
	f := &failure.Failure{Code: failure.BadIndex, Tried: "take the task", Cause: errors.New(t.Aside + "; it was put aside"),
		Hint: "a task that ends its pods mostly needs more memory than they may have"}
	message := one.message(f)
	one.log.Error().Int("exit_code", int(f.Code)).Msg(message)
	one.recordDead(f, message)
	r.worker.dead++
}

func pauseAfter(attempt int) time.Duration {
	pause := firstPause
	for ; attempt > 1 && pause < maxPause; attempt-- {
		pause *= 2
	}
	return min(pause, maxPause)
}
