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
	var n [3]int64
	replies, err := redis.Values(s.Link.Do(ctx, func(c redis.Conn) (any, error) {
		_ = c.Send("HLEN", beside("dead")) // an error comes back with the replies
		_ = c.Send("HLEN", beside("task"))
		_ = c.Send("LLEN", s.Keys[0])
		return redis.DoContext(c, ctx, "")
	}))
	for i := range n {
		if err == nil {
			n[i], err = redis.Int64(replies[i], nil)
		}
	}
	if err != nil {
		return task.Counts{}, s.Link.Settings.Failed("count the tasks", err)
	}
	return task.Counts{Left: n[1] + n[2], Dead: n[0]}, nil
}
