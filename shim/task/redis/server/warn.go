package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/gomodule/redigo/redis"
)

// Warning tells what of the server's settings endangers tasks, or "": it asks once, and
// an ACL that doesn't grant INFO, or a server that is away, is no reason for a warning.
func (l *Links) Warning(ctx context.Context) string {
	info, err := redis.String(l.Do(ctx, func(c redis.Conn) (any, error) {
		return redis.DoContext(c, ctx, "INFO", "memory")
	}))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(info) {
		policy, ok := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:")
		if ok && policy != "noeviction" {
			return fmt.Sprintf("redis at %s has maxmemory-policy %s: when its memory is full it throws tasks away; set it to noeviction", l.Settings.Address, policy)
		}
	}
	return ""
}
