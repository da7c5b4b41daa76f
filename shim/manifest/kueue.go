package manifest

import "fmt"

// checkQueue reads the flags for Kueue, whose webhook wants names of objects, which are
// labels' values too.
func (j *job) checkQueue() error {
	for _, name := range [][2]string{{"--queue-name", j.QueueName}, {"--workload-priority-class", j.WorkloadPriorityClass}} {
		if name[1] != "" && (!subdomain(name[1]) || len(name[1]) > maxLabel) {
			return usage(name[0], fmt.Errorf("%q is no name of an object", name[1]), fmt.Sprintf("write small letters, digits, dashes and dots, at most %d", maxLabel))
		}
	}
	return nil
}

// labels adds those of Kueue (kueue pkg/controller/constants) to an object's metadata.
func (j *job) labels(meta object) object {
	return meta.with("labels", object{}.with("kueue.x-k8s.io/queue-name", j.QueueName).with("kueue.x-k8s.io/priority-class", j.WorkloadPriorityClass))
}

// suspend makes an object that Kueue starts: it must not begin before.
func (j *job) suspend(spec object) object {
	if j.QueueName == "" {
		return spec
	}
	return spec.add("suspend", true, "until Kueue lets it begin")
}

func (j *job) hintQueue() {
	if j.QueueName != "" {
		j.say("--queue-name: without Kueue, and its local queue %s in the namespace, the Job stays suspended: kubectl get localqueues", j.QueueName)
	}
}
