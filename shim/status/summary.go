package status

import (
	"fmt"
)

// others is what not every Job has.
func (t *text) others(r *Report) {
	if r.Tasks != nil {
		dead := ""
		if r.Tasks.Dead > 0 {
			dead = fmt.Sprintf(", %d of them put aside", r.Tasks.Dead)
		}
		t.title("tasks of a queue: %d done, %d skipped, %d failed%s", r.Tasks.Done, r.Tasks.Skipped, r.Tasks.Failed, dead)
		t.taskFailures(r)
	}
	t.shards(r.Shards)
	t.used(r)
	if k := r.Kubernetes; k != nil {
		t.kubernetes(k)
	}
}

func (t *text) shards(all []Shard) {
	if len(all) == 0 {
		return
	}
	var sum Shard
	open := []Shard{}
	for _, s := range all {
		sum.Items, sum.Done, sum.Skipped, sum.Failed = sum.Items+s.Items, sum.Done+s.Done, sum.Skipped+s.Skipped, sum.Failed+s.Failed
		sum.Helped += s.Helped
		if s.Done+s.Skipped < s.Items {
			open = append(open, s)
		}
	}
	shards := "shards"
	if len(all) == 1 {
		shards = "shard"
	}
	helped := ""
	if sum.Helped > 0 {
		helped = fmt.Sprintf(", %d by workers that helped", sum.Helped)
	}
	t.title("items of %d %s: %d of %d done%s, %d skipped, %d failed", len(all), shards, sum.Done, sum.Items, helped, sum.Skipped, sum.Failed)
	if len(open) > 0 {
		t.line("%8s  %10s  %10s  %10s  %10s  updated", "shard", "items", "done", "skipped", "failed")
	}
	for _, s := range open[:min(len(open), maxShown)] {
		t.line("%8d  %10d  %10d  %10d  %10d  %s", s.Index, s.Items, s.Done, s.Skipped, s.Failed, t.when(s.Updated))
	}
	if more := len(open) - maxShown; more > 0 {
		t.line("%8s  and %d more that aren't finished", "", more)
	}
}

func (t *text) kubernetes(k *Kubernetes) {
	name := k.Name
	if k.Namespace != "" {
		name = k.Namespace + "/" + name
	}
	t.title("Kubernetes, Job %s", name)
	for _, l := range []struct{ name, list string }{{"completed", k.Completed}, {"failed", k.Failed}} {
		if l.list != "" {
			t.line("%-10s %s", l.name, cutList(l.list, t.room-11))
		}
	}
	if k.Condition != "" {
		t.line("ended      %s", k.Condition)
	}
	for _, c := range k.Conditions {
		t.line("state      %s", c)
	}
	for _, n := range k.Notes {
		t.line("- %s", n)
	}
	for _, d := range k.Disagreements {
		t.line("- %s", d)
	}
	for _, w := range k.Waiting {
		t.line("waiting    %s", w)
	}
}
