package repair

import (
	"context"
	"fmt"
	"os"
	"time"

	"nth/shim/config"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/proc"
)

// MarkConfig is what `nth mark` is told.
type MarkConfig struct {
	Config
	Reason  string `group:"Marker" env:"-" placeholder:"TEXT" help:"Why, for those who look later. Needed."`
	By      string `group:"Marker" env:"-" placeholder:"NAME" help:"Who says so (default: the user's name and this machine's)."`
	Skipped bool   `group:"Marker" env:"-" help:"Settle them as bad, as --skip-exit-codes does, and not as done."`
}

// mark is one `nth mark`.
type mark struct {
	batch
	book            *marker.Book
	like            marker.Marker // what is the same for all
	marked, already heap
}

// Mark is `nth mark`: the chosen indexes are recorded as done by hand, those that have
// a marker left alone. It gives the exit code: 1 when some were refused and the others
// are done. An error is a failure.
func Mark(c MarkConfig, rest []string, w World) (int, error) {
	if err := c.agree(config.ForMark, c); err != nil {
		return 0, err
	}
	ctx, stop := proc.Interruptible("mark")
	defer stop()
	s, err := open(ctx, "mark", c.Config, rest, w)
	if err != nil {
		return 0, err
	}
	defer s.store.Close()
	m := &mark{batch: batch{session: s}, like: c.marker(w)}
	m.book = &marker.Book{Store: s.store, OnChange: marker.OnChangeSkip, Wait: s.policy(), Write: s.policy(), Told: s.policy(),
		Retrying: func(err error, wait time.Duration) { m.slow(err, wait) }}
	return m.run()
}

// marker gives what the markers have in common. They have no digest, and so vouch for
// whatever the items are.
func (c *MarkConfig) marker(w World) marker.Marker {
	now := time.Now().UTC()
	m := marker.Marker{
		Header: marker.Header{Version: marker.Version, Job: c.Job, JobUID: c.JobUID, Completions: c.Completions,
			RunID: w.RunID, Hostname: w.Hostname, Nth: w.Version, Command: []string{}},
		Usage:  marker.Usage{Started: now, Finished: now},
		Source: marker.SourceMark, Outcome: marker.Done, MarkedBy: c.By, Reason: c.Reason,
	}
	if c.Skipped {
		m.Outcome = marker.Skipped
	}
	if m.MarkedBy == "" {
		m.MarkedBy = w.user()
	}
	return m
}

// user names who is at work: alice@laptop.
func (w World) user() string {
	name := fmt.Sprintf("uid %d", os.Getuid())
	for _, variable := range []string{"LOGNAME", "USER"} {
		if value, _ := w.LookupEnv(variable); value != "" {
			name = value
		}
	}
	if w.Hostname != "" {
		name += "@" + w.Hostname
	}
	return name
}

func (m *mark) run() (int, error) {
	only, err := m.named()
	if err != nil {
		return 0, err
	}
	if m.found, err = m.take([]string{kinds[done].dir, kinds[failed].dir, claimDir}, only, false); err != nil {
		return 0, err
	}
	m.choose(only)
	if len(m.items) > 0 {
		err := m.confirm(fmt.Sprintf("Mark %s as %s under %s?", counted(int64(len(m.items)), "index", "indexes"), m.like.Outcome, m.store.Show("")))
		if err != nil {
			return 0, err
		}
	}
	err = m.work(m.one)
	m.report(err)
	return m.end(err, "not marked")
}

// choose finds the indexes to mark, and those that were named and are done already.
func (m *mark) choose(only identity.List) {
	if m.Failed {
		m.items = m.found.items(func(item marker.Item, h *held) bool { return h.has(failed) && !h.has(done) && m.within(item.Index) })
		return
	}
	if m.Indexes == "" {
		only = identity.Whole(*m.Completions)
	}
	for k := range only.Len() {
		item := marker.Item{Index: only.At(k)}
		switch h := m.found[item]; {
		case h.has(done) && m.Indexes != "":
			m.already.add(item)
		case h.has(done) || h.has(failed) && m.Missing:
		default:
			m.items = append(m.items, item)
		}
	}
}

// one marks an index.
func (m *mark) one(ctx context.Context, item marker.Item) error {
	doc := m.like
	doc.Index = item.Index
	if m.DryRun {
		m.note(&m.marked, item)
		return nil
	}
	if doc.Outcome == marker.Skipped {
		if err := m.book.WriteSkipped(ctx, doc); err != nil {
			return err
		}
	}
	how, _, err := m.book.Finish(ctx, doc, nil)
	switch {
	case err != nil:
		return err
	case how == marker.Theirs:
		m.note(&m.already, item)
	default:
		m.note(&m.marked, item)
	}
	return nil
}

func (m *mark) report(err error) {
	verb := "marked"
	if m.DryRun {
		verb = "would mark"
	}
	if n := m.marked.len(); n > 0 {
		m.say("%s %s as %s: %s", verb, counted(n, "index", "indexes"), m.like.Outcome, &m.marked)
	}
	if n := m.already.len(); n > 0 {
		m.say("left alone, for %s done already: %s", counted(n, "index is", "indexes are"), &m.already)
	}
	if err == nil && m.marked.len()+m.already.len()+m.refused.len() == 0 {
		m.say("nothing to mark")
	}
}
