package redisstream

import (
	_ "embed" // for the scripts

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

func newScripts() server.Scripts {
	return server.NewScripts(5, common, take, keep, done, giveback, unfinished)
}

// keys gives the stream's key and those beside it, all in one slot of a cluster.
func keys(stream, group string) []any {
	beside := server.Tagged(stream) + ":nth:"
	return []any{stream, beside + "due:" + group, beside + "dead", beside + "lease:" + group, beside + "owner:" + group}
}
