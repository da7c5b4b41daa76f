package status

import (
	"path"
	"strings"
	"time"
)

// tasks are a queue's documents, by the tasks' keys.
type tasks struct {
	failed       map[string]string // with the blob's own key
	skipped      map[string]time.Time
	done, passed int64    // markers, and those of them that are skipped
	doubtful     []string // keys of markers that may be of another run than the entry as skipped
}

func newTasks() tasks { return tasks{failed: map[string]string{}, skipped: map[string]time.Time{}} }

// keyLen is the length of a task's key, a SHA-256 in hexadecimal.
const keyLen = 64

// taskKey reads the key of a task, whose directory may be fanned out.
func taskKey(key string) (string, bool) {
	name, ok := strings.CutSuffix(path.Base(key), ".json")
	return name, ok && len(name) == keyLen && strings.Trim(name, hex) == ""
}

func (t *tasks) failure(e entry) {
	if key, ok := taskKey(e.key); ok {
		t.failed[key] = e.key
	}
}

func (t *tasks) skip(e entry) {
	if key, ok := taskKey(e.key); ok {
		t.skipped[key] = e.at
	}
}

func (c *scan) taskDone(e entry) {
	key, ok := taskKey(e.key)
	if !ok {
		return
	}
	c.tasks.done++
	if at, skipped := c.tasks.skipped[key]; skipped {
		c.tasks.passed++
		if doubtful(e.at, at) {
			c.tasks.doubtful = append(c.tasks.doubtful, e.key)
		}
	}
	delete(c.tasks.failed, key) // done beats failed
}

// count is nil where there is no trace of a task.
func (t *tasks) count() *Tasks {
	if t.done == 0 && len(t.failed) == 0 && len(t.skipped) == 0 {
		return nil
	}
	return &Tasks{Done: t.done - t.passed, Skipped: t.passed, Failed: int64(len(t.failed))}
}
