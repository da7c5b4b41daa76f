package marker

import (
	"strconv"
	"strings"
)

// Item names what documents are of, by their keys: an index, or a task of a queue.
type Item struct {
	Index int64
	Task  string // "tasks/" and what follows, without ".json"; empty: it is an index
}

// Key gives the key of the item's document in one of the directories of the contract.
func (i Item) Key(dir string) string {
	if i.Task != "" {
		return dir + "/" + i.Task + ".json"
	}
	return Key(dir, i.Index)
}

// ParseKey tells which item's document has this key, and in which directory it is. The
// document of one run, progress/<index>/<run_id>.json or staging/<index>/<run_id>.json, is
// of the item too, and so is the claim of a chunk, share/<index>/…. It is false for every key that nth doesn't write: such a blob is
// somebody else's.
func ParseKey(key string) (dir string, of Item, ok bool) {
	dir, name, ok := strings.Cut(key, "/")
	if !ok {
		return "", Item{}, false
	}
	if name, ok = strings.CutSuffix(name, ".json"); !ok {
		return "", Item{}, false
	}
	if dir == shareDir {
		name, _, ok = strings.Cut(name, "/")
		if !ok {
			return "", Item{}, false
		}
	} else if dir == progressDir || dir == stagingDir {
		at := strings.LastIndexByte(name, '/')
		if at < 0 || at == len(name)-1 {
			return "", Item{}, false
		}
		name = name[:at]
	}
	if strings.HasPrefix(name, "tasks/") {
		return dir, Item{Task: name}, isTask(name) && dir != progressDir && dir != shareDir
	}
	index, err := strconv.ParseInt(name, 10, 64)
	if err != nil || index < 0 || strconv.FormatInt(index, 10) != name {
		return "", Item{}, false
	}
	return dir, Item{Index: index}, true
}

// isTask tells whether this is tasks/<key>, or tasks/<first two digits>/<key> as where
// the documents are fanned out.
func isTask(name string) bool {
	parts := strings.Split(name, "/")
	digits := parts[len(parts)-1]
	if len(digits) != taskDigits || strings.Trim(digits, "0123456789abcdef") != "" {
		return false
	}
	return len(parts) == 2 || len(parts) == 3 && parts[1] == digits[:2]
}

// taskDigits is how long the key of a task is, as task.Key makes it.
const taskDigits = 64
