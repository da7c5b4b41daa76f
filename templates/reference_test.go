package templates

import (
	"fmt"
	"path"
	"strings"
	"text/template"
	"text/template/parse"
)

// reference is text/template's own evaluation of a tree, with functions and a root that it
// finds by reflection: what evaluation is held against.
func reference(x *execution, tree *parse.Tree) (string, error) {
	x.values, x.size = nil, 0
	t, err := template.New(name).Option("missingkey=error").Funcs(referenceFuncs(x)).AddParseTree(name, tree)
	if err != nil {
		return "", err
	}
	out := &bounded{}
	if err := t.Execute(out, referenceRoot{x}); err != nil {
		return "", err
	}
	return out.String(), nil
}

func referenceFuncs(x *execution) template.FuncMap {
	bound := func(f func(...any) string) func(...any) (string, error) {
		return func(args ...any) (string, error) { return sized(f(args...)) }
	}
	keep := func(item bool) func(bool, any) (string, error) {
		return func(escaped bool, v any) (string, error) { return x.keep(v, escaped, item) }
	}
	return template.FuncMap{
		"add": sum, "sub": difference, "mul": product, "div": quotient, "mod": remainder, "min": least, "max": greatest,
		"pad": pad, "env": x.env, "default": orDefault, "secret": x.secret, "file": x.file,
		"base": path.Base, "dir": path.Dir, "ext": path.Ext,
		"trimSuffix": func(suffix, s string) string { return strings.TrimSuffix(s, suffix) },
		"trimPrefix": func(prefix, s string) string { return strings.TrimPrefix(s, prefix) },
		"replace":    replace, "lower": strings.ToLower, "upper": strings.ToUpper,
		"split": func(sep, s string) []string { return strings.Split(s, sep) },
		"join":  join, "quote": func(v any) (string, error) { return sized(Quote(fmt.Sprint(v))) }, "toJson": toJSON,
		"index": index, "field": x.field, "fromJson": fromJSON, "urldecode": urlDecode,
		"required": required, "volatile": x.volatile,
		"printf": format, "print": bound(fmt.Sprint), "println": bound(fmt.Sprintln),
		"html": bound(template.HTMLEscaper), "js": bound(template.JSEscaper), "urlquery": bound(template.URLQueryEscaper),
		"env" + orUnset: x.envOrUnset, "default" + orUnset: defaultOrUnset,
		"field" + orUnset: x.fieldOrUnset, "index" + orUnset: indexOrUnset,
		"field" + orNone: x.fieldOrNone, "index" + orNone: indexOrNone,
		ofPod: keep(false), ofItem: keep(true),
	}
}

type referenceRoot struct{ x *execution }

func (d referenceRoot) Index() int64         { return d.x.fields.Index }
func (d referenceRoot) RawIndex() int64      { return d.x.fields.RawIndex }
func (d referenceRoot) Attempt() int         { return d.x.fields.Attempt }
func (d referenceRoot) Platform() string     { return d.x.fields.Platform }
func (d referenceRoot) RunID() string        { return d.x.fields.RunID }
func (d referenceRoot) Hostname() string     { return d.x.fields.Hostname }
func (d referenceRoot) Lease() float64       { return d.x.fields.Statement.Lease }
func (d referenceRoot) Delay() float64       { return d.x.fields.Statement.Delay }
func (d referenceRoot) MaxAttempts() int     { return d.x.fields.Statement.MaxAttempts }
func (d referenceRoot) Reason() string       { return d.x.fields.Statement.Reason }
func (d referenceRoot) Dead() bool           { return d.x.fields.Statement.Dead }
func (d referenceRoot) Release() bool        { return d.x.fields.Statement.Release }
func (d referenceRoot) Retry() bool          { return d.x.fields.Statement.Retry }
func (d referenceRoot) Task() (any, error)   { return d.of((*Task).payload) }
func (d referenceRoot) TaskID() (any, error) { return d.of((*Task).id) }
func (d referenceRoot) Receipt() (any, error) {
	return d.of(func(t *Task) any { return t.Receipt })
}

func (t *Task) payload() any { return t.Payload }
func (t *Task) id() any      { return t.ID }

func (d referenceRoot) of(get func(*Task) any) (any, error) {
	if d.x.fields.Task == nil {
		return nil, missing("Task", "it needs --tasks")
	}
	return get(d.x.fields.Task), nil
}

func (d referenceRoot) MetaParts() (object, error) {
	if d.x.fields.Task == nil {
		return nil, missing("Task", "it needs --tasks")
	}
	o := object{}
	for name, value := range d.x.fields.Task.Meta {
		o[name] = value
	}
	return o, nil
}

func (d referenceRoot) Completions() (int64, error) {
	if d.x.fields.Outgrown != nil {
		_, err := d.x.fields.completions()
		return 0, err
	}
	if d.x.fields.Completions == nil {
		return 0, missing("Completions", "set --completions or NTH_COMPLETIONS")
	}
	return *d.x.fields.Completions, nil
}

func (d referenceRoot) Shard() (Shard, error) {
	if d.x.fields.Shard == nil {
		return Shard{}, missing("Shard", "set --items and --completions")
	}
	return *d.x.fields.Shard, nil
}

func (d referenceRoot) Item() (int64, error) {
	if d.x.fields.Item == nil {
		return 0, missing("Item", "it needs --each, and stands in the command or in --env")
	}
	return *d.x.fields.Item, nil
}

func (d referenceRoot) Slot() (int64, error) {
	if d.x.fields.Slot == nil {
		return 0, missing("Slot", "each item or task has one of its own: it stands in the command or in --env")
	}
	return *d.x.fields.Slot, nil
}

func (d referenceRoot) Job() (string, error) {
	if d.x.fields.Job == "" {
		return "", missing("Job", "set --job or NTH_JOB")
	}
	return d.x.fields.Job, nil
}

func (d referenceRoot) JobUID() (string, error) {
	if d.x.fields.JobUID == "" {
		return "", missing("JobUID", "set --job-uid or NTH_JOB_UID")
	}
	return d.x.fields.JobUID, nil
}
