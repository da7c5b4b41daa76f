// Package edge is what a run touches besides its stores and its command: the environment,
// the clock, chance and the outputs come in here, and nowhere else.
package edge

import (
	"io"
	"os"
	"time"

	"nth/templates"
)

// World is the process's own surroundings.
type World struct {
	Environ   []string // as os.Environ gives it
	LookupEnv func(string) (string, bool)
	Own       map[string]bool // variables that are flags of nth's, hidden from the command
	Hostname  string
	Stderr    *os.File
	Now       func() time.Time
	RunID     string // names this one run
	Version   string // of nth
}

// Sources are where templates read from.
func (w World) Sources() templates.Sources {
	return templates.Sources{LookupEnv: w.LookupEnv, ReadFile: ReadFile}
}

// maxFile bounds what the function file reads, in bytes: more than any word may be.
const maxFile = 8 << 20

// ReadFile reads a file for a template, and of one that is larger than any word may be
// only the beginning.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile))
}
