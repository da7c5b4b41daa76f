package once

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"syscall"

	"nth/shim/commit"
	"nth/shim/end"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/marker"
	"nth/shim/record"
	"nth/shim/stage"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/transfer"
)

// results are the outputs of an item on their way: staged, committed, copied to their
// places, and vouched for by the marker. Nil: it has none.
type results struct {
	*Way
	it      item.Item
	commit  *commit.Item
	vacancy commit.Vacancy // of the last look
	staging *commit.Staging
	rooms   []stage.Room     // of each --output
	stdout  *transfer.Writer // of --stdout; nil: nothing was begun
}

// results opens the places of an item's outputs, and asks them nothing.
func (w *Way) results(ctx context.Context, it item.Item) (*results, error) {
	published := it.Places.Published()
	if len(published) == 0 {
		return nil, nil
	}
	p := &results{Way: w, it: it, commit: w.committing(it)}
	p.commit.Header.RunID = w.attempt()
	for _, text := range published {
		o, err := w.target(ctx, text)
		if err != nil {
			return nil, itsOwn(err, text)
		}
		p.commit.Outputs = append(p.commit.Outputs, o)
	}
	return p, nil
}

// committing is an item with what is noted of it beside the markers, and no outputs yet.
func (w *Way) committing(it item.Item) *commit.Item {
	c := &commit.Item{Book: w.Record.Book(), Header: it.Header}
	for _, kept := range it.Places.Checkpoints {
		c.Checkpoints = append(c.Checkpoints, w.Secrets.Hide(kept.URL.Value))
	}
	return c
}

// target opens the directory that an output is in, or is.
func (w *Way) target(ctx context.Context, at expand.Text) (o commit.Output, err error) {
	u, err := url.Parse(at.Value)
	if err == nil && strings.HasSuffix(u.Path, "/") {
		o.Store, err = w.Stores.Open(ctx, at.Value)
		o.URL = w.Secrets.Hide(at.Value)
		return o, err
	}
	if o.Store, o.Name, err = w.Stores.OpenObject(ctx, at.Value); err == nil {
		u.Path, u.RawPath = path.Dir(u.Path)+"/", ""
		o.URL = w.Secrets.Hide(u.String())
	}
	return o, err
}

// reach asks for an object where each output goes, in a store that the markers' isn't: hours
// of work are not for a bucket that isn't there.
func (p *results) reach(ctx context.Context) error {
	if p == nil || p.Nth > 0 {
		return nil
	}
	asked := map[string]bool{item.PlaceOf(p.it.Places.Markers.Value).Bucket(): true}
	for n, at := range p.it.Places.Published() {
		if bucket := item.PlaceOf(at.Value).Bucket(); !asked[bucket] {
			asked[bucket] = true
			if err := p.answers(ctx, p.commit.Outputs[n].Store, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// answers tells whether a store says that nothing is where nothing is.
func (p *results) answers(ctx context.Context, s *store.Store, at expand.Text) error {
	key := store.Hidden + "/" + p.commit.Header.RunID + "/access"
	err := store.Retry(ctx, p.FirstAccess(), func(ctx context.Context) error {
		part, err := s.Part(ctx, key, "", 0, -1)
		if err == nil {
			_ = part.Close()
		}
		return err
	}, p.Retrying)
	switch {
	case err == nil || store.Classify(err) == contract.Absent:
		return nil
	case ctx.Err() != nil:
		return p.Stopped("outputs")
	}
	return store.Fail(err, whose(at), "look where the output goes", at.Shown)
}

// clear makes room for what the command is to write.
func (p *results) clear(ctx context.Context) error {
	if p == nil {
		return nil
	}
	for _, out := range p.it.Places.Outputs {
		room, err := stage.Clear(ctx, out.Path.Value)
		p.rooms = append(p.rooms, room)
		if err != nil {
			return noRoom(err, out.Path.Shown)
		}
		if room.Full {
			p.Log.Warn().Msg(p.Secrets.Hide("the output " + out.Path.Shown + " is there before the command: it is left as it is"))
		}
	}
	return nil
}

func noRoom(err error, on string) error {
	f := &failure.Failure{Code: failure.Unavailable, Tried: "make room for the output", On: on, Cause: err}
	if errors.Is(err, stage.ErrBusy) {
		f.Code, f.Hint = failure.Held, "it is tried again; each run has a path of its own with <<.RunID>> in it"
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		f.Code, f.Hint = failure.Denied, "let this user write there: with a read-only root, on a volume"
	}
	return f
}

// open begins what is uploaded while the command runs.
func (p *results) open(in *Inputs) error {
	if p == nil || p.it.Places.Stdout.Value == "" {
		return nil
	}
	if err := p.begin(); err != nil {
		return err
	}
	n := len(p.commit.Outputs) - 1
	p.stdout = p.stream(p.policy(), streamPart).Writer(context.Background(), p.commit.Outputs[n].Store, p.staging.Key(n, ""))
	in.Stdout = p.stdout
	return nil
}

// policy is for requests behind the command, whose work is worth their retries.
func (w *Way) policy() store.Policy {
	return store.Policy{Window: w.Config.Stores.MarkerTimeout, PerCall: w.Config.Stores.StoreTimeout}
}

func (p *results) begin() (err error) {
	if p.staging == nil {
		p.staging, err = p.commit.Stage(context.Background())
	}
	return err
}

// publish makes the outputs of a command that has succeeded those of the item, and records
// that. A stop signal doesn't end it: the work is done.
func (p *results) publish(found record.Verdict, m marker.Marker) (own bool, err error) {
	p.Begin("stage")
	p.Ending.Close()
	m.RunID = p.commit.Header.RunID
	objects, err := p.staged()
	if err != nil {
		return false, err
	}
	p.Begin("commit")
	s, err := p.staging.Publish(context.Background(), p.vacancy, m, objects, found.Over())
	if err != nil {
		return false, err
	}
	p.settled(s)
	return s.Marker().RunID == m.RunID && s.How != marker.Theirs && !found.Again(), nil
}

// staged uploads all that there is to publish.
func (p *results) staged() (objects []commit.Object, err error) {
	var all []*stage.Output
	ctx := context.Background()
	for n, out := range p.it.Places.Outputs {
		if p.rooms[n].Untouched() {
			return nil, &missing{&failure.Failure{Code: failure.NotRecorded, Tried: "collect the output", On: out.Path.Shown,
				Cause: errors.New("it is the file that was there before: the command succeeded and didn't write it"), Hint: "correct the path, or the command"}}
		}
		o, err := stage.Outputs.Collect(ctx, out.Path.Value)
		if f, ok := errors.AsType[*failure.Failure](err); ok && errors.Is(err, stage.ErrMissing) {
			return nil, &missing{f}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	g, progress := p.stage(p.policy(), "publishing")
	defer progress.end()
	for n, o := range all {
		files, err := g.Upload(ctx, o, p.commit.Outputs[n].Store, func(f stage.File) string { return p.staging.Key(n, f.Key) })
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			objects = append(objects, commit.Object{Output: n, Key: f.Key, Size: f.Sum.Size, Checksum: f.Sum.String(), Mode: uint32(f.Mode)})
		}
	}
	if p.stdout != nil {
		sum, err := p.stdout.Finish()
		if err != nil {
			f := store.Fail(err, failure.OneIndex, "publish what the command wrote to stdout", p.it.Places.Stdout.Shown)
			f.Code = failure.NotRecorded
			return nil, f
		}
		objects = append(objects, commit.Object{Output: len(all), Size: sum.Size, Checksum: sum.String()})
	}
	return objects, nil
}

// missing is an output that a command which succeeded didn't make: the item's own failure.
type missing struct{ *failure.Failure }

// Unwrap gives the failure.
func (m *missing) Unwrap() error { return m.Failure }

// leave lets others make outputs at the same paths.
func (p *results) leave() {
	if p != nil {
		for _, room := range p.rooms {
			room.Leave()
		}
	}
}

// drop gives up what isn't going to be published.
func (p *results) drop() {
	if p == nil {
		return
	}
	if p.stdout != nil {
		p.stdout.Abort()
	}
	if p.staging == nil {
		return
	}
	if err := p.staging.Drop(context.Background()); err != nil {
		p.Log.Warn().Msg("remove what was staged: " + p.Said(err) + "; nth reset --stale does it later")
	}
}

// conclude records what was done, once and for all: with its outputs, where it has any. Own
// says that the marker is this run's, and was nobody's before.
func (w *Way) conclude(p *results, it item.Item, found record.Verdict, done Outcome) (own bool, err error) {
	if p == nil || done.As == marker.Skipped {
		p.drop()
		own, err = w.record(it, found, done)
		return own, end.After(err, done.Evidence)
	}
	own, err = p.publish(found, w.marker(it, done))
	if err == nil {
		return own, nil
	}
	p.drop()
	if _, ok := errors.AsType[*missing](err); ok {
		done.Evidence.Judged = false // it is the item that failed
	}
	return false, end.After(err, done.Evidence)
}
