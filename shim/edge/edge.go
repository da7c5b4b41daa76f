// Package edge is what a run touches besides its stores and its command: the environment,
// the clock, chance and the outputs come in here, and nowhere else.
package edge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"nth/shim/disk"
	"nth/shim/failure"
	"nth/templates"
)

// World is the process's own surroundings.
type World struct {
	Environ   []string // as os.Environ gives it
	LookupEnv func(string) (string, bool)
	Own       func(variable string) bool // of variables that are flags of nth's, hidden from the command
	Hostname  string
	Stderr    *os.File
	Now       func() time.Time
	RunID     string        // names this one run
	Version   string        // of nth
	Meant     string        // the subcommand that the first word may be a slip of; "": none
	FileWait  time.Duration // for a file that a template names; 0: 30 s
}

// NewRunID names one run: its second first, so that a listing sorts, and 64
// random bits.
func NewRunID() string {
	// Go's own generator, which the kernel's random bytes have seeded, is at hand: that of
	// crypto/rand costs a start eight page faults more.
	return fmt.Sprintf("%s-%016x", time.Now().UTC().Format("20060102t150405z"), rand.Uint64())
}

// Hint says what was meant where a command isn't there.
func (w World) Hint(err error) error {
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || f.Code != failure.NotFound || w.Meant == "" {
		return err
	}
	hinted := *f
	hinted.Hint = fmt.Sprintf("did you mean \"nth %s\"?", w.Meant)
	if f.Hint != "" {
		hinted.Hint += " " + f.Hint
	}
	return &hinted
}

// Sources are where templates read from.
func (w World) Sources() templates.Sources {
	return templates.Sources{LookupEnv: w.LookupEnv, ReadFile: w.ReadFile}
}

// maxFile bounds what the function file reads, in bytes: more than any word may be.
const maxFile = 8 << 20

// ReadFile reads a file for a template, and of one that is larger than any word may be
// only the beginning. The volume that it is on may never answer.
func (w World) ReadFile(path string) ([]byte, error) {
	ctx, cancel := w.fileWait(context.Background()) // an item that is done is told of after a stop, too
	defer cancel()
	return disk.ReadFile(ctx, path, maxFile)
}

// Stat looks for a file.
func (w World) Stat(ctx context.Context, path string) (fs.FileInfo, error) {
	ctx, cancel := w.fileWait(ctx)
	defer cancel()
	return disk.Stat(ctx, path)
}

func (w World) fileWait(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(w.FileWait, 30*time.Second))
}
