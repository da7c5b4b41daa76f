package redisstream

import (
	_ "embed" // for the scripts

	"github.com/gomodule/redigo/redis"

	"nth/shim/task/redis/server"
)

var (
	//go:embed common.lua
	common string
	//go:embed take.lua
	take string
	//go:embed keep.lua
	keep string
	//go:embed done.lua
	done string
	//go:embed giveback.lua
	giveback string
	//go:embed unfinished.lua
	unfinished string
)

// scripts are those of one source, hashed when it is opened.
type scripts struct{ take, keep, done, giveback, unfinished *redis.Script }

func newScripts() scripts {
	script := func(text string) *redis.Script { return redis.NewScript(3, common+text) }
	return scripts{take: script(take), keep: script(keep), done: script(done), giveback: script(giveback), unfinished: script(unfinished)}
}

// keys gives the stream's key and those beside it, all in one slot of a cluster.
func keys(stream, group string) []any {
	beside := server.Tagged(stream) + ":nth:"
	return []any{stream, beside + "due:" + group, beside + "dead"}
}
