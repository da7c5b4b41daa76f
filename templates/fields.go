package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// FieldDoc is one field as the reference shows it.
type FieldDoc struct{ Name, Doc string }

// FieldDocs are the fields that a template may name.
var FieldDocs = []FieldDoc{
	{".Index", "the index, from 0 where the platform fixes the numbering, else as the user chose it"},
	{".RawIndex", "the platform's own number"},
	{".Completions", "how many indexes the Job has, where the platform or `--completions` tells"},
	{".Attempt", "which attempt at this index it is, from 1; it may go back"},
	{".Job", "the Job's name or ID"},
	{".JobUID", "the Job's unique ID (`--job-uid`)"},
	{".Platform", "where the index comes from, as `--platform` names it"},
	{".RunID", "a name for this one run, different each time"},
	{".Hostname", "the host or pod"},
	{".Slot", "which place it has among what runs here at the same time, from 0: of `--parallelism` of `nth local`, and of `--jobs`; alone it is 0"},
	{".Shard", "with `--items N`: this index's part of N items, from `.Shard.Start` to before `.Shard.End`, `.Shard.Len` of them; with `--each` also of a file's rows, or of objects"},
	{".Item", "with `--each`: the number of the item, counted over all items from 0"},
	{".Task", "with `--tasks`: the payload of the task or item; `.Task.name` where it is a JSON object, a row with a header, or an object of a store"},
	{".TaskID", "the task's ID in its queue"},
	{".Meta", "`.Meta.name`: what else the queue says of the task; alone it is no value, but for `field`"},
}

func isField(name string) bool {
	return slices.ContainsFunc(FieldDocs, func(f FieldDoc) bool { return f.Name[1:] == name })
}

func fieldNames() string {
	names := make([]string, len(FieldDocs))
	for i, f := range FieldDocs {
		names[i] = f.Name
	}
	return strings.Join(names, " ")
}

// stableFields holds constant what may differ between two runs of the same item.
func stableFields(f Fields) Fields {
	f.RawIndex, f.Attempt = 0, 1
	if f.Kind.AnyIndex() {
		f.Index = 0
		if f.Shard != nil {
			f.Shard = &Shard{End: 1}
		}
	}
	if f.Slot != nil {
		f.Slot = new(int64)
	}
	f.Platform, f.JobUID, f.RunID, f.Hostname = "PLATFORM", "JOB_UID", "RUN_ID", "HOSTNAME"
	return f
}

// allOfMeta is what the function field names .Meta by: no template can name it.
const allOfMeta = "MetaParts"

// root gives a field of the root of every template. A value that this run doesn't have is
// an error, not an empty word.
func (x *execution) root(path []string) (any, error) {
	f := &x.fields
	switch path[0] {
	case "Index":
		return f.Index, nil
	case "RawIndex":
		return f.RawIndex, nil
	case "Attempt":
		return f.Attempt, nil
	case "Platform":
		return f.Platform, nil
	case "RunID":
		return f.RunID, nil
	case "Hostname":
		return f.Hostname, nil
	case "Completions":
		return f.completions()
	case "Slot":
		return known(path[0], f.Slot, "each item or task has one of its own: it stands in the command or in --env")
	case "Item":
		return known(path[0], f.Item, "it needs --each, and stands in the command or in --env")
	case "Job":
		return named(path[0], f.Job, "set --job or NTH_JOB")
	case "JobUID":
		return named(path[0], f.JobUID, "set --job-uid or NTH_JOB_UID")
	case "Shard":
		return f.Shard.field(path[1:])
	case "Task", "TaskID", "Receipt", allOfMeta:
		return x.ofTask(path[0])
	}
	return f.Statement.field(path[0])
}

func (f *Fields) completions() (any, error) {
	if was := f.Outgrown; was != nil {
		return nil, &Error{Kind: BadForItem, Cause: fmt.Errorf(".Completions was %d when the Job was written, and index %d lies beyond", *was, f.Index),
			Hint: "a Job whose command depends on it can't grow: start another one with the new number"}
	}
	return known("Completions", f.Completions, "set --completions or NTH_COMPLETIONS")
}

// field gives one of .Shard, which is no value by itself.
func (s *Shard) field(path []string) (any, error) {
	if s == nil {
		return nil, missing("Shard", "set --items and --completions")
	}
	switch path[0] {
	case "Start":
		return s.Start, nil
	case "End":
		return s.End, nil
	}
	return s.Len(), nil
}

func known(field string, n *int64, hint string) (any, error) {
	if n == nil {
		return nil, missing(field, hint)
	}
	return *n, nil
}

func named(field, text, hint string) (any, error) {
	if text == "" {
		return nil, missing(field, hint)
	}
	return text, nil
}

func missing(field, hint string) error {
	return &Error{Kind: MissingForAll, Cause: errors.New("." + field + " is not known here"), Hint: hint}
}
