// Package output keeps what commands write, in the store of --logs, while it is passed
// through.
package output

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"

	"nth/shim/edge"
	"nth/shim/logs"
	"nth/shim/memory"
	"nth/shim/record"
	"nth/shim/store"
)

// unproven bounds the wait for the log of a task when the store didn't take that of the
// task before.
const unproven = time.Second

// Keeper keeps the outputs of a run's commands, one after the other. The zero value keeps
// nothing.
type Keeper struct {
	store  *store.Store // nil: nothing is kept
	call   time.Duration
	log    *logs.Log // of the command that was started last; nil: there is none
	url    string    // of its first part
	warn   *sync.Once
	unkept bool // the store didn't take the one before
}

// Open opens the store of --logs; "" keeps nothing. It asks the store nothing. An error is
// a failure with exit code 64 or 78. A call to the store may take this long.
func Open(ctx context.Context, p edge.Process, url string, call time.Duration) (*Keeper, error) {
	if url == "" {
		return &Keeper{}, nil
	}
	s, err := p.Stores.Open(ctx, url)
	return &Keeper{store: s, call: call, warn: &sync.Once{}}, store.Of("--logs", err)
}

// Part gives one that keeps outputs in the same store at the same time.
func (k *Keeper) Part() *Keeper { return &Keeper{store: k.store, call: k.call, warn: k.warn} }

// Kept is what is kept of a command's output while it runs.
type Kept struct {
	URL            string                // of the log, without credentials; "" where there is none
	Stdout, Stderr func() io.WriteCloser // nil: it isn't kept
	OnStop         func()                // is told of a stop signal; nil where nothing is kept
}

// Begin begins to keep an output under a name that logs gives. What is written to a
// terminal isn't kept: programs behave in another way before a pipe.
func (k *Keeper) Begin(p edge.Process, name string) Kept {
	k.log = nil
	if k.store == nil {
		return Kept{}
	}
	out, errs := p.Among != nil || !isTerminal(os.Stdout), p.Among != nil || !isTerminal(os.Stderr)
	if !out || !errs {
		k.warn.Do(func() { p.Log.Warn().Msg("--logs keeps nothing of what goes to a terminal") })
	}
	if !out && !errs {
		return Kept{}
	}
	url := p.Secrets.Hide(k.store.Show(logs.Key(name, 1)))
	k.url = url
	k.log = logs.New(logs.Options{Store: k.store, Name: name, Secrets: p.Secrets.All(), PerCall: k.call, Describe: p.Said, Rest: memory.Trim,
		Warn: func(reason string) {
			p.Log.Warn().Str("log", url).Msg("keep the output: " + reason + "; trying again")
		},
		Back: func() { p.Log.Info().Str("log", url).Msg("the output is kept again") }})
	kept := Kept{URL: url, OnStop: k.log.Soon}
	if out {
		kept.Stdout = k.log.Stream
	}
	if errs {
		kept.Stderr = k.log.Stream
	}
	return kept
}

// Discard forgets the output of a command that never started.
func (k *Keeper) Discard() {
	if k.log != nil {
		k.log.Discard()
		k.log = nil
	}
}

// End begins to upload what is left, while the item is judged and recorded: the marker
// doesn't wait for the log, nor the log for the marker.
func (k *Keeper) End(stopped bool) {
	if k.log == nil {
		return
	}
	within, first := k.call, record.Told
	if stopped {
		within = record.Told
	}
	if k.unkept {
		first = unproven
	}
	k.log.End(within, first)
}

// Wait waits for the rest of the log. That it can't be kept changes nothing.
func (k *Keeper) Wait(p edge.Process) {
	if k == nil || k.log == nil {
		return
	}
	k.unkept = !k.log.Wait()
	k.log = nil
	if k.unkept {
		p.Log.Warn().Str("log", k.url).Msg("the store doesn't have all of the output")
	}
}

func isTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }
