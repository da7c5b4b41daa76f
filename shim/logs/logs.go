// Package logs keeps the whole output of each attempt in a store, while its command
// runs and in bounded memory, and reads it back.
//
// No store appends, so a log is a series of parts. The first one is rewritten as a
// whole while it grows, and is all there is of nearly every attempt; what is beyond
// its size goes into a second one, and so on.
package logs

import (
	"fmt"
	"strconv"
	"strings"

	"nth/shim/store/web"
)

// PartSize is how much of a log one blob holds at most, in bytes, and how much is
// written again each time that it has grown. With the line for what is missing it is
// just what a store's driver sends at once.
const PartSize = web.PartSize - head

// suffix is that of a log's first part. The others have their number behind it, so
// that a listing, a shell's *.log* and whatever else sorts names has them in order.
const suffix = ".log"

// Index names the log of an index's attempt.
func Index(index int64, runID string) string { return strconv.FormatInt(index, 10) + "/" + runID }

// Task names the log of a task that a worker took as its n-th, from 1: it may take
// the same one again. key is the task's; fanOut is for a store whose directories
// don't like to be large.
func Task(key, runID string, n int, fanOut bool) string {
	if fanOut {
		key = key[:2] + "/" + key
	}
	return fmt.Sprintf("tasks/%s/%s-%d", key, runID, n)
}

// Key gives the key of a log's part, from 1.
func Key(name string, part int) string {
	if part == 1 {
		return name + suffix
	}
	return fmt.Sprintf("%s%s.%05d", name, suffix, part)
}

// parseKey is the reverse; ok is false for what isn't a log's.
func parseKey(key string) (name string, part int, ok bool) {
	if name, ok = strings.CutSuffix(key, suffix); ok {
		return name, 1, name != ""
	}
	at := strings.LastIndex(key, suffix+".")
	if at <= 0 {
		return "", 0, false
	}
	name = key[:at]
	part, err := strconv.Atoi(key[at+len(suffix)+1:])
	return name, part, err == nil && part > 1 && Key(name, part) == key
}
