package redis

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
	return server.NewScripts(1+len(kept), common, take, keep, done, giveback, unfinished)
}

// kept are the keys beside the list, in the scripts' order.
var kept = []string{"lease", "task", "meta", "owner", "dead", "reason", "taken"}

// keys gives the list's key and those beside it, all in one slot of a cluster.
func keys(queue string) []any {
	all := []any{queue}
	for _, k := range kept {
		all = append(all, server.Tagged(queue)+":nth:"+k)
	}
	return all
}
