// Package redis takes tasks from a list of a Redis server, 5.0 or later, or of one that
// speaks its protocol:
//
//	redis://[user:password@]host[:6379][/0]?queue=NAME[&pop=left|right]
//
// and rediss:// for TLS. What fills the list is the user's: RPUSH goes with pop=left, the
// default, and LPUSH with pop=right, for first in, first out. A URL without a password
// takes that of REDISCLI_AUTH. A cluster is followed to the node that has the keys. Where
// sentinels watch over the server, they are asked for the master of a name, at the
// beginning and whenever it is away or isn't the master any more:
//
//	redis+sentinel://[user:password@]host[:26379][,host2…]/MASTER[/0]?queue=NAME
//	  [&sentinel_username=USER][&sentinel_password=PASSWORD]
//
// The user and the password before the @ are the master's, and rediss+sentinel:// is TLS
// for all of them.
//
// An element that is popped gets an ID, under which it lives beside the list until it is
// done. Names below are for the list "jobs"; one that has a hash tag of its own keeps it,
// so that all keys are in one slot of a cluster:
//
//	{jobs}:nth:lease   sorted set: when a task may be taken again, in ms
//	{jobs}:nth:task    hash: its content
//	{jobs}:nth:meta    hash: attempt, run_id, index, due, as JSON
//	{jobs}:nth:owner   sorted set: <index>:<id>, for the index that took it last
//	{jobs}:nth:taken   hash: the ID of what is held, by its delivery
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
// SELECT is for a database other than 0, INFO for the warning about evictions. In a
// cluster, ASKING is needed (+asking) while a slot goes from node to node; a sentinel's
// user needs SENTINEL GET-MASTER-ADDR-BY-NAME.
package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"

	"github.com/gomodule/redigo/redis"

	"nth/shim/store/contract"
	"nth/shim/task"
	"nth/shim/task/redis/server"
)

// Source is one worker's view of a list.
type Source struct {
	server.Holder
	pop string

	taking string // what was sent and not answered, or ""; it may have been done all the same
}

// Open opens a source without asking it anything.
func Open(u *url.URL, o task.Options) (task.Source, error) {
	s, err := parse(u, o.Getenv)
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return nil, e
	}
	if err != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: err, Hint: "redis://user:password@host:6379/0?queue=NAME"}
	}
	return &Source{Holder: server.NewHolder(o, s.Settings, newScripts(), keys(s.queue)), pop: s.pop}, nil
}

// Name names the list, on whichever server it is.
func Name(u *url.URL) string {
	s, _ := parse(u, nil)
	return fmt.Sprintf("%d/%s", s.DB, s.queue)
}

// Take takes a task. If the last answer was lost, it asks for the same delivery again.
func (s *Source) Take(ctx context.Context) (*task.Task, error) {
	ctx, cancel := task.Outlive(ctx)
	defer cancel()
	receipt := ""
	reply, err := redis.Values(s.Link.Ask(ctx, s.Scripts.Take, func() []any {
		again := 0
		if s.taking != "" {
			again = 1
		} else {
			s.taking = uuid()
		}
		receipt = s.taking
		// The ID is new each time: what was sent may be done later than this.
		return s.Args(s.Options.Index, s.Options.RunID, receipt, uuid(), again,
			s.Options.Lease.Milliseconds(), s.Options.MaxAttempts, s.pop)
	}))
	if err != nil {
		return nil, s.Link.Settings.Failed("", err)
	}
	s.taking = ""
	t := &task.Task{Receipt: receipt}
	if _, err := redis.Scan(reply, &t.Aside, &t.ID, &t.Payload, &t.Attempt); err != nil {
		return nil, s.Link.Settings.Failed("", err)
	}
	if t.ID == "" {
		return nil, nil
	}
	return t, nil
}

// Keep begins the lease's time anew.
func (s *Source) Keep(ctx context.Context, t *task.Task) error {
	_, err := s.Change(ctx, "keep the task", s.Scripts.Keep, t, s.Options.Lease.Milliseconds())
	return err
}

// Unfinished tells whether this index was the last to take some task that isn't done.
func (s *Source) Unfinished(ctx context.Context) (bool, error) {
	n, err := redis.Int(s.Link.Ask(ctx, s.Scripts.Unfinished, func() []any { return s.Args(s.Options.Index, s.Options.Lease.Milliseconds()) }))
	if err != nil {
		return false, s.Link.Settings.Failed("look for unfinished tasks", err)
	}
	return n > 0, nil
}

// uuid gives a random one (RFC 9562, section 5.4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
