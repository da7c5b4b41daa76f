// Package check proves a store before a Job is started: it asks everything that
// markers ask of it, with blobs of its own under the real prefix, and names the
// permission that is missing. The questions are the table in probes.go, the answers
// a Report, and views.go shows it.
package check

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"nth/shim/failure"
	"nth/shim/secrets"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// grace is how long a call in flight may go on after the stop: a write that is cut
// short may still happen, and would be left behind.
const grace = 2 * time.Second

// removeWindow bounds how long removing one probe is tried, removeTimeout all of it.
const (
	removeWindow  = 2 * time.Second
	removeTimeout = 10 * time.Second
)

// Options is what Run is told.
type Options struct {
	URL     string
	RunID   string           // names the probes, so that no two checks meet
	Wait    time.Duration    // how long a store that doesn't answer is tried
	Timeout time.Duration    // of a single call
	Secrets *secrets.Set     // that are not shown; nil: there are none
	Each    func(Result)     // hears of each probe as it ends; may be nil
	Waiting func(why string) // hears once why it takes longer; may be nil
}

// session is one check.
type session struct {
	Options
	rights  rights
	key     string // begins the key of every probe
	store   *store.Store
	probe   *store.Probe
	written []string    // keys that may exist
	raced   int         // how many races there were
	made    atomic.Bool // the directory was not there
	report  *Report
}

// Run asks the store, and removes what it wrote, however it ends: the end of ctx
// too, whose cause is then the report's error.
func Run(ctx context.Context, o Options) *Report {
	s := newSession(o)
	for _, p := range probes {
		if ctx.Err() != nil {
			break
		}
		r := s.ask(ctx, p)
		s.report.Results = append(s.report.Results, r)
		if s.Each != nil {
			s.Each(r)
		}
	}
	if s.store != nil {
		s.remove()
		s.store.Close()
	}
	s.report.Made = s.made.Load()
	s.report.conclude(context.Cause(ctx))
	return s.report
}

func newSession(o Options) *session {
	s := &session{Options: o, key: "check-" + o.RunID, report: &Report{Results: []Result{}, Left: []Left{}}}
	if u, err := url.Parse(o.URL); err == nil && u.Scheme != "" {
		s.rights, s.report.listTells = rightsOf(u)
		shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path} // the rest may hold credentials
		s.report.URL = o.Secrets.Hide(shown.String())
	}
	return s
}

// keyOf gives the key of a probe. Markers are in directories; this is beside them.
func (s *session) keyOf(name string) string { return s.key + "-" + name + ".json" }

// write writes a probe, of which the key is remembered unless the store refused it
// at the first try: after a lost reply nobody knows.
func (s *session) write(name string, do func(key string) error) error {
	key := s.keyOf(name)
	known := slices.Contains(s.written, key)
	if !known {
		s.written = append(s.written, key)
	}
	err := do(key)
	if !known && err != nil && store.Classify(err) == contract.Denied {
		s.forget(key)
	}
	return err
}

func (s *session) forget(key string) {
	s.written = slices.DeleteFunc(s.written, func(w string) bool { return w == key })
}

// ask asks one question, again while the store doesn't answer.
func (s *session) ask(ctx context.Context, p probe) Result {
	r := Result{ID: p.id, What: p.what, Needed: p.needed}
	if r.Why = s.impossible(p); r.Why != "" {
		r.Status = Skipped
		return r
	}
	var last time.Duration
	begin := time.Now()
	err := insist(ctx, store.Policy{Window: s.Wait, PerCall: s.Timeout}, p.id == first, func(ctx context.Context) error {
		ctx, cancel := patient(ctx)
		defer cancel()
		r.Tries++
		started := time.Now()
		err := p.do(s, ctx)
		last = time.Since(started)
		return err
	}, s.waiting)
	if err != nil && ctx.Err() != nil {
		r.Status, r.Why = Skipped, "stopped"
		return r
	}
	if err != nil {
		last = time.Since(begin)
	}
	r.Milliseconds = float64(last.Microseconds()) / 1000
	s.answer(&r, p, err)
	return r
}

// insist tries op again while that may help. Who we are may become known late, but
// once it is (patiently false), a refusal stays one; so does a bad URL.
func insist(ctx context.Context, policy store.Policy, patiently bool, op func(context.Context) error, notify func(error, time.Duration)) error {
	var last error
	err := store.Retry(ctx, policy, func(ctx context.Context) error {
		last = op(ctx)
		_, final := errors.AsType[*failure.Failure](last)
		if final || last != nil && !patiently && store.Classify(last) == contract.Denied {
			return nil
		}
		return last
	}, notify)
	if err != nil {
		return err
	}
	return last
}

// impossible tells why a question can't be asked; "" if it can.
func (s *session) impossible(p probe) string {
	for _, id := range p.after {
		if r := s.report.result(id); r == nil || r.Status != OK {
			return "it needs: " + whatOf(id)
		}
	}
	if p.unless != nil {
		return p.unless(s)
	}
	return ""
}

// answer gives an error its meaning.
func (s *session) answer(r *Result, p probe, err error) {
	r.Status = OK
	if err == nil {
		return
	}
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok {
		f = store.Fail(err, failure.TheJob, "", "")
	}
	r.Status, r.Code, r.Why, r.Hint = Failed, f.Code, s.say(f.Cause), s.Secrets.Hide(f.Hint)
	if f.Code == failure.Denied && aboutPermission(f.Hint) {
		r.Permission = s.Secrets.Hide(s.rights[p.right])
		r.Hint = "grant " + r.Permission
		if p.id == first && s.report.listTells {
			r.Hint += ", or " + s.rights[toList] + ": without that, the answer is the same for a key that isn't there"
		}
	}
}

func (s *session) say(err error) string {
	if err == nil {
		return ""
	}
	return s.Secrets.Hide(failure.OneLine(err.Error()))
}

// waiting tells once why nothing seems to happen.
func (s *session) waiting(err error, _ time.Duration) {
	if s.Waiting == nil {
		return
	}
	s.Waiting(fmt.Sprintf("%s; trying for %s (--store-wait)", s.say(store.Fail(err, failure.TheJob, "", "").Cause), s.Wait))
	s.Waiting = nil
}

// remove removes every probe that may be there, and says which couldn't be.
func (s *session) remove() {
	if len(s.written) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	for _, key := range s.written {
		s.take(ctx, key)
	}
	if list := s.report.result("list"); list == nil || list.Status != OK {
		return
	}
	// A write that was given up may have happened meanwhile.
	for range 2 {
		for _, key := range s.listed(ctx) {
			s.take(ctx, key)
		}
	}
	for _, key := range s.listed(ctx) {
		s.leave(key, "it was deleted, and is still there")
	}
}

// listed gives the probes that are there and not known to stay.
func (s *session) listed(ctx context.Context) (keys []string) {
	_ = s.store.List(ctx, s.key, func(key string, _ int64, _ time.Time) error {
		if !slices.ContainsFunc(s.report.Left, func(l Left) bool { return l.URL == s.shown(key) }) {
			keys = append(keys, key)
		}
		return nil
	})
	return keys
}

func (s *session) take(ctx context.Context, key string) {
	err := insist(ctx, store.Policy{Window: removeWindow, PerCall: s.Timeout}, false, func(ctx context.Context) error {
		if err := s.store.Delete(ctx, key); err != nil && store.Classify(err) != contract.Absent {
			return err
		}
		return nil
	}, nil)
	if err != nil {
		s.leave(key, s.say(store.Fail(err, failure.TheJob, "", "").Cause))
	}
}

func (s *session) leave(key, why string) {
	s.report.Left = append(s.report.Left, Left{URL: s.shown(key), Why: why})
}

func (s *session) shown(key string) string { return s.Secrets.Hide(s.store.Show(key)) }

// patient gives a context that ends with ctx's deadline, but a while after its end.
func patient(ctx context.Context) (context.Context, context.CancelFunc) {
	calm, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := cancel
	if deadline, ok := ctx.Deadline(); ok {
		calm, end = context.WithDeadline(calm, deadline)
	}
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(grace):
		case <-calm.Done():
		}
		cancel()
	})
	return calm, func() { stop(); end(); cancel() }
}
