package manifest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	jobSetAPI  = "jobset.x-k8s.io/v1alpha2"
	jobSetKind = "JobSet"
	// mostBefore is how many Jobs one may depend on (jobset api/jobset/v1alpha2).
	mostBefore = 5
)

// checkStages reads the flags by which a JobSet has more than one kind of Jobs.
func (j *job) checkStages(w World) (err error) {
	if !label(j.ReplicatedJob) {
		return usage("--replicated-job", fmt.Errorf("%q is no DNS label", j.ReplicatedJob), "write small letters, digits and dashes")
	}
	if j.AppendTo == "" {
		return nil
	}
	if j.set, err = readSet(j.AppendTo, w.Stdin); err != nil {
		return usage("--append-to "+j.AppendTo, err, "it is what nth manifest --kind jobset --format json prints")
	}
	names := j.set.jobs()
	if slices.Contains(names, j.ReplicatedJob) {
		return usage("--replicated-job", fmt.Errorf("the JobSet has a Job that is called %s", j.ReplicatedJob), "give this one another name")
	}
	for _, given := range j.DependsOn {
		name, status, has := strings.Cut(given, ":")
		switch {
		case !slices.Contains(names, name):
			err = fmt.Errorf("the JobSet has no %q; it has %s", name, strings.Join(names, ", "))
		case has && status != "Ready" && status != "Complete":
			err = fmt.Errorf("%q is neither Ready nor Complete", status)
		case slices.ContainsFunc(j.after, func(o any) bool { return o.(line).value.(object).get("name") == name }):
			err = fmt.Errorf("%s is given twice", name)
		case len(j.after) == mostBefore:
			err = fmt.Errorf("a Job can wait for %d others", mostBefore)
		case !has:
			status = "Complete"
		}
		if err != nil {
			return usage("--depends-on", err, "name Jobs of the JobSet, such as split, or proxy:Ready")
		}
		j.after = append(j.after, line{pairs("name", name, "status", status)})
	}
	return nil
}

// readSet reads a JobSet in JSON, with its fields in their order.
func readSet(path string, stdin io.Reader) (object, error) {
	body, err := readFile(path, stdin)
	if err != nil {
		return nil, err
	}
	set, err := decodeObject(body)
	if err != nil {
		return nil, err
	}
	if name, _ := set.path("metadata", "name").(string); name == "" || set.get("apiVersion") != jobSetAPI || set.get("kind") != jobSetKind || len(set.jobs()) == 0 {
		return nil, errors.New("it is no JobSet of " + jobSetAPI)
	}
	return set, nil
}

func readFile(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path)
}

// jobs gives the names of a JobSet's Jobs.
func (o object) jobs() (names []string) {
	jobs, _ := o.path("spec", "replicatedJobs").(list)
	for _, r := range jobs {
		r, _ := r.(object)
		name, _ := r.get("name").(string)
		names = append(names, name)
	}
	return names
}

// replicated is this Job as one of a JobSet's.
func (j *job) replicated(spec object) object {
	o := pairs("name", j.ReplicatedJob, "replicas", int64(j.Replicas))
	if len(j.after) > 0 {
		o = o.add("dependsOn", j.after, "JobSet 0.8")
	}
	return o.with("template", pairs("spec", spec))
}

// appended is the JobSet of --append-to with this Job as its last.
func (j *job) appended(spec object) object {
	return j.set.changed("spec", func(v any) any {
		return v.(object).changed("replicatedJobs", func(v any) any { return append(v.(list), j.replicated(spec)) })
	})
}

// changed gives the object with another value of a key.
func (o object) changed(key string, change func(any) any) object {
	o = slices.Clone(o)
	for i := range o {
		if o[i].key == key {
			o[i].value = change(o[i].value)
		}
	}
	return o
}

// path gives the value below some keys; nil: there is none.
func (o object) path(keys ...string) any {
	var v any = o
	for _, key := range keys {
		o, _ := v.(object)
		v = o.get(key)
	}
	return v
}

// sameMarkers tells whether another Job of the JobSet has the markers of this one.
func (j *job) sameMarkers() bool {
	env, _, err := j.variables()
	return err == nil && slices.ContainsFunc(env, func(v any) bool {
		o := v.(line).value.(object)
		value, _ := o.get("value").(string)
		return o.get("name") == "NTH_MARKERS" && holds(j.set, "NTH_MARKERS", value)
	})
}

// holds tells whether a variable of this value stands anywhere in it.
func holds(v any, name, value string) bool {
	switch v := v.(type) {
	case list:
		return slices.ContainsFunc(v, func(v any) bool { return holds(v, name, value) })
	case object:
		return v.get("name") == name && v.get("value") == value ||
			slices.ContainsFunc(v, func(f field) bool { return holds(f.value, name, value) })
	}
	return false
}
