package templates

import (
	"errors"
	"fmt"
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
	{".Shard", "with `--items N`: this index's part of N items, from `.Shard.Start` to before `.Shard.End`, `.Shard.Len` of them; with `--each` also of a file's rows"},
	{".Item", "with `--each`: the number of the item, counted over all items from 0"},
	{".Task", "with `--tasks`: the payload of the task or item; `.Task.name` where it is a JSON object, or a row with a header"},
	{".TaskID", "the task's ID in its queue"},
	{".Meta", "`.Meta.name`: what else the queue says of the task; alone it is no value, but for `field`"},
}

var fieldSet = func() map[string]bool {
	set := make(map[string]bool, len(FieldDocs))
	for _, f := range FieldDocs {
		set[f.Name[1:]] = true
	}
	return set
}()

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
	}
	f.Platform, f.JobUID, f.RunID, f.Hostname = "PLATFORM", "JOB_UID", "RUN_ID", "HOSTNAME"
	return f
}

// dot is the root of every template. A value that this run doesn't have is an
// error, not an empty word.
type dot struct{ x *execution }

func (d dot) Index() int64     { return d.x.fields.Index }
func (d dot) RawIndex() int64  { return d.x.fields.RawIndex }
func (d dot) Attempt() int     { return d.x.fields.Attempt }
func (d dot) Platform() string { return d.x.fields.Platform }
func (d dot) RunID() string    { return d.x.fields.RunID }
func (d dot) Hostname() string { return d.x.fields.Hostname }

func (d dot) Completions() (int64, error) {
	if was := d.x.fields.Outgrown; was != nil {
		return 0, &Error{Kind: BadForItem, Cause: fmt.Errorf(".Completions was %d when the Job was written, and index %d lies beyond", *was, d.x.fields.Index),
			Hint: "a Job whose command depends on it can't grow: start another one with the new number"}
	}
	if d.x.fields.Completions == nil {
		return 0, missing("Completions", "set --completions or NTH_COMPLETIONS")
	}
	return *d.x.fields.Completions, nil
}

func (d dot) Shard() (Shard, error) {
	if d.x.fields.Shard == nil {
		return Shard{}, missing("Shard", "set --items and --completions")
	}
	return *d.x.fields.Shard, nil
}

func (d dot) Item() (int64, error) {
	if d.x.fields.Item == nil {
		return 0, missing("Item", "it needs --each, and stands in the command or in --env")
	}
	return *d.x.fields.Item, nil
}

func (d dot) Job() (string, error) {
	if d.x.fields.Job == "" {
		return "", missing("Job", "set --job or NTH_JOB")
	}
	return d.x.fields.Job, nil
}

func (d dot) JobUID() (string, error) {
	if d.x.fields.JobUID == "" {
		return "", missing("JobUID", "set --job-uid or NTH_JOB_UID")
	}
	return d.x.fields.JobUID, nil
}

func missing(field, hint string) error {
	return &Error{Kind: MissingForAll, Cause: errors.New("." + field + " is not known here"), Hint: hint}
}
