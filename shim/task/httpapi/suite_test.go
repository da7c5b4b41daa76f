package httpapi

import (
	"fmt"
	"testing"
	"time"

	"nth/shim/task"
	"nth/testdata/servers"
	"nth/testdata/tasks"
)

// queue is a queue of the tests' API.
type queue struct {
	api  *servers.TasksAPI
	name string
}

// settings are those that the worker of an index uses; host is the API's, or that of
// something in between.
func settings(host, name string, index int64) Settings {
	base := "http://" + host + "/queues/" + name
	return Settings{Take: base + "/take", Keep: base + "/tasks/{id}/keep", Done: base + "/tasks/{id}/done", Fail: base + "/tasks/{id}/fail",
		Unfinished: fmt.Sprintf("%s/unfinished?index=%d", base, index)}
}

func mustOpen(t testing.TB, s Settings, o task.Options) task.Source {
	t.Helper()
	source, err := New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

func (q queue) Open(t testing.TB, o task.Options) task.Source {
	return mustOpen(t, settings(q.api.Address, q.name, o.Index), o)
}

func (q queue) Fill(_ testing.TB, payloads ...[]byte) { q.api.Fill(q.name, payloads...) }
func (q queue) Dead(testing.TB) [][]byte              { return q.api.In(q.name, "dead") }
func (q queue) Left(testing.TB) int                   { return len(q.api.In(q.name, "ready", "leased")) }

// TestSuite: what every source must do.
func TestSuite(t *testing.T) {
	api := servers.StartTasksAPI(t)
	made := 0
	tasks.Run(t, tasks.Harness{
		Lease:  2 * time.Second,
		Silent: true,
		New: func(testing.TB) tasks.Queue {
			made++
			q := queue{api, fmt.Sprint("queue-", made)}
			api.Queue(q.name)
			return q
		},
		Missing: func(t testing.TB, o task.Options) task.Source {
			return mustOpen(t, settings(api.Address, "missing", 0), o)
		},
	})
}
