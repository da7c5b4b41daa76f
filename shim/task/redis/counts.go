package redis

import (
	"context"
	"slices"

	"github.com/gomodule/redigo/redis"

	"nth/shim/task"
)

// Count tells how many tasks there are: in the list, beside it, and among the dead. LLEN of
// the ACL is for this alone: a worker that may not has no count, and works.
func (s *Source) Count(ctx context.Context) (task.Counts, error) {
	beside := func(name string) any { return s.Keys[1+slices.Index(kept, name)] }
	var n [3]int64
	for i, command := range [][]any{{"LLEN", s.Keys[0]}, {"HLEN", beside("task")}, {"HLEN", beside("dead")}} {
		var err error
		n[i], err = redis.Int64(s.Link.Do(ctx, func(c redis.Conn) (any, error) {
			return redis.DoContext(c, ctx, command[0].(string), command[1:]...)
		}))
		if err != nil {
			return task.Counts{}, s.Link.Settings.Failed("count the tasks", err)
		}
	}
	return task.Counts{Left: n[0] + n[1], Dead: n[2]}, nil
}
