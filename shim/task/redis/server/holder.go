package server

import (
	"context"

	"github.com/gomodule/redigo/redis"

	"nth/shim/task"
)

// Scripts are those of one source, hashed when it is opened.
type Scripts struct{ Take, Keep, Done, GiveBack, Unfinished *redis.Script }

// NewScripts makes them of texts, each behind what all have in common. They get so many
// keys.
func NewScripts(keys int, common, take, keep, done, giveBack, unfinished string) Scripts {
	script := func(text string) *redis.Script { return redis.NewScript(keys, common+text) }
	return Scripts{Take: script(take), Keep: script(keep), Done: script(done), GiveBack: script(giveBack), Unfinished: script(unfinished)}
}

// Holder is what a worker does alike with a task of either kind of queue, once it has it.
// Its scripts act for the delivery alone that asks.
type Holder struct {
	Options task.Options
	Link    *Links
	Scripts Scripts
	// Keys are the arguments that each script gets before its own: the keys first.
	Keys []any

	ending string // the delivery whose end was sent and perhaps not answered
}

// NewHolder makes one that has no connection yet.
func NewHolder(o task.Options, s Settings, scripts Scripts, keys []any) Holder {
	return Holder{Options: o, Link: newLinks(o, s), Scripts: scripts, Keys: keys}
}

// Args gives what a script gets.
func (h *Holder) Args(more ...any) []any { return append(h.Keys[:len(h.Keys):len(h.Keys)], more...) }

// Done ends a task for good.
func (h *Holder) Done(ctx context.Context, t *task.Task) error {
	_, err := h.Change(ctx, "acknowledge the task", h.Scripts.Done, t)
	return err
}

// Fail gives a task back, or puts it aside.
func (h *Holder) Fail(ctx context.Context, t *task.Task, f task.Failure) (bool, error) {
	answer, err := h.Change(ctx, "give the task back", h.Scripts.GiveBack, t, f.Reason, max(f.After, 0).Milliseconds(), h.Options.MaxAttempts, 1)
	return answer == "dead", err
}

// Release gives a task back as if it hadn't been taken.
func (h *Holder) Release(ctx context.Context, t *task.Task) error {
	_, err := h.Change(ctx, "give the task back", h.Scripts.GiveBack, t, "", 0, 0, 0)
	return err
}

// Change asks for what only the holder of a task may do. A task that is nowhere, after an
// acknowledgement's answer was lost, is what was asked for.
func (h *Holder) Change(ctx context.Context, what string, script *redis.Script, t *task.Task, args ...any) (string, error) {
	repeated := false
	answer, err := redis.String(h.Link.Ask(ctx, script, func() []any {
		if delivery := t.ID + " " + t.Receipt; script == h.Scripts.Done {
			repeated = h.ending == delivery
			h.ending = delivery
		}
		return h.Args(append([]any{t.ID, t.Receipt}, args...)...)
	}))
	switch {
	case err != nil:
		return "", h.Link.Settings.Failed(what, err)
	case answer == "lost", answer == "gone" && !repeated:
		return "", task.ErrLost
	}
	return answer, nil
}

// Warning tells what of the server's settings endangers tasks, or "".
func (h *Holder) Warning(ctx context.Context) string { return h.Link.Warning(ctx) }

// Close closes the connections: all sources of a worker are closed together.
func (h *Holder) Close() error {
	h.Link.Close()
	return nil
}
