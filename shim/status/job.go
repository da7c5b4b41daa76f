package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"nth/shim/identity"
)

// Job is a Job and its pods, as Kubernetes tells them.
type Job struct {
	of                identity.List // the items that it works on; empty: not told
	completed, failed identity.List // by item
	condition         string
	name, namespace   string
	pods              map[int64]*Pod // the latest of each item
}

// maxSaid is how much of a list is said in a sentence, in bytes.
const maxSaid = 60

// newJob puts a Job and those of the pods that are its own together.
func newJob(o *object, pods []*Pod) (*Job, error) {
	j := &Job{name: o.Metadata.Name, namespace: o.Metadata.Namespace, pods: map[int64]*Pod{}}
	var part *identity.List
	if text := o.part(); text != "" {
		l, err := identity.ParseList(text)
		if err == nil && l.Len() > maxIndexes {
			err = fmt.Errorf("%d are too many", l.Len())
		}
		if err != nil {
			return nil, fmt.Errorf("the indexes in its pod template: %w", err)
		}
		part, j.of = &l, l
	} else if n := o.Spec.Completions; n != nil && *n > 0 && *n <= maxIndexes {
		j.of = identity.Whole(*n)
	}
	var err error
	if j.completed, err = mapped(o.Status.CompletedIndexes, part); err != nil {
		return nil, fmt.Errorf("its completedIndexes: %w", err)
	}
	if j.failed, err = mapped(o.Status.FailedIndexes, part); err != nil {
		return nil, fmt.Errorf("its failedIndexes: %w", err)
	}
	for _, c := range o.Status.Conditions {
		if c.Status == "True" && (c.Type == "Failed" || c.Type == "Complete") {
			j.condition = c.Type
			if c.Reason != "" {
				j.condition += ": " + c.Reason
			}
		}
	}
	for _, p := range pods {
		index := p.number
		switch {
		case !slices.Contains(p.owners, o.Metadata.UID) && (len(p.owners) > 0 && o.Metadata.UID != "" || p.job != j.name || p.namespace != j.namespace):
			continue
		case part != nil && index >= part.Len():
			continue
		case part != nil:
			index = part.At(index)
		}
		if was := j.pods[index]; was == nil || !p.Created.Before(was.Created) {
			j.pods[index] = p
		}
	}
	return j, nil
}

// indexes are those that the Job works on, if it says so.
func (j *Job) indexes() (identity.List, bool) { return j.of, j.of.Len() > 0 }

// join adds to a look what Kubernetes knows: who runs, who was killed without a trace,
// and where the two don't agree.
func (j *Job) join(r *Report, snap *Snapshot) {
	k := &Kubernetes{Name: j.name, Namespace: j.namespace, Completed: j.completed.String(), Failed: j.failed.String(), Condition: j.condition, Disagreements: []string{}}
	r.Kubernetes = k
	if r.Job == "" {
		r.Job = j.name
	}
	settled := snap.Of.Pick(func(at int64) bool { return snap.States[at] == Done || snap.States[at] == Skipped })
	claimed := snap.List(Running)
	j.see(r, snap)
	for _, d := range []struct {
		some identity.List
		say  string
	}{
		{both(j.completed, snap.Of).Without(settled), "Kubernetes counts %s as completed, there is no marker"},
		{both(j.failed, settled), "Kubernetes counts %s as failed, there is a marker"},
		{j.ended(settled.Without(j.completed).Without(j.failed)), "there is a marker of %s, Kubernetes has ended without counting it as completed"},
		{j.completed.Without(snap.Of), "Kubernetes counts %s as completed, which should not be there by --completions or --indexes"},
		{j.lifeless(claimed), "a claim of %s is alive, Kubernetes has no running pod"},
	} {
		if d.some.Len() > 0 {
			k.Disagreements = append(k.Disagreements, fmt.Sprintf(d.say, cutList(d.some.String(), maxSaid)))
		}
	}
	k.Disagreements = append(k.Disagreements, j.reasons("Failed", settled, snap)...)
	k.Waiting = j.reasons("Pending", settled, snap)
}

// both gives what is in two lists.
func both(a, b identity.List) identity.List { return a.Without(a.Without(b)) }

// ended is nothing while the Job goes on: a pod ends a moment after its marker.
func (j *Job) ended(l identity.List) identity.List {
	if j.condition == "" {
		return identity.List{}
	}
	return both(l, j.of)
}

// lifeless are those without a running pod, where pods are told at all.
func (j *Job) lifeless(claimed identity.List) identity.List {
	if len(j.pods) == 0 {
		return identity.List{}
	}
	return claimed.Pick(func(k int64) bool {
		p := j.pods[claimed.At(k)]
		return p == nil || p.Phase != "Running"
	})
}

// see makes running what has a running pod, and failed what Kubernetes knows to have
// failed later than any record says.
func (j *Job) see(r *Report, snap *Snapshot) {
	read := map[int64]int{}
	for i, f := range r.Failures {
		read[f.Index] = i
	}
	for _, index := range slices.Sorted(maps.Keys(j.pods)) {
		p := j.pods[index]
		at, ok := snap.Of.Position(index)
		if !ok || snap.States[at] == Done || snap.States[at] == Skipped {
			continue
		}
		switch p.Phase {
		case "Running":
			snap.States[at] = Running
		case "Failed":
			i, known := read[index]
			switch {
			case known && p.Name == r.Failures[i].Pod:
				if p.Reason == "OOMKilled" && !r.Failures[i].OOMKilled {
					f := p.failure(index)
					r.Failures[i].Reason, r.Failures[i].Text, r.Failures[i].OOMKilled = f.Reason, f.Text, true
				}
			case p.Finished.Before(snap.Failures[index]):
			case known:
				r.Failures[i] = p.failure(index)
			default:
				r.Failures = append(r.Failures, p.failure(index))
			}
			snap.States[at] = Failed
		}
	}
	failed := both(j.failed, snap.Of)
	for k := range failed.Len() {
		at, _ := snap.Of.Position(failed.At(k))
		if snap.States[at] == Missing || snap.States[at] == Started {
			snap.States[at] = Failed
		}
	}
	for i, f := range r.Failures {
		at, _ := snap.Of.Position(f.Index)
		r.Failures[i].Again = snap.States[at] != Failed
	}
	slices.SortFunc(r.Failures, func(a, b Failure) int { return cmp.Compare(a.Index, b.Index) })
}

// reasons tells why pods of a phase are in it, of what isn't settled and, for those
// that failed, has no record that would tell.
func (j *Job) reasons(phase string, settled identity.List, snap *Snapshot) []string {
	of := map[string][]int64{}
	for _, index := range slices.Sorted(maps.Keys(j.pods)) {
		p := j.pods[index]
		_, recorded := snap.Failures[index]
		if p.Phase != phase || p.Reason == "" || settled.Contains(index) || phase == "Failed" && recorded && p.Reason == "Error" {
			continue
		}
		of[p.Reason] = append(of[p.Reason], index)
	}
	lines := []string{}
	for _, reason := range slices.Sorted(maps.Keys(of)) {
		noun := "pods"
		if len(of[reason]) == 1 {
			noun = "pod"
		}
		lines = append(lines, fmt.Sprintf("%s of %s: %s", noun, cutList(identity.FormatList(of[reason]), maxSaid), reason))
	}
	return lines
}

// joinItem is join for one index.
func (j *Job) joinItem(i *Item, snap *Snapshot) {
	p := j.pods[i.Index]
	if p == nil {
		return
	}
	i.Pods = append(i.Pods, *p)
	if s := &snap.States[0]; *s != Done && *s != Skipped {
		switch p.Phase {
		case "Running":
			*s = Running
		case "Failed":
			*s = Failed
		}
	}
}
