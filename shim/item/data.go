package item

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"nth/shim/config"
	"nth/shim/expand"
	"nth/shim/failure"
	"nth/shim/store"
	"nth/templates"
)

// Data are the places of what an item reads and writes.
type Data struct {
	Inputs      []Input
	Outputs     []Output
	Stdin       expand.Text // "": the command has nth's own
	Stdout      expand.Text // "": the same
	Checkpoints []Output
	KeepFailed  expand.Text // a directory; "": no outputs are kept
	Kept        []Output    // of an attempt that failed
}

// Input is what is fetched before the command.
type Input struct {
	URL, Path expand.Text
	Dir       bool // all below the URL, into the directory Path
	Glob      bool // all that the URL matches, into the directory Path
}

// Output is a file that is published, or with Dir a directory of them.
type Output struct {
	Path, URL expand.Text
	Dir       bool
}

// File is the path of the file that an input becomes; of a Dir or Glob its directory.
func (in Input) File() string {
	if in.Dir || in.Glob || !strings.HasSuffix(in.Path.Value, "/") {
		return in.Path.Value
	}
	u, err := url.Parse(in.URL.Value)
	if err != nil {
		return in.Path.Value
	}
	return in.Path.Value + path.Base(u.Path)
}

// data are the templates of what an item reads and writes.
type data struct {
	inputs, outputs, checkpoints, kept []pair
	stdin, stdout                      pair // without a path
	keepFailed                         *templates.Template
}

// pair is one flag's URL, and its path.
type pair struct {
	flag      string
	url, path *templates.Template
	slash     bool // the template's own text ends the URL in a slash
}

// its tells whether either half may differ from item to item.
func (p pair) its() bool { return its(p.url) || p.path != nil && its(p.path) }

// its tells whether what a template gives may differ from item to item.
func its(t *templates.Template) bool { return t.UsesTask() || t.UsesIndex() }

// parsePairs parses a flag with two halves.
func parsePairs(p *expand.Parser, flag string, texts []string, cut func(string) (config.Pair, error)) (list []pair) {
	for i, text := range texts {
		halves, err := cut(text)
		if err != nil { // whose text may be a secret's
			p.Fail(flag, fmt.Errorf("number %d: %w", i+1, err), hintOf()[flag])
			continue
		}
		list = append(list, pair{flag, p.URL(flag, halves.URL), p.Path(flag, halves.Path), slashed(config.Literal(halves.URL))})
	}
	return list
}

// parseStream parses the URL of a stream.
func parseStream(p *expand.Parser, flag, text string) pair {
	return pair{flag: flag, url: p.URL(flag, text), slash: slashed(config.Literal(text))}
}

func hintOf() map[string]string {
	return map[string]string{
		"--input":       "write --input s3://bucket/key=/path: the URL, then the path",
		"--output":      "write --output /path=s3://bucket/key: the path, then the URL",
		"--checkpoint":  "write --checkpoint /path=s3://bucket/key: the path, then the URL",
		"--keep-failed": "write --keep-failed s3://bucket/dir for the outputs, or --keep-failed /path=s3://bucket/key: the path, then the URL",
	}
}

// slashed tells whether a URL ends in a slash, its parameters aside.
func slashed(url string) bool {
	address, _, _ := strings.Cut(url, "?")
	return strings.HasSuffix(address, "/")
}

// globbed tells whether a URL has a glob in its path. What a value has in a part of it
// is escaped.
func globbed(url string) bool {
	address, _, _ := strings.Cut(url, "?")
	return strings.ContainsAny(address, "*[{")
}

// Data gives the places of what an item reads and writes, and refuses those that can't
// all be had.
func (m *Mapping) Data(x *expand.Expander) (Data, error) {
	var d Data
	for _, p := range m.inputs {
		in := Input{URL: object(x, p.flag, p.url), Path: x.Text(p.flag, p.path)}
		in.Glob = globbed(in.URL.Value) && !in.URL.FromItem
		in.Dir = slashed(in.URL.Value) && !in.Glob
		d.Inputs = append(d.Inputs, in)
	}
	of := func(pairs []pair) (list []Output) {
		for _, p := range pairs {
			out := Output{Path: x.Text(p.flag, p.path), URL: object(x, p.flag, p.url)}
			out.Dir = slashed(out.URL.Value)
			list = append(list, out)
		}
		return list
	}
	d.Outputs, d.Checkpoints, d.Kept = of(m.outputs), of(m.checkpoints), of(m.kept)
	d.Stdin, d.Stdout = object(x, "--stdin", m.stdin.url), object(x, "--stdout", m.stdout.url)
	d.KeepFailed = object(x, "--keep-failed", m.keepFailed)
	if x.Err != nil {
		return Data{}, x.Err
	}
	if err := m.fit(d); err != nil {
		return Data{}, err
	}
	return d, nil
}

// object expands the URL of something in a store, which may be all the item's.
func object(x *expand.Expander, flag string, t *templates.Template) expand.Text {
	text := x.Text(flag, t)
	if !text.FromItem || x.Err != nil {
		return text
	}
	if found, ok := x.Objects[text.Value]; ok {
		text.Value = found
	} else {
		x.Err = store.Of(flag, store.FromItem(text.Value))
	}
	return text
}

// fit refuses halves that don't go together, each by itself.
func (m *Mapping) fit(d Data) error {
	for i, in := range d.Inputs {
		p := m.inputs[i]
		into := strings.HasSuffix(in.Path.Value, "/")
		switch err := p.fits(in.URL, in.Path); {
		case err != nil:
			return err
		case in.Glob && !into:
			return p.wrong(in.URL, false, "it has a glob, which may name many objects, and its path is one file's", "write a slash at the end of the path; a literal *, [ or { is %2A, %5B or %7B")
		}
	}
	for _, of := range []struct {
		pairs []pair
		list  []Output
	}{{m.outputs, d.Outputs}, {m.checkpoints, d.Checkpoints}, {m.kept, d.Kept}} {
		for i, out := range of.list {
			p := of.pairs[i]
			switch err := p.fits(out.URL, out.Path); {
			case err != nil:
				return err
			case out.Dir != strings.HasSuffix(out.Path.Value, "/"):
				return p.wrong(out.URL, out.URL.FromItem, "one half of it ends in a slash, and the other doesn't", "both do for a directory, none does for a file")
			}
		}
	}
	if err := m.stdin.streams(d.Stdin); err != nil {
		return err
	}
	return m.stdout.streams(d.Stdout)
}

// fits refuses what no pair can be.
func (p pair) fits(url, at expand.Text) error {
	into := strings.HasSuffix(at.Value, "/")
	switch base := path.Base(at.Value); {
	case url.Value == "" || at.Value == "":
		return p.wrong(url, url.OfTask || at.OfTask, "a half of it is empty", "both must say something")
	case p.madeOne(url) && !(url.FromItem && into):
		return p.wrong(url, true, "a value ends in a slash, and would make a directory of an object", "the slash of a directory stands in the template")
	case !into && (base == "." || base == ".."):
		return p.wrong(url, at.OfTask, "its path is a directory", "write a slash at the end of the path, and of the URL")
	}
	return nil
}

// madeOne tells whether an item's value made a directory of a URL.
func (p pair) madeOne(url expand.Text) bool { return slashed(url.Value) && !p.slash && url.OfTask }

// streams refuses what is no single object.
func (p pair) streams(url expand.Text) error {
	switch {
	case slashed(url.Value):
		return p.wrong(url, p.madeOne(url), "it ends in a slash, and a stream is one object", "name the object")
	case globbed(url.Value) && !url.FromItem && p.flag == "--stdin":
		return p.wrong(url, false, "it has a glob, and a stream is one object", "a literal *, [ or { is %2A, %5B or %7B; --input fetches many objects")
	}
	return nil
}

// wrong is a failure with exit code 65 where the item made it so, else 64.
func (p pair) wrong(url expand.Text, itemDid bool, why, hint string) error {
	f := &failure.Failure{Code: failure.Usage, Tried: "read", On: p.flag, Cause: errors.New(why), Hint: hint}
	if url.Shown != "" {
		f.On += " of " + url.Shown
	}
	if itemDid {
		f.Code = failure.BadIndex
	}
	return f
}
