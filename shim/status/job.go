package status

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"nth/shim/identity"
)

// Job is a Job and its pods, as Kubernetes tells them.
type Job struct {
	of                identity.List // the items that it works on; empty: not told
	completed, failed identity.List // by item
	queue, secret     bool          // its indexes are a queue's workers; only the markers tell whether they are
	conditions        conditions
	active            bool // pods are told of, in the file or by the Job
	name, namespace   string
	pods              map[int64][]*Pod // of each item, the latest last
	needs             needs            // of the container that runs nth
}

// maxSaid is how much of a list is said in a sentence, in bytes.
const maxSaid = 60

// newJob puts a Job and those of the pods that are its own together.
func newJob(o *object, pods []*Pod) (*Job, error) {
	j := &Job{name: o.Metadata.Name, namespace: o.Metadata.Namespace, pods: map[int64][]*Pod{}, conditions: conditionsOf(o.Status.Conditions),
		active: o.Status.Active+o.Status.Terminating > 0}
	j.queue, j.secret = o.queue()
	j.needs = o.needs()
	var part *identity.List
	if text, _ := o.setting("--indexes"); text != "" {
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
		if policy := o.policyContainer(); policy != "" {
			p.judge(policy)
		}
		of := slices.DeleteFunc(j.pods[index], func(was *Pod) bool { return was.Name == p.Name && was.namespace == p.namespace }) // told again
		j.pods[index], j.active = append(of, p), true
	}
	for _, of := range j.pods {
		sort.SliceStable(of, func(a, b int) bool { return of[a].Created.Before(of[b].Created) })
	}
	return j, nil
}

// Needs gives what its pods request, and may have at most, of each resource: those of the
// container that runs nth.
func (j *Job) Needs() (requests, limits map[string]string) { return j.needs.texts() }

// indexes are those that the Job works on, if it says so.
func (j *Job) indexes() (identity.List, bool) { return j.of, j.of.Len() > 0 }

// latest is the last pod of an item; nil: none is told of.
func (j *Job) latest(index int64) *Pod {
	if of := j.pods[index]; len(of) > 0 {
		return of[len(of)-1]
	}
	return nil
}

// which gives the items whose latest pod is such a one.
func (j *Job) which(is func(*Pod) bool) identity.List {
	var l identity.List
	for _, index := range slices.Sorted(maps.Keys(j.pods)) {
		if is(j.latest(index)) {
			l.Add(index, maxIndexes)
		}
	}
	return l
}

// join adds to a look what Kubernetes knows: who runs, who was killed without a trace,
// and where the two don't agree.
func (j *Job) join(r *Report, snap *Snapshot) {
	k := &Kubernetes{Name: j.name, Namespace: j.namespace, Completed: j.completed.String(), Failed: j.failed.String(),
		Condition: j.conditions.ended(), Conditions: j.conditions.all(), Disagreements: []string{}}
	r.Kubernetes = k
	if r.Job == "" {
		r.Job = j.name
	}
	settled := snap.Of.Pick(func(at int64) bool { return snap.States[at] == Done || snap.States[at] == Skipped })
	claimed := snap.List(Running)
	j.see(r, snap)
	if !j.queue { // of which no index has a marker
		k.Disagreements = append(k.Disagreements, j.disagreements(snap, settled, claimed)...)
	}
	k.Disagreements = append(k.Disagreements, j.reasons("Failed", settled, snap)...)
	k.Waiting = j.reasons("Pending", settled, snap)
	k.Notes = j.notes(settled)
}

func (j *Job) disagreements(snap *Snapshot, settled, claimed identity.List) (lines []string) {
	for _, d := range []struct {
		some identity.List
		say  string
	}{
		{both(j.completed, snap.Of).Without(settled), "Kubernetes counts %s as completed, there is no marker"},
		{both(j.failed, settled), "Kubernetes counts %s as failed, there is a marker"},
		{j.after(settled.Without(j.completed).Without(j.failed)), "there is a marker of %s, Kubernetes has ended without counting it as completed"},
		{j.completed.Without(snap.Of), "Kubernetes counts %s as completed, which should not be there by --completions or --indexes"},
		{j.lifeless(claimed), "a claim of %s is alive, Kubernetes has no running pod"},
	} {
		if d.some.Len() > 0 {
			lines = append(lines, fmt.Sprintf(d.say, cutList(d.some.String(), maxSaid)))
		}
	}
	return lines
}

// notes tell what of the Job's own state explains what is there.
func (j *Job) notes(settled identity.List) (notes []string) {
	left := j.of.Without(j.completed).Without(j.failed)
	if !j.queue {
		left = left.Without(settled)
	}
	workers := j.which((*Pod).running)
	switch {
	case j.conditions.ended() != "" && left.Len() > 0:
		notes = append(notes, fmt.Sprintf("Kubernetes has ended the Job without %s, which it counts neither as completed nor as failed", cutList(left.String(), maxSaid)))
	case j.conditions.ended() != "":
	case j.conditions.is("Suspended"):
		notes = append(notes, "the Job is suspended: what that stopped has a failure record, which Kubernetes doesn't count as a failure")
	case !j.active && left.Len() > 0:
		notes = append(notes, "the Job has no pod: kubectl describe job "+j.name+" tells why, such as a quota, or a namespace whose Pod Security Standard refuses it")
	}
	if j.queue && workers.Len() > 0 {
		notes = append(notes, "workers that run: "+cutList(workers.String(), maxSaid))
	}
	return notes
}

// both gives what is in two lists.
func both(a, b identity.List) identity.List { return a.Without(a.Without(b)) }

// after is nothing while the Job goes on: a pod ends a moment after its marker.
func (j *Job) after(l identity.List) identity.List {
	if j.conditions.ended() == "" {
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
		p := j.latest(claimed.At(k))
		return p == nil || p.Phase != "Running" || p.ended
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
		at, ok := snap.Of.Position(index)
		if !ok || snap.States[at] == Done || snap.States[at] == Skipped {
			continue
		}
		for _, p := range slices.Backward(j.pods[index]) { // the last that failed
			if p.failed() {
				r.blame(p, index, read, snap.Failures)
				break
			}
		}
		snap.States[at] = j.state(index, snap.States[at])
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
	sort.Slice(r.Failures, func(a, b int) bool { return r.Failures[a].Index < r.Failures[b].Index })
}

// blame makes of a pod that failed the index's failure, unless there is a later record.
// What nth itself recorded of that pod stays, but for the kernel's kill, which only
// Kubernetes may know of.
func (r *Report) blame(p *Pod, index int64, read map[int64]int, recorded map[int64]time.Time) {
	i, known := read[index]
	switch {
	case known && p.wrote(&r.Failures[i]):
		if p.Reason == "OOMKilled" && !r.Failures[i].OOMKilled {
			f := p.failure(index)
			r.Failures[i].Reason, r.Failures[i].Text, r.Failures[i].OOMKilled = f.Reason, f.Text, true
		}
	case p.Finished.Before(recorded[index]):
	case known:
		r.Failures[i] = p.failure(index)
	default:
		r.Failures = append(r.Failures, p.failure(index))
	}
}

// state is that of an item that isn't settled, by its pods: the latest says whether it is
// at work, and where it isn't, the one before it why.
func (j *Job) state(index int64, s State) State {
	p := j.latest(index)
	if p == nil {
		return s
	}
	switch {
	case p.running():
		return Running
	case p.failed(), s != Running && slices.ContainsFunc(j.pods[index], (*Pod).failed):
		return Failed
	case s == Missing && p.Phase != "Pending":
		return Started // in a pod that ends
	}
	return s
}

// reasons tells why pods of a phase are in it, of what isn't settled and, for those
// that failed, has no record that would tell.
func (j *Job) reasons(phase string, settled identity.List, snap *Snapshot) []string {
	of := map[string][]int64{}
	for _, index := range slices.Sorted(maps.Keys(j.pods)) {
		p := j.latest(index)
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
	for _, p := range j.pods[i.Index] {
		i.Pods = append(i.Pods, *p)
	}
	if s := &snap.States[0]; *s != Done && *s != Skipped {
		*s = j.state(i.Index, *s)
	}
}
