// Package commit has one run's outputs be an item's, however many runs there are. A run
// stages them beside their targets, below .nth/<run_id>/, commits, copies them to their
// targets, writes the marker, and clears away what was staged.
//
// Why one run wins. The commit is created if there is none, and one condition holds. Whoever
// finds it taken knows who won; of a run whose own answer was lost the document says so. A
// run commits once: where an answer of its was lost and another's commit stands, its own may
// have stood before it, and it gives up.
//
// Why the outputs stay what the marker says. Whoever writes to a target copies from what the
// winner has staged, and so the same bytes, whenever the copy comes there, even long after the
// marker. What is staged is removed only after the marker was written; what comes later than
// that finds nothing to copy. A run that was frozen before it staged, or before it committed,
// loses when it wakes, and never writes to a target. Who finds something not staged any more
// looks at the marker again: it is there, and the item is settled; or somebody has removed
// it since, and the commit is stale.
//
// Why somebody always makes progress. All that is needed to go on stands in the commit and in
// what is staged: the next start rolls it forward, without running anything. A commit that is
// stale is replaced on the condition of the version that was read, after a new run.
//
// A command that was changed (--on-change=rerun) replaces the commit of the one before. What
// that had staged is removed first, so that who is about to copy it can't do so over what
// comes now; and its marker, when it comes late, gives way to that of the commit that stands.
//
// What is promised. Whatever clocks, pauses and lost answers do, one run is committed, and
// from the done marker on every target holds that run's bytes, until the item is forgotten
// (nth reset, a marker deleted by hand) or its command is changed. It holds again for what
// runs after that, if no run from before is at work any more and no request of it is under
// way: nth reset refuses an item with a fresh claim for that reason. Else a copy that was on
// its way before may come to its target when another run's marker is there, or a run that
// was about to end may be recorded after all. With a changed command that takes two late
// requests: an upload to the staging place that was sent twice and takes effect after
// it was removed, and a copy of that.
//
// Why a reset forgets the commit before the marker. While the marker stands nobody starts, so
// that nobody meets a half. The other way round a start finds a commit without a marker: it
// rolls it forward, or runs and replaces it, and the reset then takes away the commit of a
// run that is at work, whose marker is left with no commit that keeps others from their
// targets. In the simulation that is four times as frequent; what is left of it is a run that
// commits just before the reset comes to its commit.
package commit

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// Item is what one run does about the outputs of one item.
type Item struct {
	Book *marker.Book
	// Header is the item's; its RunID is of this one attempt, and never used again.
	Header      marker.Header
	Outputs     []Output // in the order of the flags
	Checkpoints []string // URLs, for the note

	rules rules
}

// Output is a place to publish at, which is the same for all runs of the item.
type Output struct {
	Store *store.Store
	Dir   string // a key's beginning: "", or with a slash at its end
	Name  string // of the object in Dir; "": what is in Dir is the output
	URL   string // of Dir, with the parameters that it takes to open it, and no secrets
}

// target gives the key that is published.
func (o Output) target(key string) string {
	if o.Name != "" {
		key = o.Name
	}
	return o.Dir + key
}

// staging is what the keys of all that a run has staged in the directory begin with.
func (o Output) staging(run string) string { return o.Dir + store.Hidden + "/" + run + "/" }

// staged gives the key at which a run keeps what it may publish.
func (o Output) staged(run string, number int, key string) string {
	if o.Name != "" {
		key = o.Name
	}
	return o.staging(run) + strconv.Itoa(number) + "/" + key
}

// rules are mistakes that only the tests make.
type rules struct {
	unstaged      bool // outputs are uploaded to their targets
	markerFirst   bool // the marker is written before the copies
	cleanFirst    bool // what is staged is removed before the marker is written
	unconditional bool // the last commit wins
	blindAbsent   bool // what isn't staged any more was published
	runOver       bool // a commit of the same digest is replaced
	keepOld       bool // what a replaced commit had staged stays
	blindMarker   bool // another run's marker is replaced, whatever commit stands
	twice         bool // a run commits again that may have been replaced
}

// standing is a commit as it was read.
type standing struct {
	Document
	token contract.Token
}

// Vacancy is that no commit is in the way: there is none, or there is one that may be
// replaced, on the condition that it still is the version that was read. The zero value is
// that there was none.
type Vacancy struct{ old *standing }

// Look asks who has committed, when the item isn't done. Of the same digest it is somebody
// whose outputs are to be rolled forward, and nothing is to be run. Else there is a vacancy.
// An error is a failure with exit code 65, 69, 77 or 78.
func (it *Item) Look(ctx context.Context) (*Committed, Vacancy, error) {
	var there standing
	err := store.Retry(ctx, it.Book.Wait, func(ctx context.Context) (err error) {
		there, err = it.read(ctx)
		return err
	}, it.Book.Retrying)
	switch {
	case err != nil && store.Classify(err) == contract.Absent:
		return nil, Vacancy{}, nil
	case err != nil:
		return nil, Vacancy{}, it.failed(err, "read the commit")
	case it.agrees(there) && !it.rules.runOver:
		return &Committed{it: it, standing: there}, Vacancy{}, nil
	case !it.agrees(there) && it.Book.OnChange != marker.OnChangeRerun:
		return nil, Vacancy{}, it.changed(there)
	}
	v, err := it.over(there)
	return nil, v, err
}

// over gives a commit as one that may be replaced.
func (it *Item) over(there standing) (Vacancy, error) {
	if there.token == "" {
		return Vacancy{}, &failure.Failure{Code: failure.Setup, Tried: "prepare to replace the commit", On: it.show(),
			Cause: errors.New("this store can't replace a blob on condition"), Hint: "--output needs file://, s3://, gs:// or azblob:// for that; nth reset forgets the item"}
	}
	return Vacancy{&there}, nil
}

func (it *Item) read(ctx context.Context) (standing, error) {
	body, token, err := it.Book.Store.Read(ctx, it.key())
	if err != nil {
		return standing{}, err
	}
	doc, err := Decode(body, it.Header)
	if err == nil && doc.Marker.Digest == it.Header.Digest {
		err = it.fits(doc)
	}
	return standing{doc, token}, err
}

// fits refuses a commit of the same digest that isn't of the same outputs: its marker would
// vouch for what isn't there.
func (it *Item) fits(doc Document) error {
	objects := map[int]int{}
	for _, o := range doc.Objects {
		if o.Output >= len(it.Outputs) || (o.Key == "") != (it.Outputs[o.Output].Name != "") {
			return it.misfit(o.Output)
		}
		objects[o.Output]++
	}
	for n, o := range it.Outputs {
		if o.Name != "" && objects[n] != 1 {
			return it.misfit(n)
		}
	}
	return nil
}

func (it *Item) misfit(output int) error {
	return &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf("it isn't of the outputs of this command, though of its digest: see output %d", output),
		Hint: "look at it, then let nth reset forget the item"}
}

func (it *Item) agrees(s standing) bool { return s.Marker.Digest == it.Header.Digest }

func (it *Item) key() string  { return it.Book.CommitKey(it.Header) }
func (it *Item) show() string { return it.Book.Store.Show(it.key()) }

// changed is the failure for the commit of another command, exit code 65.
func (it *Item) changed(s standing) *failure.Failure {
	return &failure.Failure{Code: failure.BadIndex, Tried: "go on from the commit", On: it.show(),
		Cause: fmt.Errorf("it is of another command, which run %s has done and not recorded yet", s.Marker.RunID),
		Hint:  "start that command to have it recorded; --on-change=rerun runs this one instead; nth reset forgets the item"}
}

// failed gives a store's error as a failure; what is one already stays.
func (it *Item) failed(err error, tried string) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	return store.Fail(err, failure.OneIndex, tried, it.show())
}

// unpublished is the failure for work that was done and isn't published, exit code 73.
func unpublished(err error, tried, on string) error {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	f := store.Fail(err, failure.OneIndex, tried, on)
	f.Code = failure.NotRecorded
	f.Cause = fmt.Errorf("the work is done but not published: %w", f.Cause)
	return f
}

// retry tries for as long as a marker is tried to be written. An error is a failure with
// exit code 73.
func (it *Item) retry(ctx context.Context, tried, on string, op func(context.Context) error) error {
	if err := store.Retry(ctx, it.Book.Write, op, it.Book.Retrying); err != nil {
		return unpublished(err, tried, on)
	}
	return nil
}
