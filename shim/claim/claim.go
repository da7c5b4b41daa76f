// Package claim keeps two pods of one index from working at the same time: a lease in
// the markers' store, which needs a conditional write, and no clock that two machines
// share.
//
// Why it is safe. A holder counts its lease from when it sent the last write that was
// accepted, thus from before the store had it. A watcher counts from when it had read a
// version, thus from after the store had it, and takes the claim over only when that one
// version has stood for its whole TTL by the watcher's own clock. A holder stops its
// command half a TTL after that sending and kills it after three quarters: as long as two
// clocks run alike within a tenth, 3/4 × 1.1 < 1/1.1, and the command is over before
// anybody else begins. Of those who want to take over, the store's condition lets one
// through, and no version ever comes back: a term, a run and a beat are written once. The
// new holder then asks once more whether the item is done, for the old one may have
// finished after the first question. A holder that is frozen for longer than that may
// overlap; its marker comes second, and its command is ended when it wakes.
//
// Why somebody always makes progress. A claim is released, renewed, or stands still; when
// it has stood still for its TTL every watcher tries to take it over, and one condition
// holds.
package claim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Store is what a claim needs of a store. Of one that can't replace on condition Swap
// fails with the kind Unsupported.
type Store interface {
	Read(ctx context.Context, key string) ([]byte, contract.Token, error)
	Swap(ctx context.Context, key string, body []byte, old contract.Token) (contract.Token, error)
}

// Clock is one that also runs while the machine is suspended.
type Clock interface {
	Now() time.Duration
	After(time.Duration) <-chan time.Time
}

// Claim is what one run does about one index.
type Claim struct {
	Store Store
	Clock Clock
	Mine  Document // Job, Index, RunID, Hostname and Node
	TTL   time.Duration
	// Wait is how long another holder is waited for; 0: without limit.
	Wait time.Duration
	// Access bounds the tries of one call before the command runs, End those of the release.
	Access, End store.Policy
	// Settled tells whether the item is done by now.
	Settled func(context.Context) (bool, error)
	// Busy is told of each holder that is waited for, Trouble of what is tried again.
	Busy    func(Document)
	Trouble func(error, time.Duration)

	rules rules
	beat  int64                   // of the last write
	sent  map[int64]time.Duration // when each was sent
	watch watch                   // of Try
	there bool                    // Try has found a document
}

// rules are what the safety hangs on: parts of a TTL, in twelfths, and mistakes that only
// the tests make.
type rules struct {
	renew, lost, kill, silence          time.Duration
	fromReply, blindTakeover, noRecheck bool
}

// sound are the rules that the argument above is about.
var sound = rules{renew: 4, lost: 6, kill: 9, silence: 12}

// ErrSettled: the item is done, so that there is nothing to claim.
var ErrSettled = errors.New("the item is done by now")

// HeldError: another run holds the claim, and isn't waited for any longer.
type HeldError struct{ By Document }

func (e *HeldError) Error() string { return "it is held by " + e.By.By() }

// held is a version of the document that is ours.
type held struct {
	term  int64
	token contract.Token
	sent  time.Duration // when it was
}

// mostLate is how often a claim may be ours too late to begin with.
const mostLate = 5

// errBusy: the version that was read is another's, and may not be taken over yet.
var errBusy = errors.New("busy")

// Take returns when the claim is ours. It fails with ErrSettled, a *HeldError, the
// context's cause, or a store's error; what it may have written by then it gives back.
func (c *Claim) Take(ctx context.Context) (*Lease, error) {
	l, err := c.take(ctx)
	if err != nil {
		c.withdraw()
	}
	return l, err
}

// withdrawal is how long a run that goes no further tries to give its claim back: the store
// may be why.
const withdrawal = time.Second

// withdraw gives back what stands there of a run that goes no further: the answer to its
// write may have been lost, or not waited for. Best effort: else the TTL does it.
func (c *Claim) withdraw() {
	brief := c.End
	brief.Window, brief.PerCall = min(brief.Window, withdrawal), withdrawal
	_ = store.Retry(context.Background(), brief, func(ctx context.Context) error {
		doc, token, err := c.read(ctx)
		if err != nil || doc.Released {
			return err
		}
		if h, ours := c.ours(doc, token); ours {
			_, err = c.replace(ctx, h, true)
		}
		return err
	}, nil)
}

func (c *Claim) take(ctx context.Context) (*Lease, error) {
	c.prepare()
	began, w, late := c.Clock.Now(), watch{}, 0
	// Where nobody has been there, this is all that it costs.
	h, err := c.asked(ctx, func(ctx context.Context) (held, error) { return c.write(ctx, 1, false, "") })
	for err != nil || c.Clock.Now()-h.sent >= c.part(c.rules.renew) {
		switch {
		case err == nil:
			if late++; late == mostLate {
				return nil, c.tooLate()
			}
		case store.Classify(err) != contract.Exists:
			return nil, err
		case !errors.Is(err, errBusy): // the version was replaced meanwhile
		case c.Wait > 0 && c.Clock.Now()-began >= c.Wait:
			return nil, &HeldError{w.doc}
		default:
			if err := c.pause(ctx, &w, began); err != nil {
				return nil, err
			}
		}
		h, err = c.asked(ctx, func(ctx context.Context) (held, error) { return c.round(ctx, &w) })
	}
	return c.begin(ctx, h, w.others)
}

// begin holds what is ours, unless who had it before has finished.
func (c *Claim) begin(ctx context.Context, h held, others bool) (*Lease, error) {
	if others && !c.rules.noRecheck {
		if err := c.settled(ctx); err != nil {
			return nil, err
		}
	}
	l := c.hold(h)
	l.tookOver = others
	return l, nil
}

func (c *Claim) prepare() {
	if c.rules == (rules{}) {
		c.rules = sound
	}
	if c.sent == nil {
		c.sent = map[int64]time.Duration{}
	}
}

// asked tries for as long as the policy says. What a further try can't change comes back
// at once.
func (c *Claim) asked(ctx context.Context, op func(context.Context) (held, error)) (h held, err error) {
	err = store.Retry(ctx, c.Access, func(ctx context.Context) (err error) {
		if h, err = op(ctx); errors.Is(err, errBusy) {
			return &contract.Error{Kind: contract.Exists, Cause: err}
		}
		return err
	}, c.Trouble)
	return h, err
}

// round reads the document and, where that is allowed, writes it.
func (c *Claim) round(ctx context.Context, w *watch) (held, error) {
	doc, token, err := c.read(ctx)
	switch {
	case err != nil && store.Classify(err) == contract.Absent: // somebody deleted it
		return c.write(ctx, 1, false, "")
	case err != nil:
		return held{}, err
	case token == "":
		return held{}, &contract.Error{Kind: contract.Unsupported, Cause: errors.New("this store doesn't name versions")}
	}
	if h, ours := c.ours(doc, token); ours {
		if c.Clock.Now()-h.sent < c.part(c.rules.renew) {
			return h, nil
		}
		return c.write(ctx, doc.Term, false, token)
	}
	w.see(c.Clock.Now(), doc, token)
	if !doc.Released && c.Clock.Now()-w.since < w.silence(c.rules) && !c.rules.blindTakeover {
		return held{}, errBusy
	}
	return c.write(ctx, doc.Term+1, false, token)
}

// maxPause is how long a release, or the item's end, is noticed later at most.
const maxPause = 5 * time.Second

// pause waits for the holder, and looks whether it has finished.
func (c *Claim) pause(ctx context.Context, w *watch, began time.Duration) error {
	if w.news && c.Busy != nil {
		c.Busy(w.doc)
	}
	w.news = false
	now := c.Clock.Now()
	wait := min(w.doc.Silence()/6, maxPause, w.since+w.silence(c.rules)-now)
	if c.Wait > 0 {
		wait = min(wait, began+c.Wait-now)
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.Clock.After(max(wait, time.Millisecond)):
	}
	return c.settled(ctx)
}

func (c *Claim) settled(ctx context.Context) error {
	done, err := c.Settled(ctx)
	if err == nil && done {
		return ErrSettled
	}
	return err
}

func (c *Claim) part(twelfths time.Duration) time.Duration { return c.TTL * twelfths / 12 }

// Key is where the claim is, below the markers' URL: of an index, or of a chunk of its items.
func (c *Claim) Key() string {
	if c.Mine.Chunk != "" {
		return marker.ShareFolder(c.Mine.Index) + c.Mine.Chunk + ".json"
	}
	return marker.Key("claim", c.Mine.Index)
}

func (c *Claim) read(ctx context.Context) (Document, contract.Token, error) {
	body, token, err := c.Store.Read(ctx, c.Key())
	if err != nil {
		return Document{}, "", err
	}
	doc, err := DecodeOf(body, c.Mine.Index, c.Mine.Chunk)
	return doc, token, err
}

// ours tells whether a document is one that this run has written: perhaps by a write whose
// answer was lost.
func (c *Claim) ours(doc Document, token contract.Token) (held, bool) {
	sent, known := c.sent[doc.Beat]
	return held{doc.Term, token, sent}, known && doc.RunID == c.Mine.RunID
}

// write makes one try to be the holder: in the place of a version, or, for "", of none.
func (c *Claim) write(ctx context.Context, term int64, released bool, old contract.Token) (held, error) {
	doc := c.Mine
	c.beat++
	doc.Version, doc.Term, doc.Beat, doc.TTL, doc.Released, doc.Written = Version, term, c.beat, c.TTL.Seconds(), released, time.Now().UTC()
	body, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return held{}, fmt.Errorf("encode the claim: %w", err)
	}
	sent := c.Clock.Now()
	c.sent[c.beat] = sent
	token, err := c.Store.Swap(ctx, c.Key(), append(body, '\n'), old)
	if c.rules.fromReply {
		sent = c.Clock.Now()
	}
	if err != nil || token != "" {
		return held{term, token, sent}, err
	}
	// The store doesn't tell which version it wrote.
	there, token, err := c.read(ctx)
	if err != nil {
		return held{}, err
	}
	if h, ours := c.ours(there, token); ours && token != "" {
		return h, nil
	}
	return held{}, &contract.Error{Kind: contract.Exists, Cause: errors.New("it is another's by now")}
}
