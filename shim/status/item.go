package status

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"nth/shim/marker"
	"nth/shim/screen"
	"nth/templates"
)

// Item is all that is known of one index. Its documents are as they were recorded.
type Item struct {
	Index   int64           `json:"index"`
	State   string          `json:"state"`
	At      time.Time       `json:"at"`
	Marker  json.RawMessage `json:"marker,omitempty"`
	Skipped json.RawMessage `json:"skipped,omitempty"`
	Failure json.RawMessage `json:"failure,omitempty"`
	Started json.RawMessage `json:"started,omitempty"`
	Claim   json.RawMessage `json:"claim,omitempty"`
	Shard   *Shard          `json:"shard,omitempty"`
	Pods    []Pod           `json:"pods,omitempty"`
	// Broken are the documents that can't be read, and why.
	Broken []string  `json:"broken,omitempty"`
	Logs   []ItemLog `json:"logs,omitempty"`
}

// ItemLog is the output of one attempt that --logs has kept.
type ItemLog struct {
	RunID    string    `json:"run_id"`
	Modified time.Time `json:"modified"`
	Size     int64     `json:"size"`
}

// LookAt reads all that there is of one index. An error is a failure.
func LookAt(ctx context.Context, o Options, index int64) (*Item, error) {
	snap, err := scanOne(ctx, o.Store, index, o.Policy)
	if err != nil {
		return nil, err
	}
	item := &Item{Index: index, At: snap.At.UTC()}
	for _, d := range item.documents() {
		body, err := read(ctx, o.Store, o.Policy, marker.Key(d.dir, index))
		if err != nil {
			return nil, err
		}
		if body != nil && !json.Valid(body) {
			item.Broken = append(item.Broken, o.Store.Show(marker.Key(d.dir, index))+" is no JSON document")
			continue
		}
		*d.to = body
	}
	if len(snap.Shards) > 0 {
		shard, err := readShard(ctx, o.Store, o.Policy, index)
		if err != nil {
			return nil, err
		}
		item.Shard = &shard
	}
	if o.Kubernetes != nil {
		o.Kubernetes.joinItem(item, snap)
	}
	for _, s := range states {
		if s.State == snap.States[0] {
			item.State = s.name
		}
	}
	return item, nil
}

func (i *Item) documents() []part {
	return []part{{"done", &i.Marker}, {"skipped", &i.Skipped}, {"failed", &i.Failure}, {"started", &i.Started}, {"claim", &i.Claim}}
}

type part struct {
	dir string
	to  *json.RawMessage
}

// Settled tells whether nothing is left to do of it.
func (i *Item) Settled() bool { return i.State == "done" || i.State == "skipped" }

// logs are the addresses of the outputs that the documents name, the latest document
// first.
func (i *Item) logs() (urls []string) {
	for _, d := range []json.RawMessage{i.Started, i.Failure, i.Marker} {
		var doc struct{ Log string }
		if json.Unmarshal(d, &doc) == nil && doc.Log != "" {
			urls = append(urls, doc.Log)
		}
	}
	return urls
}

// WriteText prints the item for people.
func (i *Item) WriteText(w io.Writer, width int) error {
	t := newText(width, i.At)
	t.line("index %d: %s", i.Index, i.State)
	t.marker(i.Marker)
	t.failure(i.Index, i.Failure)
	t.began(i.Started)
	t.claim(i.Claim)
	if i.Shard != nil {
		t.shards([]Shard{*i.Shard})
	}
	for _, p := range i.Pods {
		t.line("pod      %s: %s", p.Name, p.state())
	}
	for _, why := range i.Broken {
		t.line("broken   %s", why)
	}
	for _, l := range i.Logs {
		t.line("log      %s: %s, %s", l.RunID, size(l.Size), t.when(l.Modified))
	}
	if len(i.Logs) > 0 {
		t.line("         --logs prints them")
	}
	_, err := io.WriteString(w, t.String())
	return err
}

func (t *text) marker(doc json.RawMessage) {
	var m marker.Marker
	if doc == nil || json.Unmarshal(doc, &m) != nil {
		return
	}
	if m.Source == marker.SourceMark {
		by := ""
		if m.MarkedBy != "" {
			by = " by " + m.MarkedBy
		}
		t.line("marker   %s: %s, by hand%s", m.Outcome, t.when(m.Finished), by)
		if m.Reason != "" {
			t.line("         reason: %s", m.Reason)
		}
	} else {
		t.line("marker   %s: %s, by %s", m.Outcome, t.when(m.Finished), m.Source)
		t.usage(m.Usage)
	}
	t.header(m.Header)
}

func (t *text) failure(index int64, doc json.RawMessage) {
	if doc == nil {
		return
	}
	f := failureOf(index, doc)
	t.line("failure  %s (--reason %s)", f.Text, f.Reason)
	if f.Reason == unreadable {
		t.line("         %s", f.Last)
		return
	}
	var r marker.Failure
	_ = json.Unmarshal(doc, &r) // failureOf could
	t.line("         %d so far, the last one %s", f.Failures, t.when(f.At))
	t.usage(r.Usage)
	t.header(r.Header)
	if f.Message != "" {
		t.line("         %s", f.Message)
	}
	for line := range strings.SplitSeq(strings.TrimRight(screen.Clean(f.Stderr), "\n"), "\n") {
		if f.Stderr != "" {
			t.WriteString("         | " + line + "\n") // whole: this is what was asked for
		}
	}
}

func (t *text) usage(u marker.Usage) {
	t.line("         took %s, CPU %.1fs, memory %s", short(time.Duration(u.DurationS*float64(time.Second))), u.UserS+u.SystemS, size(u.MaxRSSBytes))
}

func (t *text) header(h marker.Header) {
	where := (&Failure{Pod: h.Hostname, Node: h.Node}).where()
	attempt := ""
	if h.Attempt > 0 {
		attempt = fmt.Sprintf("attempt %d, ", h.Attempt)
	}
	t.line("         %srun %s, %s", attempt, h.RunID, where)
	if name := itemOf(h, ""); name != "" {
		t.line("         of %s", name)
	}
	if len(h.Command) > 0 {
		t.line("         command: %s", templates.Line(h.Command))
	}
}

func (t *text) began(doc json.RawMessage) {
	var s struct {
		marker.Header
		Started time.Time
	}
	if doc != nil && json.Unmarshal(doc, &s) == nil {
		t.line("started  %s", t.when(s.Started))
		t.header(s.Header)
	}
}

func (t *text) claim(doc json.RawMessage) {
	var c struct {
		claim
		RunID string `json:"run_id"`
	}
	if doc != nil && json.Unmarshal(doc, &c) == nil {
		state := fmt.Sprintf("renewed at least every %s while it is held", short(time.Duration(c.TTL)))
		if c.Released {
			state = "released"
		}
		t.line("claim    by run %s, %s", c.RunID, state)
	}
}
