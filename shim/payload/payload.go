// Package payload hands a task, or a row, to the command.
package payload

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"nth/shim/failure"
	"nth/shim/memory"
)

// maxVariable is the longest payload that goes into a variable, in bytes: Linux takes
// 128 KiB for one, name and all (execve(2), MAX_ARG_STRLEN).
const maxVariable = 64 << 10

// Given is how the command gets its payload; the zero value is none.
type Given struct {
	Env   []string   // NAME=VALUE
	Stdin *os.File   // nil: nothing comes there
	Extra []*os.File // its descriptors from 3 on
}

// Close closes what is open of it.
func (g Given) Close() {
	for _, f := range append(g.Extra, g.Stdin) {
		if f != nil {
			f.Close()
		}
	}
}

// What a command sees of its payload.
const (
	Variable     = "NTH_ITEM_TASK"
	FileVariable = "NTH_ITEM_TASK_FILE"
	idVariable   = "NTH_ITEM_TASK_ID"
)

// Give gives a payload in NTH_ITEM_TASK where a variable can hold it, else in
// NTH_ITEM_TASK_FILE, which names a descriptor; with stdin also there. An error is a
// failure with exit code 69.
func Give(payload []byte, stdin bool) (Given, error) {
	var g Given
	fits := len(payload) <= maxVariable && bytes.IndexByte(payload, 0) < 0
	if fits {
		g.Env = append(g.Env, Variable+"="+string(payload))
	} else {
		f, err := memory.File(payload)
		if err != nil {
			return g, noFile(err)
		}
		g.Extra = append(g.Extra, f)
		g.Env = append(g.Env, FileVariable+"=/dev/fd/3")
	}
	if stdin {
		f, err := memory.File(payload)
		if err != nil {
			return g, noFile(err)
		}
		g.Stdin = f
	}
	return g, nil
}

// ID gives the variable of a task's ID, as one can hold it.
func ID(id string) string {
	return idVariable + "=" + strings.ReplaceAll(id, "\x00", "\uFFFD")
}

func noFile(err error) error {
	return &failure.Failure{Code: failure.Unavailable, Tried: "hand the payload over", Cause: fmt.Errorf("make a file in memory: %w", err)}
}
