package manifest

import (
	"fmt"
	"math"
	"strings"

	"nth/shim/failure"
)

// tree gives the whole object.
func (j *job) tree() (object, error) {
	spec, err := j.spec()
	if err != nil {
		return nil, err
	}
	api, kind, meta := "batch/v1", "Job", pairs("name", j.name).with("namespace", j.Namespace)
	switch j.Kind {
	case "cronjob":
		kind = "CronJob"
		spec = pairs("schedule", j.Schedule).
			add("concurrencyPolicy", "Forbid", "the next run waits for this one").
			with("jobTemplate", object{}.with("metadata", j.labels(object{})).with("spec", spec))
	case "jobset":
		if j.set != nil {
			return j.appended(spec), nil
		}
		api, kind = jobSetAPI, jobSetKind
		spec = j.suspend(j.ttl(object{})).with("replicatedJobs", list{j.replicated(spec)})
		meta = j.labels(meta)
	default:
		meta = j.labels(meta)
	}
	return pairs("apiVersion", api, "kind", kind, "metadata", meta, "spec", spec), nil
}

// spec is that of the Job.
func (j *job) spec() (object, error) {
	pod, err := j.pod()
	if err != nil {
		return nil, err
	}
	part := ""
	if j.indexes != "" {
		part = fmt.Sprintf("of %d: those of NTH_INDEXES", j.total)
	}
	o := object{}
	if j.Kind != "jobset" {
		o = j.suspend(o)
	}
	o = o.add("completionMode", "Indexed", indexedJob.note()).add("completions", j.completions, part).add("parallelism", j.parallelism, "")
	if j.version.has(backoffPerIndex) {
		o = o.add("backoffLimitPerIndex", int64(j.BackoffLimitPerIndex), backoffPerIndex.note()).
			add("maxFailedIndexes", j.maxFailed, backoffPerIndex.note()+"; more end the Job")
	} else {
		all := min(max(j.maxFailed, 1)*(int64(j.BackoffLimitPerIndex)+1), math.MaxInt32)
		o = o.add("backoffLimit", all, "failures of all indexes together, for "+j.version.String()+" doesn't count them by index")
	}
	if j.version.has(failurePolicy) {
		o = o.add("podFailurePolicy", pairs("rules", j.rules()), failurePolicy.note())
	} else {
		o[len(o)-1].above = j.version.String() + " has no podFailurePolicy: exit codes 64 and 78 don't end the Job, 65 and 66 not their index."
	}
	o = j.successPolicy(o)
	if j.ActiveDeadline > 0 {
		o = o.add("activeDeadlineSeconds", seconds(j.ActiveDeadline), "for all of it; nth's --timeout is for each try of an item")
	}
	if j.Kind != "jobset" {
		o = j.ttl(o)
	}
	return o.with("template", pairs("spec", pod)), nil
}

// rules are what exit codes mean for the Job; the first that matches counts. A pod that is
// taken away is no failure, whatever it ends with.
func (j *job) rules() list {
	away := pairs("type", "DisruptionTarget", "status", "True")
	l := list{object{}.add("action", "Ignore", "a drained or preempted pod is no failure of the item").with("onPodConditions", list{away})}
	l = append(l, rule("FailJob", "no index can succeed"))
	if j.version.has(backoffPerIndex) {
		l = append(l, rule("FailIndex", "this index can't"))
	}
	return l
}

// rule is that for the codes of which the table of exit codes says so.
func rule(action, why string) object {
	var codes list
	var named []string
	for _, m := range failure.Meanings {
		if m.Policy == action {
			codes = append(codes, int64(m.Code))
			named = append(named, fmt.Sprint(int(m.Code)))
		}
	}
	return object{}.add("action", action, strings.Join(named, ", ")+": "+why).
		with("onExitCodes", pairs("containerName", container, "operator", "In", "values", line{codes}))
}
