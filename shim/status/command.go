package status

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"nth/shim/failure"
	"nth/shim/identity"
	"nth/shim/place"
	"nth/shim/proc"
	"nth/shim/screen"
	"nth/shim/store"
)

// plainWidth is how wide lists are where no terminal says otherwise.
const plainWidth = 120

// Command is `nth status`, and gives the exit code: 0 when all is done or skipped, 1
// when something is not. An error is a failure with an exit code of its own.
func Command(c Config, rest []string, w World) (int, error) {
	p, err := c.renamed(w).parse(rest)
	if err != nil {
		return 0, err
	}
	return p.command(w)
}

func (p *parsed) command(w World) (int, error) {
	c := p.Config
	ctx, stop := proc.Interruptible("look at the markers")
	defer stop()
	s, err := p.open(ctx, "--markers", c.Markers, w)
	if err != nil && (s == nil || !c.Watch) { // who watches may be there before the first run
		return 0, err
	}
	defer s.Close()
	o := Options{Store: s, Policy: c.policy(), Nth: w.Version, Job: c.Job, Read: p.read, Used: c.Used || c.Format == "html", Rerun: len(p.lists) == 0 && c.Format != "html", Reason: c.Reason}
	if c.Kubernetes != "" {
		if o.Kubernetes, err = ReadJob(c.Kubernetes, w.Stdin, c.Job); err != nil {
			return 0, err
		}
	}
	if c.Index != nil {
		return p.item(ctx, o, w)
	}
	if len(p.lists) > 0 && c.Reason == "" {
		o.Read = 0 // the listings tell
	}
	seen, stopTelling := tell(w.Stderr)
	if o.Of, err = p.indexes(ctx, o); err != nil || c.Watch {
		stopTelling()
		if err != nil {
			return 0, err
		}
		return p.watch(ctx, o, w)
	}
	o.Seen = seen
	r, snap, err := Look(ctx, o)
	stopTelling()
	if err != nil {
		return 0, err
	}
	if p.queue && r.Tasks == nil {
		r.Tasks = &Tasks{} // none is settled yet
	}
	p.doubt(snap, w.Stderr)
	if c.Reason != "" {
		p.only(r, w.Stderr)
	}
	if len(p.lists) > 0 {
		return 0, print(w.Stdout, func(to io.Writer) error { return p.list(to, r, snap) })
	}
	err = print(w.Stdout, func(to io.Writer) error {
		switch c.Format {
		case "json":
			return writeJSON(to, r)
		case "html":
			return WriteHTML(to, r, snap)
		}
		return r.WriteText(to, width(w))
	})
	return p.code(r.Counts, snap, r.Kubernetes), err
}

// toldEvery is how often it is shown how far a look has come: a person sees a figure within
// a second.
const toldEvery = 300 * time.Millisecond

// tell shows on a terminal, after a moment, how many keys were listed so far, until it is
// told to stop.
func tell(stderr *os.File) (seen *atomic.Int64, stop func()) {
	seen = &atomic.Int64{}
	sc := screen.New(nil, stderr, "auto")
	return seen, sc.Beside(func(quit <-chan struct{}) {
		tick := time.NewTicker(toldEvery)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			sc.Draw(func(width int) ([]byte, int) {
				text := cut(fmt.Sprintf("%d keys listed", seen.Load()), width)
				return []byte(text), len(text)
			})
		}
	})
}

// open opens the store of a flag's URL, whose templates are expanded as far as they
// need no index.
func (p *parsed) open(ctx context.Context, flag, url string, w World) (*store.Store, error) {
	s, err := place.Find(ctx, place.Markers{URL: url, Completions: p.Completions, Job: p.Job, JobUID: p.JobUID,
		Usage: p.called + " --markers URL", Hint: "look at one index's URL at a time"}, w.Process, p.StoreTimeout)
	if f, ok := errors.AsType[*failure.Failure](err); ok && f.On == "--markers" {
		f.On = flag
	}
	return s, err
}

// indexes are those that there should be: what the flags say, or Kubernetes, or the
// documents.
func (p *parsed) indexes(ctx context.Context, o Options) (identity.List, error) {
	if p.Completions != nil || p.Indexes != "" {
		return Indexes(p.Completions, p.Indexes)
	}
	k := o.Kubernetes
	if k != nil && !k.queue && !k.secret {
		if of, ok := k.indexes(); ok {
			return of, nil
		}
	}
	h := newHeads(ctx, o.Store, o.Policy)
	defer h.cancel(nil)
	of, queue, err := workers(h)
	if k != nil {
		k.queue = k.queue || k.secret && queue
	}
	switch p.queue = queue || k != nil && k.queue; {
	case err != nil:
		return of, err
	case p.queue && k != nil:
		return identity.Union(of, k.which((*Pod).failed)), nil
	case p.queue:
		return of, nil
	}
	if k != nil {
		if of, ok := k.indexes(); ok {
			return of, nil
		}
	}
	if of, err = told(ctx, h); err != nil {
		return of, err
	}
	p.said = of.Len()
	return h.grown(of)
}

// code is 0 when nothing is left to do, as far as it is known here, and no more has failed
// than may.
func (p parsed) code(c Counts, snap *Snapshot, k *Kubernetes) int {
	if p.queue && k != nil && !strings.HasPrefix(k.Condition, "Complete") {
		return 1 // what is still in the queue, only its workers know
	}
	if p.outgrown(snap) {
		return 1
	}
	failed, total := c.Failed, snap.Len
	if t := snap.Tasks; t != nil {
		failed, total = failed+t.Failed, total+t.Done+t.Skipped+t.Failed
	}
	if c.open() == 0 && failed <= p.maxFailed(total) {
		return 0
	}
	return 1
}

// only leaves the failures of one reason in the report.
func (p parsed) only(r *Report, stderr io.Writer) {
	var kept []Failure
	reasons := []string{}
	for _, g := range r.Groups {
		reasons = append(reasons, g.Reason)
	}
	for _, f := range r.Failures {
		if f.Reason == p.Reason {
			kept = append(kept, f)
		}
	}
	r.Failures, r.Groups = kept, groups(kept)
	r.TaskFailures = slices.DeleteFunc(r.TaskFailures, func(f TaskFailure) bool {
		reasons = append(reasons, f.Reason)
		return f.Reason != p.Reason
	})
	if unread := r.Unread + r.TasksUnread; unread > 0 {
		screen.Tell(stderr, "nth: %d failure records were not read, so their reasons are not known (--read all reads them)", unread)
	}
	if len(kept) == 0 && len(r.TaskFailures) == 0 && len(reasons) > 0 {
		screen.Tell(stderr, "nth: no failure has the reason %s; there are %s", p.Reason, strings.Join(slices.Compact(slices.Sorted(slices.Values(reasons))), ", "))
	}
}

// list prints the indexes in some states; nothing if there are none.
func (p parsed) list(to io.Writer, r *Report, snap *Snapshot) error {
	some := snap.Of.Pick(func(k int64) bool {
		for _, state := range p.lists {
			if snap.States[k] == state {
				return true
			}
		}
		return false
	})
	if p.Reason != "" {
		of := map[int64]bool{}
		for _, f := range r.Failures {
			of[f.Index] = true
		}
		all := some
		some = all.Pick(func(k int64) bool { return of[all.At(k)] })
	}
	if some.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintln(to, some)
	return err
}

// item is --index: exit code 0 when it is done or skipped.
func (p *parsed) item(ctx context.Context, o Options, w World) (int, error) {
	i, err := LookAt(ctx, o, *p.Index)
	if err != nil {
		return 0, err
	}
	kept, err := p.outputs(ctx, i, w)
	if err != nil && p.Logs {
		return 0, err
	}
	if p.Logs {
		return 0, kept.print(ctx, i, w)
	}
	if err != nil {
		i.Broken = append(i.Broken, w.Secrets.Hide(failure.From(err).Error()))
	}
	i.addLogs(kept)
	err = print(w.Stdout, func(to io.Writer) error {
		if p.Format == "json" {
			return writeJSON(to, i)
		}
		return i.WriteText(to, 0) // whole, also on a terminal: this is what was asked for
	})
	if !i.Settled() {
		return 1, err
	}
	return 0, err
}

// print writes to stdout, and tells when that can't be done.
func print(to io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriter(to)
	err := write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	return &failure.Failure{Code: failure.Unavailable, Tried: "print the status", Cause: err}
}

func writeJSON(to io.Writer, doc any) error {
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(doc)
}

// width is that of the terminal; 0: there is none.
func width(w World) int {
	cols, _, terminal := screen.Size(w.Stdout)
	if !terminal {
		return 0
	}
	return cols
}
