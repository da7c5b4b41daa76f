package shim

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/task"
	"nth/shim/task/redis/server"
)

// worker is a run whose index is the number of a worker: what it takes its tasks
// from, and what came of them.
type worker struct {
	source      task.Source
	kind, queue string
	shown       string // the queue's URL, without credentials
	began       time.Time
	settled     int
	dead        int  // tasks that this run has put aside
	unkept      bool // the store didn't take the output of the last one
}

// Between two looks into a queue that has nothing for us.
const (
	firstPoll = 100 * time.Millisecond
	maxPoll   = 5 * time.Second
)

// prepare parses what there is to parse, opens the queue and the record, and asks
// neither of them anything.
func (r *run) prepare() error {
	if err := r.parse(); err != nil {
		return err
	}
	x := expander{fields: fields(r.id, r.RunID), sources: r.sources()}
	markers, tasks := x.expand("--markers", r.mapping.markers), x.expand("--tasks", r.mapping.tasks)
	logs := x.expand("--logs", r.mapping.logs)
	r.item = &item{quitURL: x.expand("--quit-url", r.mapping.quitURL), secrets: x.secrets}
	if x.err != nil {
		return x.err
	}
	w := &worker{began: time.Now()}
	if err := r.openSource(w, tasks.value); err != nil {
		return err
	}
	r.worker = w
	if err := r.openLogs(logs.value); err != nil {
		return err
	}
	if markers.value == "" {
		r.log.Info().Msg("no --markers: what is done twice isn't noticed")
		return nil
	}
	return r.openBook(markers.value)
}

func (r *run) openSource(w *worker, rawURL string) error {
	bad := func(on, why, hint string) error {
		return &failure.Failure{Code: failure.Usage, Tried: "open the queue", On: on, Cause: errors.New(why), Hint: hint}
	}
	u, err := server.URL(rawURL)
	if err != nil {
		return bad("", "the URL of --tasks is malformed", queueHint)
	}
	s, known := r.queues()[u.Scheme]
	if !known {
		return bad("", fmt.Sprintf("there is no queue for the scheme %q", u.Scheme), queueHint)
	}
	if r.SQL.TakeSQL != "" && s.kind != "postgres" {
		return &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: "--take-sql", Cause: errors.New("the queue isn't PostgreSQL's"), Hint: "--tasks postgres://…"}
	}
	if s.kind != "http" && (r.API.KeepURL != "" || r.API.DoneURL != "" || r.API.FailURL != "" || r.API.UnfinishedURL != "" || len(r.API.HTTPHeader) > 0 || len(r.API.HTTPBody) > 0) {
		return &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: "--tasks", Cause: errors.New("--keep-url and its companions, --http-header and --http-body are of an HTTP API, and the queue is none"), Hint: "leave them out"}
	}
	path, _, _ := strings.Cut(u.Path, ";") // Celery puts whole URLs behind it
	w.shown = (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}).String()
	w.kind, w.queue = s.kind, s.name(u)
	attempts := s.attempts
	if r.Tasks.MaxAttempts != nil {
		attempts = *r.Tasks.MaxAttempts
	}
	getenv := func(name string) string { v, _ := r.LookupEnv(name); return v }
	w.source, err = s.open(u, task.Options{Index: r.id.Index, RunID: r.RunID, Lease: r.Tasks.Lease, MaxAttempts: attempts, Getenv: getenv, Hide: r.mask})
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	if err != nil {
		f := store.Fail(err, failure.TheJob, "open the queue", w.shown)
		if f.Code == failure.Unavailable { // nobody was asked: the URL is wrong
			f.Code = failure.Usage
		}
		return f
	}
	return nil
}

// pull takes one task after the other, until none is left that only this worker would
// come back for.
func (r *run) pull() error {
	defer r.worker.source.Close()
	warned := false
	for {
		if why := r.enough(); why != "" {
			r.log.Info().Int("tasks", r.worker.settled).Msg("no more tasks: " + why)
			return r.worker.end()
		}
		t, err := r.take()
		if err != nil {
			return err
		}
		if t == nil && r.enough() != "" {
			continue
		}
		if t == nil {
			r.log.Info().Int("tasks", r.worker.settled).Msg("no task is left")
			return r.worker.end()
		}
		if !warned {
			r.warn()
			warned = true
		}
		if t.Aside != "" {
			r.bury(t)
			continue
		}
		if err := r.do(t); err != nil {
			return err
		}
		if !r.signals.Again() {
			return r.stoppedBetween()
		}
	}
}

// warn tells what a source thinks of its server, once it is known to answer.
func (r *run) warn() {
	s, ok := r.worker.source.(interface{ Warning(context.Context) string })
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, r.Stores.StoreTimeout)
	defer cancel()
	if text := s.Warning(ctx); text != "" {
		r.log.Warn().Msg(text)
	}
}

// enough tells why no further task is taken; "" if one is.
func (r *run) enough() string {
	switch {
	case r.Tasks.MaxTasks > 0 && r.worker.settled >= r.Tasks.MaxTasks:
		return "--max-tasks"
	case r.Tasks.MaxRuntime > 0 && time.Since(r.worker.began) >= r.Tasks.MaxRuntime:
		return "--max-runtime"
	}
	return ""
}

// end is a worker's end when it has nothing more to do.
func (w *worker) end() error {
	if w.dead == 0 {
		return nil
	}
	return &failure.Failure{Code: failure.BadIndex, Tried: "finish the tasks", On: w.shown,
		Cause: fmt.Errorf("%d put aside for failing too often", w.dead), Hint: "nth status --markers URL tells why; they are with the queue's dead letters"}
}

func (r *run) stoppedBetween() error {
	err := r.stoppedBefore("take a task")
	failure.From(err).Hint = "every task that was taken is settled or given back"
	return err
}

// take waits for a task. Nil without an error: the queue has been empty for long
// enough, and nothing that is unfinished was last ours.
func (r *run) take() (*task.Task, error) {
	poll := firstPoll
	var empty time.Time // since when
	for {
		var t *task.Task
		unfinished := true
		err := store.Retry(r.ctx, r.policy(r.Stores.StoreWait), func(ctx context.Context) (err error) {
			if t, err = r.worker.source.Take(ctx); t != nil || err != nil {
				return err
			}
			unfinished, err = r.worker.source.Unfinished(ctx)
			return err
		}, r.retrying)
		switch {
		case t != nil: // also if a stop signal has come meanwhile: it must be given back
			return t, nil
		case r.ctx.Err() != nil:
			return nil, r.stoppedBetween()
		case err != nil:
			return nil, store.Fail(err, failure.TheJob, "take a task", r.worker.shown)
		case unfinished:
			empty = time.Time{}
		case empty.IsZero():
			empty = time.Now()
		}
		if !unfinished && time.Since(empty) >= r.Tasks.IdleTimeout {
			return nil, nil
		}
		if r.enough() != "" {
			return nil, nil
		}
		wait := poll
		if r.Tasks.MaxRuntime > 0 {
			wait = min(wait, r.Tasks.MaxRuntime-time.Since(r.worker.began))
		}
		select {
		case <-r.ctx.Done():
			return nil, r.stoppedBetween()
		case <-time.After(wait):
		}
		poll = min(2*poll, maxPoll)
	}
}

// do does one task. An error ends the worker; a task that failed is none.
func (r *run) do(t *task.Task) error {
	w := r.worker
	one := r.with(t)
	held := r.hold(t)
	one.ctx, one.lost = held.ctx, held.lost
	err := one.name()
	if err == nil {
		one.log.Info().Int("delivery", t.Attempt).Msg("task taken")
		err = one.through(taskSteps)
	}
	if errors.Is(err, errSettled) {
		err = nil
	}
	held.release()
	if one.closed {
		r.closing.Store(false) // it was for the marker's sake
	}
	w.settled++
	err = r.settle(one, held, err)
	one.awaitLog()
	return err
}

// with gives a run whose item is the task, in the worker's place.
func (r *run) with(t *task.Task) *run {
	w := r.worker
	one := &run{Config: r.Config, World: r.World, signals: r.signals, id: r.id, mapping: r.mapping, header: r.header, book: r.book, logs: r.logs, worker: w, closing: r.closing,
		task: t, log: r.log.With().Str("task", t.ID).Logger()}
	one.header.Task = &marker.Task{ID: t.ID, Source: w.kind, Queue: w.queue, Attempt: t.Attempt}
	return one
}

// name decides on what the task is called.
func (r *run) name() error {
	h := r.header.Task
	if r.mapping.taskID != nil {
		if err := r.nameByTemplate(); err != nil {
			return err
		}
	}
	h.Key = task.Key(h.Source, h.Queue, h.ID)
	return nil
}
