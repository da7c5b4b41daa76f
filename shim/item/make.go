package item

import (
	"context"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/expand"
	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/templates"
)

// Run is what all items of one run have in common.
type Run struct {
	edge.Process
	Config   *config.Config
	Identity identity.Identity
	Mapping  *Mapping
}

// Header gives what every document of this run says.
func (r *Run) Header() marker.Header {
	id := r.Identity
	h := marker.Header{
		Version: marker.Version, Job: id.Job, JobUID: id.JobUID, Index: id.Index, Completions: id.Total(),
		Attempt: id.Attempt, RunID: r.RunID, Platform: id.Platform, IndexOffset: r.Config.Index.IndexOffset, Hostname: id.Hostname, Node: r.Config.Index.Node, Nth: r.Version,
	}
	if pod := r.Config.Index.Pod; pod != "" {
		h.Hostname = pod
	}
	return h
}

// Fields are those of a run's templates, where nothing is known but who runs.
func (r *Run) Fields() templates.Fields { return expand.Fields(r.Identity, r.RunID) }

// Expander expands templates of this run; what they read as a secret goes to keep.
func (r *Run) Expander(f templates.Fields, keep expand.Keeper) *expand.Expander {
	return &expand.Expander{Fields: f, Sources: r.Sources(), Secrets: keep}
}

// From is what an item is made of beside the run's own templates: where it comes from, and
// what documents about it are to say of that.
type From struct {
	Kind    templates.ItemKind
	Task    templates.Task // of the kinds that have a payload
	Header  marker.Header
	Attempt int    // which one it is of the item
	ID      string // of a task, as --task-id makes it
	// Objects are those that the item is made of, by their URLs, with the parameters by
	// which they were found. Vouched is what the digest covers of them instead of all that is
	// known.
	Objects map[string]string
	Vouched []string
	Gone    error // one of them isn't there any more
}

// Index is the item that the index itself is.
func (r *Run) Index() From {
	return From{Kind: templates.IndexItem, Header: r.Header(), Attempt: r.Identity.Attempt}
}

// Make makes an item.
func (r *Run) Make(of From, keep expand.Keeper) (Item, error) {
	f := r.Fields()
	f.Kind, f.Attempt = of.Kind, of.Attempt
	var err error
	if f.Shard, err = expand.Shard(r.Mapping.Items, r.Identity); err != nil {
		return Item{}, err
	}
	if of.Kind.HasPayload() {
		f.Task = &of.Task
	}
	x := r.Expander(f, keep)
	x.Objects = of.Objects
	words, places, err := r.Mapping.Expand(x)
	if err != nil {
		return Item{}, err
	}
	it := Item{Kind: of.Kind, Words: words, Places: places, Payload: []byte(of.Task.Payload), ID: of.ID, Header: of.Header, Gone: of.Gone}
	it.Header.Command = nil
	for _, word := range words.StableCommand { // an item that was found by a secret may tell it
		it.Header.Command = append(it.Header.Command, r.Secrets.Hide(word))
	}
	it.Header.Digest = marker.Content{Command: words.StableCommand, Env: words.StableEnv, URLs: places.stable(), Task: of.vouched(), Extra: r.Mapping.Digest}.Digest()
	return it, nil
}

// stable is what the digest covers of what an item reads and writes: which flag it is, the
// URL, and the path, for two inputs that changed places are another input.
func (d Data) stable() (list []string) {
	for _, in := range d.Inputs {
		list = append(list, "--input="+in.URL.Shown+"="+in.Path.Shown)
	}
	for _, out := range d.Outputs {
		list = append(list, "--output="+out.Path.Shown+"="+out.URL.Shown)
	}
	if d.Stdin.Value != "" {
		list = append(list, "--stdin="+d.Stdin.Shown)
	}
	if d.Stdout.Value != "" {
		list = append(list, "--stdout="+d.Stdout.Shown)
	}
	return list
}

// vouched is what the digest covers of where an item comes from.
func (of From) vouched() []string {
	if of.Vouched != nil {
		return of.Vouched
	}
	switch of.Kind {
	case templates.RowItem, templates.FetchedItem:
		return []string{of.Task.Payload}
	case templates.TaskItem:
		t := of.Header.Task
		return []string{t.Source, t.Queue, t.ID, of.Task.Payload}
	}
	return nil
}

// FirstAccess is how long a store, or what an item comes from, is asked that may be up later
// than the run.
func (r *Run) FirstAccess() store.Policy {
	return store.Policy{Window: r.Config.Stores.StoreWait, PerCall: r.Config.Stores.StoreTimeout, Pieces: true}
}

// Step begins a step, unless the run is to end before it; name is how the log, and whoever
// stops the run there, calls it. (No function around the step: what is generic, the linker
// keeps with all its methods.)
func (r *Run) Step(ctx context.Context, name string) error {
	if ctx.Err() != nil {
		return r.Stopped(name)
	}
	r.Begin(name)
	return nil
}

// Begin begins a step that comes whatever has happened.
func (r *Run) Begin(step string) { r.Log.Debug().Str("step", step).Msg("step") }
