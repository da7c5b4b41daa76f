package redis

import (
	"context"
	"slices"

	"github.com/gomodule/redigo/redis"

	"nth/shim/task"
)

// Count tells how many tasks there are: in the list, beside it, and among the dead. LLEN of
// the ACL is for this alone: a worker that may not has no count, and works. They are asked for
// at once, and the list last: of a task that is taken meanwhile none rather than two would be
// counted, for the most that there ever were is what a bar is drawn by.
func (s *Source) Count(ctx context.Context) (task.Counts, error) {
	beside := func(name string) any { return s.Keys[1+slices.Index(kept, name)] }
	n, err := redis.Int64s(s.Link.Do(ctx, func(c redis.Conn) (any, error) {
		_ = c.Send("HLEN", beside("dead")) // an error comes back with the replies
		_ = c.Send("HLEN", beside("task"))
		_ = c.Send("LLEN", s.Keys[0])
		replies, err := redis.Values(redis.DoContext(c, ctx, ""))
		for _, reply := range replies {
			if e, bad := reply.(redis.Error); bad { // a cluster's, perhaps: another node has the keys
				return nil, e
			}
		}
		return replies, err
	}))
	if err == nil && len(n) != 3 {
		err = redis.ErrNil
	}
	if err != nil {
		return task.Counts{}, s.Link.Settings.Failed("count the tasks", err)
	}
	return task.Counts{Left: n[1] + n[2], Dead: n[0]}, nil
}
