// Package redisstream takes tasks from a stream of a Redis server, 6.2 or later, or of
// one that speaks its protocol, as consumers of a group:
//
//	redis://[user:password@]host[:6379][/0]?stream=NAME&group=NAME
//
// and rediss:// for TLS; passwords, clusters and sentinels are as for lists. What fills the stream
// is the user's: XADD jobs * payload TEXT. The field payload is the task, and the others
// go with it; an entry without one is a task as a JSON object of all its fields. Bytes
// that aren't UTF-8 come unchanged in payload alone. The stream must be there. A group
// that isn't begins with the stream's first entry. Other consumers may be in the group.
//
// The consumer is <index>-<run_id>, what it gave back is that of <index>-<run_id>:back, and
// either is in the group while it has an entry. A pending entry's idle time is its lease,
// its number of deliveries the attempt. What is done is acknowledged, and stays in the
// stream until that is trimmed. Beside the stream "jobs", with the group "workers", are
// these; a name with a hash tag of its own keeps it, so that all keys are in one slot of a
// cluster:
//
//	{jobs}:nth:due:workers    sorted set: when what was given back may be taken, in ms
//	{jobs}:nth:lease:workers  sorted set: when the lease of <id> <consumer> ends, in ms
//	{jobs}:nth:owner:workers  sorted set: consumers that have entries, by their index
//	{jobs}:nth:dead           stream: entries that have had all their attempts, with
//	                          nth_id, nth_group, nth_consumer, nth_attempt and nth_reason
//
// By them a take finds what is ready without looking at all that is pending. What others
// have pending, or an older version had, it finds as well, some entries further each time:
// so a task is found within as many takes as there are hundreds of entries pending, and a
// worker ends within as many as there are thousands.
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
// SELECT is for a database other than 0, INFO for the warning about evictions; a cluster
// and sentinels need what they need for lists.
package redisstream

import (
	"context"
	"errors"
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
	server.Holder
	group string

	taking bool // a take was sent and not answered; it may have been done all the same
	// Where the next take, and the next look for unfinished tasks, go on among all pending
	// entries: neither looks at more than some of them.
	taken, looked string
}

// first is before all entries of a stream.
const first = "-"

// Open opens a source without asking it anything.
func Open(u *url.URL, o task.Options) (task.Source, error) {
	s, err := parse(u, o.Getenv)
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return nil, e
	}
	if err != nil {
		return nil, &contract.Error{Kind: contract.Invalid, Cause: err, Hint: "redis://user:password@host:6379/0?stream=NAME&group=NAME"}
	}
	consumer := fmt.Sprint(o.Index, "-", o.RunID)
	return &Source{Holder: server.NewHolder(o, s.Settings, newScripts(), append(keys(s.stream, s.group), s.group, consumer)),
		group: s.group, taken: first, looked: first}, nil
}

// Name names the stream and the group, on whichever server they are.
func Name(u *url.URL) string {
	s, _ := parse(u, nil)
	return fmt.Sprintf("%d/%s?group=%s", s.DB, s.stream, s.group)
}

// Take takes a task. If the last answer was lost, it asks for the same delivery again.
func (s *Source) Take(ctx context.Context) (*task.Task, error) {
	ctx, cancel := task.Outlive(ctx)
	defer cancel()
	reply, err := redis.Values(s.Link.Ask(ctx, s.Scripts.Take, func() []any {
		again := 0
		if s.taking {
			again = 1
		}
		s.taking = true
		return s.Args(again, s.Options.Lease.Milliseconds(), s.Options.MaxAttempts, s.taken)
	}))
	if err != nil {
		return nil, s.Link.Settings.Failed("", err)
	}
	s.taking = false
	t := &task.Task{}
	fields, err := redis.Scan(reply, &s.taken, &t.Aside, &t.ID, &t.Attempt)
	if err != nil {
		return nil, s.Link.Settings.Failed("", err)
	}
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
		return nil, s.Link.Settings.Failed("", err)
	}
	return t, nil
}

// Keep begins the lease's time anew.
func (s *Source) Keep(ctx context.Context, t *task.Task) error {
	_, err := s.Change(ctx, "keep the task", s.Scripts.Keep, t, s.Options.Lease.Milliseconds())
	return err
}

// Unfinished tells whether this index was the last to take some task that isn't done. As
// long as not all pending entries have been looked at, there may be one.
func (s *Source) Unfinished(ctx context.Context) (bool, error) {
	reply, err := redis.Values(s.Link.Ask(ctx, s.Scripts.Unfinished, func() []any { return s.Args(s.looked) }))
	var more bool
	if err == nil {
		_, err = redis.Scan(reply, &more, &s.looked)
	}
	if err != nil {
		return false, s.Link.Settings.Failed("look for unfinished tasks", err)
	}
	return more, nil
}
