// Package redis takes tasks from a list of a Redis server, 5.0 or later, or of one that
// speaks its protocol:
//
//	redis://[user:password@]host[:6379][/0]?queue=NAME[&pop=left|right]
//
// and rediss:// for TLS. What fills the list is the user's: RPUSH goes with pop=left, the
// default, and LPUSH with pop=right, for first in, first out. A URL without a password
// takes that of REDISCLI_AUTH. A cluster is followed to the node that has the keys.
//
// An element that is popped gets an ID, under which it lives beside the list until it is
// done. Names below are for the list "jobs"; one that has a hash tag of its own keeps it,
// so that all keys are in one slot of a cluster:
//
//	{jobs}:nth:lease   sorted set: when a task may be taken again, in ms
//	{jobs}:nth:task    hash: its content
//	{jobs}:nth:meta    hash: attempt, run_id, index, due, as JSON
//	{jobs}:nth:owner   sorted set: <index>:<id>, for the index that took it last
//	{jobs}:nth:dead    hash: content of tasks that have had all their attempts
//	{jobs}:nth:reason  hash: why they have, as JSON
//
// Every change is one script, by the server's clock, and acts for the delivery alone that
// asks: each has a name of its own. The server must not evict keys (maxmemory-policy
// noeviction): a content that is evicted is gone, and its task is put aside.
//
// A user of an ACL needs, beside AUTH, which is always allowed:
//
//	ACL SETUSER nth on >PASSWORD resetkeys ~jobs ~{jobs}:nth:* resetchannels -@all
//	  +select +eval +evalsha +time +lpop +rpop +hset +hget +hdel +hexists +hlen +hkeys
//	  +zadd +zrem +zscore +zcard +zrange +zrangebyscore +zrangebylex +info +llen
//
// SELECT is for a database other than 0, INFO for the warning about evictions.
package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"

	"github.com/gomodule/redigo/redis"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/redis/server"
)

// Source is one worker's view of a list.
type Source struct {
	options  task.Options
	settings settings
	link     *server.Link
	scripts  scripts
	keys     []any

	// What was sent and not answered, or "". It may have been done all the same.
	taking, ending string
	buried         int64
}

// Open opens a source without asking it anything.
func Open(u *url.URL, o task.Options) (task.Source, error) {
	s, err := parse(u, o.Getenv)
	if err != nil {
		return nil, &contract.Error{Kind: contract.Unusable, Cause: err, Hint: "redis://user:password@host:6379/0?queue=NAME"}
	}
	return &Source{options: o, settings: s, link: &server.Link{Settings: s.Settings}, scripts: newScripts(), keys: keys(s.queue)}, nil
}

// Name names the list, on whichever server it is.
func Name(u *url.URL) string {
	s, _ := parse(u, nil)
	return fmt.Sprintf("%d/%s", s.DB, s.queue)
}

// Take takes a task. If the last answer was lost, it asks for the same delivery again.
func (s *Source) Take(ctx context.Context) (*task.Task, error) {
	receipt := ""
	reply, err := redis.Values(s.link.Ask(ctx, s.scripts.take, func() []any {
		again := 0
		if s.taking != "" {
			again = 1
		} else {
			s.taking = uuid()
		}
		receipt = s.taking
		// The ID is new each time: what was sent may be done later than this.
		return s.args(s.options.Index, s.options.RunID, receipt, uuid(), again,
			s.options.Lease.Milliseconds(), s.options.MaxAttempts, s.settings.pop)
	}))
	if err != nil {
		return nil, s.settings.Failed("take a task", err)
	}
	s.taking = ""
	t := &task.Task{Receipt: receipt}
	var buried int64
	if _, err := redis.Scan(reply, &buried, &t.ID, &t.Payload, &t.Attempt); err != nil {
		return nil, s.settings.Failed("take a task", err)
	}
	s.buried += buried
	if t.ID == "" {
		return nil, nil
	}
	return t, nil
}

// Buried tells how many tasks this worker has put aside when it would have taken
// them, because their workers died in all their attempts.
func (s *Source) Buried() int64 { return s.buried }

// Keep begins the lease's time anew.
func (s *Source) Keep(ctx context.Context, t *task.Task) error {
	_, err := s.change(ctx, "keep the task", s.scripts.keep, t, s.options.Lease.Milliseconds())
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
// an answer was lost, is what was asked for.
func (s *Source) change(ctx context.Context, what string, script *redis.Script, t *task.Task, args ...any) (string, error) {
	repeated := false
	answer, err := redis.String(s.link.Ask(ctx, script, func() []any {
		if script == s.scripts.done {
			repeated = s.ending == t.Receipt
			s.ending = t.Receipt
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
	n, err := redis.Int(s.link.Ask(ctx, s.scripts.unfinished, func() []any {
		return s.args(s.options.Index, s.options.Lease.Milliseconds())
	}))
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

func (s *Source) args(more ...any) []any { return append(s.keys[:len(s.keys):len(s.keys)], more...) }

// uuid gives a random one (RFC 9562, section 5.4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
