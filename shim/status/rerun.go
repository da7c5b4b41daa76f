package status

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/templates"
)

// arrays are the platforms whose arrays can be asked for any numbers, each with the lines
// that ask for them.
func arrays() map[string]array {
	return map[string]array{
		// sbatch(1): a list of numbers and ranges; the job hands its environment on.
		"slurm": {0, func(list identity.List, job string) (lines []string) {
			if job != "" {
				job = "NTH_JOB=" + templates.Quote(job) + " "
			}
			for _, part := range pieces(list.String(), maxArgument) {
				lines = append(lines, job+"sbatch --array="+part)
			}
			return lines
		}},
		// qsub(1) of Grid Engine: one number, or one range with a step.
		"sge": {1, func(list identity.List, job string) (lines []string) {
			if job != "" {
				job = " -v NTH_JOB=" + templates.Quote(job)
			}
			for _, part := range progressions(list) {
				lines = append(lines, "qsub"+job+" -t "+part)
			}
			return lines
		}},
	}
}

// array is what one platform asks for.
type array struct {
	least int64 // the least number that an array may have
	lines func(list identity.List, job string) []string
}

// maxArgument is how long one word of a command line may be, with some room: 128 KiB on Linux.
const maxArgument = 100_000

// mostAsked is how many documents are asked where they come from: one that was written by
// hand doesn't tell.
const mostAsked = 4

// origin is what a document tells of the array that its item is of.
type origin struct {
	Platform    string `json:"platform"`
	Job         string `json:"job"`
	IndexOffset int64  `json:"index_offset"`
}

// rerun gives the command lines, without the script, that run again what is left of an
// array; none where nothing is, or another platform or nobody numbers the items. A new array
// has a new ID: it is told the first one's, which may name the markers.
func (o *Options) rerun(ctx context.Context, snap *Snapshot, r *Report) []string {
	wanted := map[int64]bool{}
	for _, f := range r.Failures {
		wanted[f.Index] = f.Reason == o.Reason
	}
	if o.Reason != "" && r.Unread > 0 {
		return nil // half a list would leave items out
	}
	left := snap.Of.Pick(func(k int64) bool {
		s := snap.States[k]
		return s == Failed && (o.Reason == "" || wanted[snap.Of.At(k)]) || o.Reason == "" && (s == Started || s == Missing)
	})
	if left.Len() == 0 || snap.Tasks != nil || o.Kubernetes != nil {
		return nil
	}
	from := o.origin(ctx, snap, r)
	array, is := arrays()[from.Platform]
	if !is {
		return nil
	}
	left = left.Shift(-from.IndexOffset)
	if left.At(0) < array.least { // it is another array than the document's
		return nil
	}
	return array.lines(left, from.Job)
}

// origin asks a few documents, unless one that was read tells; what can't be read tells nothing.
func (o *Options) origin(ctx context.Context, snap *Snapshot, r *Report) (from origin) {
	for _, f := range r.Failures {
		if f.From.Platform != "" {
			return f.From
		}
	}
	asked := len(r.Failures)
	for _, kind := range []struct {
		State
		dir string
	}{{Failed, "failed"}, {Done, "done"}, {Skipped, "done"}, {Started, "started"}} {
		for k, s := range snap.States {
			if s != kind.State || s == Failed && len(r.Failures) > 0 { // those were read
				continue
			}
			if asked++; asked > mostAsked {
				return origin{}
			}
			body, err := read(ctx, o.Store, o.Policy, marker.Key(kind.dir, snap.Of.At(int64(k))))
			if err == nil && json.Unmarshal(body, &from) == nil && from.Platform != "" {
				return from
			}
		}
	}
	return origin{}
}

// pieces cuts a list at commas into parts of at most so many bytes.
func pieces(list string, most int) (parts []string) {
	for len(list) > most {
		at := strings.LastIndexByte(list[:most+1], ',')
		parts, list = append(parts, list[:at]), list[at+1:]
	}
	return append(parts, list)
}

// progressions gives ranges that together are the list: n, n-m or n-m:step, taken as long
// as they go, from the first number on.
func progressions(list identity.List) (parts []string) {
	n := list.Len()
	for k := int64(0); k < n; {
		first, end := list.At(k), k+1
		step := int64(1)
		if end < n {
			step = list.At(end) - first
		}
		for end < n && list.At(end)-list.At(end-1) == step {
			end++
		}
		switch {
		case end-k == 1 || end-k == 2 && step > 1: // two far apart are one each
			parts, end = append(parts, strconv.FormatInt(first, 10)), k+1
		case step == 1:
			parts = append(parts, fmt.Sprintf("%d-%d", first, list.At(end-1)))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d:%d", first, list.At(end-1), step))
		}
		k = end
	}
	return parts
}

// rerun says how what is left is run again. A line is whole, or it isn't there: half a list
// would leave items out.
func (t *text) rerun(r *Report) {
	if len(r.Rerun) == 0 {
		return
	}
	t.title("to run what is left again%s", map[bool]string{true: ", once nothing runs any more"}[r.Counts.Started > 0])
	for i, line := range r.Rerun {
		if i == maxShown || len(line) > maxLine {
			t.line("  … (%d lines in all, which --format json has in rerun)", len(r.Rerun))
			return
		}
		t.WriteString("  " + line + " SCRIPT\n")
	}
}
