// Package redisstream takes tasks from a stream of a Redis server, 6.2 or later, or of
// one that speaks its protocol, as consumers of a group:
//
//	redis://[user:password@]host[:6379][/0]?stream=NAME&group=NAME
//
// and rediss:// for TLS; passwords and clusters are as for lists. What fills the stream
// is the user's: XADD jobs * payload TEXT. The field payload is the task, and the others
// go with it; an entry without one is a task as a JSON object of all its fields. Bytes
// that aren't UTF-8 come unchanged in payload alone. The stream must be there. A group
// that isn't begins with the stream's first entry. Other consumers may be in the group.
//
// The consumer is <index>-<run_id>, and is in the group while it has an entry. A pending
// entry's idle time is its lease, its number of deliveries the attempt. What is done is
// acknowledged, and stays in the stream until that is trimmed. Beside the stream "jobs",
// with the group "workers", are these; a name with a hash tag of its own keeps it, so that
// all keys are in one slot of a cluster:
//
//	{jobs}:nth:due:workers  sorted set: when what was given back may be taken, in ms
//	{jobs}:nth:dead         stream: entries that have had all their attempts, with
//	                        nth_id, nth_group, nth_consumer, nth_attempt and nth_reason
//
// Every change is one script, and acts only if XPENDING names this consumer in this
// delivery: XCLAIM by itself would steal an entry back, and XACK takes it from whoever
// holds it.
//
// A user of an ACL needs, beside AUTH, which is always allowed:
//
//	ACL SETUSER nth on >PASSWORD resetkeys ~jobs ~{jobs}:nth:* resetchannels -@all
//	  +select +eval +evalsha +time +xpending +xclaim +xreadgroup +xrange +xrevrange +xack
//	  +xadd +xgroup|create +xgroup|delconsumer +zadd +zrem +zscore +zrangebyscore +info
//	  +xlen +xinfo|groups
//
// SELECT is for a database other than 0, INFO for the warning about evictions.
package redisstream

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/gomodule/redigo/redis"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/redis/server"
)

// Source is one worker's view of a stream.
type Source struct {
	options  task.Options
	settings settings
	link     *server.Link
	scripts  scripts
	keys     []any
	consumer string

	taking bool   // a take was sent and not answered; it may have been done all the same
	ending string // the delivery whose end was sent, or ""
	buried int64
}

// Open opens a source without asking it anything.
func Open(u *url.URL, o task.Options) (task.Source, error) {
	s, err := parse(u, o.Getenv)
	if err != nil {
		return nil, &contract.Error{Kind: contract.Unusable, Cause: err, Hint: "redis://user:password@host:6379/0?stream=NAME&group=NAME"}
	}
	return &Source{options: o, settings: s, link: &server.Link{Settings: s.Settings}, scripts: newScripts(),
		keys: keys(s.stream, s.group), consumer: fmt.Sprint(o.Index, "-", o.RunID)}, nil
}

// Name names the stream and the group, on whichever server they are.
func Name(u *url.URL) string {
	s, _ := parse(u, nil)
	return fmt.Sprintf("%d/%s?group=%s", s.DB, s.stream, s.group)
}

// Take takes a task. If the last answer was lost, it asks for the same delivery again.
func (s *Source) Take(ctx context.Context) (*task.Task, error) {
	const what = "take a task"
	reply, err := redis.Values(s.link.Ask(ctx, s.scripts.take, func() []any {
		again := 0
		if s.taking {
			again = 1
		}
		s.taking = true
		return s.args(again, s.options.Lease.Milliseconds(), s.options.MaxAttempts)
	}))
	if err != nil {
		return nil, s.settings.Failed(what, err)
	}
	s.taking = false
	t := &task.Task{}
	var buried int64
	fields, err := redis.Scan(reply, &buried, &t.ID, &t.Attempt)
	if err != nil {
		return nil, s.settings.Failed(what, err)
	}
	s.buried += buried
	if t.ID == "" {
		return nil, nil
	}
	t.Receipt = strconv.Itoa(t.Attempt)
	if len(fields) != 1 {
		err = redis.Error("the answer has no fields")
	} else {
		err = fill(t, fields[0])
	}
	if err != nil {
		return nil, s.settings.Failed(what, err)
	}
	return t, nil
}

// Buried tells how many tasks this worker has put aside when it would have taken
// them, because their workers died in all their attempts.
func (s *Source) Buried() int64 { return s.buried }

// Keep begins the lease's time anew.
func (s *Source) Keep(ctx context.Context, t *task.Task) error {
	_, err := s.change(ctx, "keep the task", s.scripts.keep, t)
	return err
}

// Done ends a task for good.
func (s *Source) Done(ctx context.Context, t *task.Task) error {
	_, err := s.change(ctx, "acknowledge the task", s.scripts.done, t)
	return err
}

// Fail gives a task back, or puts it aside.
func (s *Source) Fail(ctx context.Context, t *task.Task, f task.Failure) (bool, error) {
	answer, err := s.change(ctx, "give the task back", s.scripts.giveback, t, f.Reason, max(f.After, 0).Milliseconds(), s.options.MaxAttempts, 1)
	return answer == "dead", err
}

// Release gives a task back as if it hadn't been taken.
func (s *Source) Release(ctx context.Context, t *task.Task) error {
	_, err := s.change(ctx, "give the task back", s.scripts.giveback, t, "", 0, 0, 0)
	return err
}

// change asks for what only the holder of a task may do. A task that is nowhere, after
// an acknowledgement's answer was lost, is what was asked for.
func (s *Source) change(ctx context.Context, what string, script *redis.Script, t *task.Task, args ...any) (string, error) {
	repeated := false
	answer, err := redis.String(s.link.Ask(ctx, script, func() []any {
		if script == s.scripts.done {
			repeated = s.ending == t.ID+" "+t.Receipt
			s.ending = t.ID + " " + t.Receipt
		}
		return s.args(append([]any{t.ID, t.Receipt}, args...)...)
	}))
	switch {
	case err != nil:
		return "", s.settings.Failed(what, err)
	case answer == "lost", answer == "gone" && !repeated:
		return "", task.ErrLost
	}
	return answer, nil
}

// Unfinished tells whether this index was the last to take some task that isn't done.
func (s *Source) Unfinished(ctx context.Context) (bool, error) {
	n, err := redis.Int(s.link.Ask(ctx, s.scripts.unfinished, func() []any { return s.args(s.options.Index) }))
	if err != nil {
		return false, s.settings.Failed("look for unfinished tasks", err)
	}
	return n > 0, nil
}

// Warning tells what of the server's settings endangers tasks, or "".
func (s *Source) Warning(ctx context.Context) string { return s.link.Warning(ctx) }

// Close closes the connection.
func (s *Source) Close() error {
	s.link.Close()
	return nil
}

func (s *Source) args(more ...any) []any {
	return append(append(s.keys[:len(s.keys):len(s.keys)], s.settings.group, s.consumer), more...)
}
