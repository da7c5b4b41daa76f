package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"nth/shim/store/contract"
)

// removeTimeout bounds what is spent on removing a probe.
const removeTimeout = 10 * time.Second

// Probe is a blob of the caller's own, by which a store shows whether it honours
// the conditions that markers and leases stand on: some servers that speak S3's
// protocol answer a condition with 200, and overwrite. The steps build upon each
// other, in the order in which they stand here; each may be tried again after an
// error, for a reply that was lost is found out. A promise that isn't kept is an
// error of the kind Unsupported.
type Probe struct {
	store           *Store
	key             string
	body            []byte // what the store accepted last
	token, outdated contract.Token
}

// NewProbe gives a probe at a key that nobody else uses.
func (s *Store) NewProbe(key string) *Probe { return &Probe{store: s, key: key} }

// Probe goes through all the steps, and removes the blob. Nil: both conditions,
// create if absent and replace if unchanged, are honoured.
func (s *Store) Probe(ctx context.Context, key string) (err error) {
	p := s.NewProbe(key)
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
		defer cancel()
		if removeErr := s.Delete(ctx, key); err == nil {
			err = removeErr
		}
	}()
	for _, step := range []func(*Probe, context.Context) error{
		(*Probe).Create, (*Probe).CreateAgain, (*Probe).Read, (*Probe).Replace, (*Probe).ReplaceOutdated,
	} {
		if err := step(p, ctx); err != nil {
			return err
		}
	}
	return nil
}

// Body gives what the blob must hold by now.
func (p *Probe) Body() []byte { return p.body }

// Create writes the blob, which must not be there.
func (p *Probe) Create(ctx context.Context) error {
	return p.own(ctx, p.text("first"), p.store.Create(ctx, p.key, p.text("first")))
}

// CreateAgain goes well if the store refuses to write the blob once more.
func (p *Probe) CreateAgain(ctx context.Context) error {
	return p.refused(p.text("second"), p.store.Create(ctx, p.key, p.text("second")), "create-if-absent",
		"it can't keep markers: two runs of one index would both win; use another store, or a version of this server that knows If-None-Match")
}

// Read reads the blob, which must hold what was written.
func (p *Probe) Read(ctx context.Context) error {
	body, token, err := p.store.Read(ctx, p.key)
	switch {
	case err == nil && bytes.Equal(body, p.body):
		p.token = token
		return nil
	case err == nil:
		return brokenPromise(fmt.Sprintf("%d bytes came back that are not the %d that were written", len(body), len(p.body)),
			"is there a cache, or a proxy that changes content, before the store?")
	case Classify(err) == contract.Absent:
		return brokenPromise("what was just written is not there", "is there a cache before the store? markers need what is written to be read at once")
	}
	return err
}

// Replace replaces the version that was read.
func (p *Probe) Replace(ctx context.Context) error {
	old := p.token
	if err := p.own(ctx, p.text("third"), p.store.Replace(ctx, p.key, p.text("third"), old)); err != nil {
		return err
	}
	p.outdated = old
	return nil
}

// ReplaceOutdated goes well if the store refuses to replace the version before.
func (p *Probe) ReplaceOutdated(ctx context.Context) error {
	return p.refused(p.text("fourth"), p.store.Replace(ctx, p.key, p.text("fourth"), p.outdated), "replace-if-unchanged",
		"it can't keep what is replaced on condition: two writers would both win")
}

// Put writes the blob, whatever is there.
func (p *Probe) Put(ctx context.Context) error {
	err := p.store.Put(ctx, p.key, p.text("last"))
	if err == nil {
		p.body = p.text("last")
	}
	return err
}

func (p *Probe) text(write string) []byte {
	return fmt.Appendf(nil, "{\"probe\": %q, \"write\": %q}\n", p.key, write)
}

// own takes a write that was refused, though nobody else writes here, for our own
// if it is there: the reply to an earlier try was lost.
func (p *Probe) own(ctx context.Context, body []byte, err error) error {
	if err != nil && Classify(err) == contract.Exists {
		there, _, readErr := p.store.Read(ctx, p.key)
		switch {
		case readErr == nil && bytes.Equal(there, body):
			err = nil
		case readErr == nil || Classify(readErr) == contract.Absent:
			err = brokenPromise("the condition holds, and the write was refused: "+err.Error(), "this server can't do what was asked")
		default:
			err = readErr
		}
	}
	if err == nil {
		p.body = body
	}
	return err
}

func (p *Probe) refused(body []byte, err error, what, hint string) error {
	switch {
	case err == nil:
		p.body = body
		return brokenPromise("the store doesn't honour "+what+": it accepted the write, and overwrote", hint)
	case Classify(err) == contract.Exists:
		return nil
	}
	return err
}

func brokenPromise(why, hint string) error {
	return &contract.Error{Kind: contract.Unsupported, Cause: errors.New(why), Hint: hint}
}
