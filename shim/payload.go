package shim

import (
	"bytes"
	"fmt"
	"os"

	"nth/shim/failure"
)

// maxVariable is the longest payload that goes into a variable, in bytes: Linux takes
// 128 KiB for one, name and all (execve(2), MAX_ARG_STRLEN).
const maxVariable = 64 << 10

// given is how the command gets its task.
type given struct {
	env   []string
	stdin *os.File
	extra []*os.File
}

func (g *given) close() {
	if g == nil {
		return
	}
	for _, f := range append(g.extra, g.stdin) {
		if f != nil {
			f.Close()
		}
	}
}

// What a command sees of its task.
const (
	taskVariable     = "NTH_ITEM_TASK"
	taskFileVariable = "NTH_ITEM_TASK_FILE"
)

// payload gives the task to the command: NTH_ITEM_TASK where a variable can hold it,
// else NTH_ITEM_TASK_FILE, which names a descriptor; with --task-stdin also stdin.
func (r *run) payload() (*given, error) {
	if r.task == nil {
		return &given{}, nil
	}
	g, err := give(r.task.Payload, r.Tasks.TaskStdin)
	if r.header.Task != nil {
		g.env = append(g.env, "NTH_ITEM_TASK_ID="+clean(r.header.Task.ID))
	}
	return g, err
}

func give(payload []byte, stdin bool) (*given, error) {
	g := &given{}
	fits := len(payload) <= maxVariable && bytes.IndexByte(payload, 0) < 0
	if fits {
		g.env = append(g.env, taskVariable+"="+string(payload))
	} else {
		f, err := memoryFile(payload)
		if err != nil {
			return g, noMemoryFile(err)
		}
		g.extra = append(g.extra, f)
		g.env = append(g.env, taskFileVariable+"=/dev/fd/3")
	}
	if stdin {
		f, err := memoryFile(payload)
		if err != nil {
			return g, noMemoryFile(err)
		}
		g.stdin = f
	}
	return g, nil
}

// clean gives an ID as a variable can hold it.
func clean(id string) string {
	return string(bytes.ReplaceAll([]byte(id), []byte{0}, []byte("\uFFFD")))
}

func noMemoryFile(err error) error {
	return &failure.Failure{Code: failure.Unavailable, Tried: "hand the payload over", Cause: fmt.Errorf("make a file in memory: %w", err)}
}
