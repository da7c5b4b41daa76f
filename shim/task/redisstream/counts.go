package redisstream

import (
	"context"

	"github.com/gomodule/redigo/redis"

	"nth/shim/failure"
	"nth/shim/store/contract"
	"nth/shim/task"
)

// errNoLag: what the group hasn't read yet is known from Redis 7 on, and not after
// entries in the middle of the stream were deleted.
var errNoLag error = failure.Text("the server doesn't know how far the group is behind")

// Count tells how many entries the group has not read or not acknowledged, and how many
// are dead, of all groups. XINFO and XLEN of the ACL are for this alone: a worker that
// may not has no count, and works.
func (s *Source) Count(ctx context.Context) (task.Counts, error) {
	dead, err := redis.Int64(s.ask(ctx, "XLEN", s.Keys[2]))
	if err != nil {
		return task.Counts{}, s.Link.Settings.Failed("count the tasks", err)
	}
	groups, err := redis.Values(s.ask(ctx, "XINFO", "GROUPS", s.Keys[0]))
	if err != nil {
		return task.Counts{}, s.Link.Settings.Failed("count the tasks", err)
	}
	for _, reply := range groups {
		g, err := fieldsOf(reply)
		if err != nil {
			return task.Counts{}, s.Link.Settings.Failed("count the tasks", err)
		}
		if name, _ := redis.String(g["name"], nil); name != s.group {
			continue
		}
		pending, err := redis.Int64(g["pending"], nil)
		lag, lagErr := redis.Int64(g["lag"], nil)
		if err != nil || lagErr != nil {
			return task.Counts{}, &contract.Error{Kind: contract.Unsupported, Cause: errNoLag}
		}
		return task.Counts{Left: pending + lag, Dead: dead}, nil
	}
	// The first worker makes the group, which begins with the first entry.
	all, err := redis.Int64(s.ask(ctx, "XLEN", s.Keys[0]))
	if err != nil {
		return task.Counts{}, s.Link.Settings.Failed("count the tasks", err)
	}
	return task.Counts{Left: all, Dead: dead}, nil
}

func (s *Source) ask(ctx context.Context, command string, args ...any) (any, error) {
	return s.Link.Do(ctx, func(c redis.Conn) (any, error) { return redis.DoContext(c, ctx, command, args...) })
}

// fieldsOf reads names and values that follow each other.
func fieldsOf(reply any) (map[string]any, error) {
	list, err := redis.Values(reply, nil)
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	for i := 0; i+1 < len(list); i += 2 {
		name, err := redis.String(list[i], nil)
		if err != nil {
			return nil, err
		}
		fields[name] = list[i+1]
	}
	return fields, nil
}
