package item

import (
	"errors"
	"net/url"
	"path"
	"strings"

	"nth/shim/expand"
	"nth/shim/failure"
)

// Place is where in a store something is, in one form for each place.
type Place struct {
	store string // scheme, host, and what else says whom is asked
	at    string // the path, without a slash at its end
	dir   bool   // of the kind in which others can be
}

// elsewhere are the parameters with which a bucket of the same name is another one.
var elsewhere = []string{"endpoint", "storage_account", "domain", "universe_domain", "localemu"}

// PlaceOf gives the place of a URL. What a file system takes for the same is the same.
func PlaceOf(raw string) Place {
	u, err := url.Parse(raw)
	if err != nil {
		return Place{store: raw}
	}
	file := u.Scheme == "file"
	p := Place{store: u.Scheme + "://" + u.Host, at: strings.TrimSuffix(u.Path, "/"), dir: file || strings.HasSuffix(u.Path, "/")}
	if file {
		p.store, p.at = "file://", strings.TrimSuffix(path.Clean("/"+u.Path), "/")
	}
	query := u.Query()
	for _, name := range elsewhere {
		if value := query.Get(name); value != "" && !file {
			p.store += "?" + name + "=" + strings.TrimSuffix(value, "/")
		}
	}
	return p
}

// Store names the store that it is in, and who is asked.
func (p Place) Store() string { return p.store }

// Path is where it is there; with a slash at its end where other places can be in it.
func (p Place) Path() string {
	if p.dir {
		return p.at + "/"
	}
	return p.at
}

// Bucket names what answers for all that is in it: the bucket; of files, which may be on any
// volume, each.
func (p Place) Bucket() string {
	if p.store == "file://" {
		return p.store + p.Path()
	}
	return p.store
}

// holds tells whether another place is this one, or in it.
func (p Place) holds(q Place) bool {
	return p.store == q.store && (p.at == q.at || p.dir && strings.HasPrefix(q.at, p.at+"/"))
}

func overlap(p, q Place) bool { return p.holds(q) || q.holds(p) }

// published is a URL at which a run writes.
type published struct {
	flag string
	url  expand.Text
	its  bool // it may be another for each item
}

// Published gives the URLs at which an item's results are in the end.
func (d Data) Published() (list []expand.Text) {
	for _, out := range d.Outputs {
		list = append(list, out.URL)
	}
	if d.Stdout.Value != "" {
		list = append(list, d.Stdout)
	}
	return list
}

func (m *Mapping) published(d Data) (list []published) {
	for i, out := range d.Outputs {
		list = append(list, published{"--output", out.URL, its(m.outputs[i].url)})
	}
	if d.Stdout.Value != "" {
		list = append(list, published{"--stdout", d.Stdout, its(m.stdout.url)})
	}
	return list
}

// clash refuses places of which one would overwrite another, or make it look done.
func (m *Mapping) clash(d Data, doneIf expand.Text) error {
	results := m.published(d)
	written, read := results, []published{}
	for i, kept := range d.Checkpoints {
		written = append(written, published{"--checkpoint", kept.URL, its(m.checkpoints[i].url)})
	}
	for i, kept := range d.Kept {
		written = append(written, published{"--keep-failed", kept.URL, its(m.kept[i].url)})
	}
	for i, in := range d.Inputs {
		read = append(read, published{"--input", in.URL, its(m.inputs[i].url)})
	}
	if d.Stdin.Value != "" {
		read = append(read, published{"--stdin", d.Stdin, its(m.stdin.url)})
	}
	for i, a := range written {
		for _, b := range written[:i] {
			if overlap(PlaceOf(a.url.Value), PlaceOf(b.url.Value)) {
				return clashing(a, b, "one would overwrite the other: they are the same place, or one is in the other", "name two places")
			}
		}
		for _, b := range read {
			if a.flag == "--checkpoint" && overlap(PlaceOf(a.url.Value), PlaceOf(b.url.Value)) {
				return clashing(a, b, "a checkpoint is overwritten while the command works, and deleted at its end", "name another place for it")
			}
		}
	}
	for _, out := range results {
		if result := (published{"--done-if", doneIf, its(m.doneIf)}); doneIf.Value != "" && PlaceOf(out.url.Value).holds(PlaceOf(doneIf.Value)) {
			return clashing(out, result, "it is what the run itself publishes: what is half published would look done", "leave --done-if out: the marker tells")
		}
	}
	return m.samePaths(d)
}

// Foreseen refuses what is read and written before there is any item: what would be refused
// of all. Where a payload has a part in it, nobody knows yet.
func (m *Mapping) Foreseen(x *expand.Expander) error {
	for _, t := range append(append(m.Stored(), m.paths()...), expand.Named{Template: m.doneIf}) {
		if t.UsesTask() {
			return nil
		}
	}
	d, err := m.Data(x)
	doneIf := x.Text("--done-if", m.doneIf)
	if err == nil && x.Err == nil {
		err = m.clash(d, doneIf)
	}
	return err
}

// samePaths refuses inputs of which one would overwrite another.
func (m *Mapping) samePaths(d Data) error {
	for i, a := range d.Inputs {
		for k, b := range d.Inputs[:i] {
			p, q := path.Clean(a.File()), path.Clean(b.File())
			aFile, bFile := !a.Dir && !a.Glob, !b.Dir && !b.Glob
			if p == q || aFile && strings.HasPrefix(q, p+"/") || bFile && strings.HasPrefix(p, q+"/") {
				of := func(in Input, by pair) published { return published{"--input", in.Path, by.its()} }
				return clashing(of(a, m.inputs[i]), of(b, m.inputs[k]), "one would take the other's place: they are fetched to the same path, or one to a path in the other's file", "give each a path of its own")
			}
		}
	}
	return nil
}

// clashing is a failure with exit code 65 where it may be the item's own, else 78.
func clashing(a, b published, why, hint string) error {
	f := &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: b.flag + " " + b.url.Shown + " and " + a.flag + " " + a.url.Shown, Cause: errors.New(why), Hint: hint}
	if a.its || b.its {
		f.Code = failure.BadIndex
	}
	return f
}
