package server

import (
	"context"
	"errors"

	"github.com/gomodule/redigo/redis"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// Links are the connections of a worker.
type Links struct {
	Settings Settings
	pool     *task.Pool[*Link]
}

func newLinks(o task.Options, s Settings) *Links {
	return &Links{Settings: s, pool: task.PoolOf(o.Remember(), func() *Link { return &Link{Settings: s} })}
}

// Ask runs a script. Its arguments are made anew for each time that it is sent.
func (l *Links) Ask(ctx context.Context, script *redis.Script, args func() []any) (any, error) {
	return l.Do(ctx, func(c redis.Conn) (any, error) { return script.DoContext(ctx, c, args()...) })
}

// Do sends something that may be sent again, as Link does, over a connection that is free.
func (l *Links) Do(ctx context.Context, send func(redis.Conn) (any, error)) (reply any, err error) {
	busy := l.pool.With(ctx, func(link *Link) { reply, err = link.Do(ctx, send) })
	if busy != nil {
		return nil, &contract.Error{Kind: contract.Unreachable, Cause: errors.Join(task.ErrUnasked, busy), Hint: "no connection is free"}
	}
	return reply, err
}

// Close closes them.
func (l *Links) Close() { l.pool.Each((*Link).Close) }
