package repair

import (
	"slices"
	"sort"
	"sync"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/status"
)

// kind is one of the documents of an item.
type kind struct{ dir, one, many string }

// kinds are what a reset deletes, in that order: the marker last, for an item is done
// until all that it left is gone, its commit above all (shim/commit has the reason);
// and before it the failure record, so that a reset of
// what has failed finds the item again when it was interrupted.
var kinds = []kind{
	{"progress", "shard's checkpoint", "shards' checkpoints"},
	{"share", "shard's claims of items", "shards' claims of items"},
	{"started", "record of a start", "records of starts"},
	{"commit", "commit of outputs", "commits of outputs"},
	{"skipped", "entry as skipped", "entries as skipped"},
	{"failed", "failure record", "failure records"},
	{"done", "marker", "markers"},
}

// The positions of those that tell an item's state.
const (
	progress = 0
	shares   = 1
	commits  = 3
	failed   = 5
	done     = 6
)

// claimDir is listed too, and never changed: a claim that is deleted would let its
// number come back.
const claimDir = "claim"

// stagingDir has the notes of runs, for those who clear up: a reset leaves them.
const stagingDir = "staging"

// held is what is there of one item.
type held struct {
	kinds   uint8 // bits, by position
	claimed bool
	runs    []string // the keys of its checkpoints
	shares  []string // the keys of its items' claims
	notes   []string // the keys of its runs' notes
}

func (h *held) has(kind int) bool { return h != nil && h.kinds&(1<<kind) != 0 }

// keys are those of an item's documents of a kind.
func (h *held) keys(item marker.Item, kind int) []string {
	switch kind {
	case progress:
		return h.runs
	case shares:
		return h.shares
	}
	return []string{item.Key(kinds[kind].dir)}
}

// inventory is what is there, by item.
type inventory map[marker.Item]*held

// fewIndexes is how many indexes are asked for one by one, where a listing of the
// whole directories may be a hundred times as long.
const fewIndexes = 10

// take lists what is there in the directories; of the indexes in only, if there are
// any, and else with the tasks of queues where tasks is true.
func (s *session) take(dirs []string, only identity.List, tasks bool) (inventory, error) {
	inv, mu := inventory{}, sync.Mutex{}
	note := func(key string) {
		dir, item, ok := marker.ParseKey(key)
		if !ok || only.Len() > 0 && (item.Task != "" || !only.Contains(item.Index)) {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		inv.note(dir, item, key)
	}
	if err := status.Visit(s.ctx, s.store, s.policy(), prefixes(dirs, only), false, note); err != nil {
		return nil, err
	}
	if !tasks {
		return inv, nil
	}
	var under []string
	for _, dir := range dirs {
		under = append(under, dir+"/tasks/")
	}
	return inv, status.Visit(s.ctx, s.store, s.policy(), under, true, note)
}

// prefixes are what to list.
func prefixes(dirs []string, only identity.List) (all []string) {
	for _, dir := range dirs {
		if n := only.Len(); n == 0 || n > fewIndexes {
			all = append(all, dir+"/")
			continue
		}
		for k := range only.Len() {
			key := marker.Key(dir, only.At(k))
			if dir == kinds[progress].dir || dir == kinds[shares].dir || dir == stagingDir {
				key = key[:len(key)-len(".json")] + "/"
			}
			all = append(all, key)
		}
	}
	return all
}

func (inv inventory) note(dir string, item marker.Item, key string) {
	h := inv[item]
	if h == nil {
		h = &held{}
		inv[item] = h
	}
	if dir == claimDir {
		h.claimed = true
		return
	}
	if dir == stagingDir {
		h.notes = append(h.notes, key)
		return
	}
	at := slices.IndexFunc(kinds, func(k kind) bool { return k.dir == dir })
	h.kinds |= 1 << at
	switch at {
	case progress:
		h.runs = append(h.runs, key)
	case shares:
		h.shares = append(h.shares, key)
	}
}

// items gives those that are chosen, indexes by number and then tasks.
func (inv inventory) items(chosen func(marker.Item, *held) bool) (list []marker.Item) {
	for item, h := range inv {
		if chosen(item, h) {
			list = append(list, item)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return a.Task < b.Task || a.Task == b.Task && a.Index < b.Index
	})
	return list
}
