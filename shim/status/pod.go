package status

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nth/shim/failure"
	"nth/shim/proc"
	"nth/shim/why"
)

// Pod is one pod of the Job, as Kubernetes tells it.
type Pod struct {
	Name     string    `json:"name"`
	Node     string    `json:"node,omitempty"`
	Phase    string    `json:"phase"`
	Deleted  bool      `json:"deleted,omitempty"` // it is being deleted
	Reason   string    `json:"reason,omitempty"`  // why it waits or has ended: OOMKilled, ImagePullBackOff
	ExitCode int       `json:"exit_code,omitempty"`
	Message  string    `json:"message,omitempty"`
	Created  time.Time `json:"created"`
	Finished time.Time `json:"finished"`

	number    int64  // the platform's
	job       string // name of its Job
	owners    []string
	namespace string
	hostname  string // that of an index is NAME-INDEX, which is no pod's name
	ended     bool   // the container that runs nth has, for good, whatever the phase is
	seen      statuses
}

// statuses are what is judged of a pod, when it is known which container runs nth.
type statuses struct {
	init, plain    []containerStatus // without native sidecars
	sidecars       []containerStatus
	spec           []container
	conditions     []condition
	reason, detail string
}

// podOf reads a pod of an Indexed Job.
func podOf(o *object) (*Pod, bool) {
	m := o.Metadata
	number, err := strconv.ParseInt(cmp.Or(m.Annotations[indexKey], m.Labels[indexKey]), 10, 64)
	if err != nil || number < 0 {
		return nil, false
	}
	for i := range o.Spec.Containers { // those of 100,000 pods are kept
		o.Spec.Containers[i].Resources = needs{}
	}
	p := &Pod{Name: m.Name, Node: o.Spec.NodeName, Phase: o.Status.Phase, Deleted: m.DeletionTimestamp != nil, Created: m.CreationTimestamp,
		number: number, job: cmp.Or(m.Labels[jobKey], m.Labels["job-name"]), namespace: m.Namespace, hostname: o.Spec.Hostname,
		seen: statuses{plain: o.Status.ContainerStatuses, spec: o.Spec.Containers, conditions: o.Status.Conditions, reason: o.Status.Reason, detail: o.Status.Message}}
	for _, owner := range m.OwnerReferences {
		p.owners = append(p.owners, owner.UID)
	}
	for _, c := range o.Status.InitContainerStatuses {
		if slices.ContainsFunc(o.Spec.InitContainers, func(i container) bool { return i.Name == c.Name && i.RestartPolicy == "Always" }) {
			p.seen.sidecars = append(p.seen.sidecars, c)
		} else {
			p.seen.init = append(p.seen.init, c)
		}
	}
	p.judge("")
	return p, true
}

// judge finds out what the pod's containers tell of its item: that which runs nth, and
// the init containers before it; the others only where nothing else tells why the pod has
// failed. A native sidecar ends after the work, with the signal that ended it. Policy is
// the container that the Job's pod failure policy names, if any.
func (p *Pod) judge(policy string) {
	p.Reason, p.Message, p.ExitCode, p.Finished, p.ended = p.seen.reason, p.seen.detail, 0, time.Time{}, false
	nth, known := worker(p.seen.spec, policy)
	mine, others := []containerStatus{}, []containerStatus{}
	for _, c := range p.seen.plain {
		if known && c.Name != nth {
			others = append(others, c)
		} else {
			mine = append(mine, c)
		}
	}
	for _, c := range slices.Concat(p.seen.init, mine) {
		p.contain(c)
	}
	p.ended = len(mine) > 0 && !slices.ContainsFunc(mine, func(c containerStatus) bool { return c.State.Terminated == nil })
	if p.Phase == "Failed" && p.Reason == "" && p.ExitCode == 0 {
		for _, c := range others {
			p.contain(c)
		}
	}
	for _, c := range slices.Concat(p.seen.sidecars, others) {
		p.awaits(c)
	}
	for _, c := range p.seen.conditions {
		switch {
		case c.Type == "DisruptionTarget" && c.Status == "True" && p.Phase == "Failed":
			p.Reason = cmp.Or(p.Reason, c.Reason)
		case c.Type == "PodScheduled" && c.Status == "False" && p.Phase == "Pending":
			p.Reason = cmp.Or(p.Reason, c.Reason)
		}
	}
}

// contain takes what one container tells of the pod: the reason that counts is that of
// one that was killed for memory, then that of the first that failed or waits.
func (p *Pod) contain(c containerStatus) {
	t, w := c.State.Terminated, c.State.Waiting
	if t == nil && w != nil {
		t = c.LastState.Terminated // restarted in place, and waits for that
	}
	if t != nil && (t.Reason == "OOMKilled" || t.ExitCode != 0 && p.ExitCode == 0 && p.Reason != "OOMKilled") {
		p.ExitCode, p.Message, p.Finished = t.ExitCode, t.Message, t.FinishedAt
		if p.Reason == "" || t.Reason == "OOMKilled" {
			p.Reason = t.Reason
		}
		return
	}
	p.awaits(c)
}

// awaits takes why a container doesn't run yet: a pod waits for all of them.
func (p *Pod) awaits(c containerStatus) {
	if w := c.State.Waiting; w != nil && p.Reason == "" && w.Reason != "PodInitializing" && w.Reason != "ContainerCreating" {
		p.Reason = w.Reason
	}
}

// running tells whether nth is at work in it: the phase stays Running while another
// container holds the pod, and while it is being deleted.
func (p *Pod) running() bool { return p.Phase == "Running" && !p.ended && !p.Deleted }

// failed tells whether the item has failed in it.
func (p *Pod) failed() bool {
	return p.Phase == "Failed" || p.Phase == "Running" && p.ended && p.ExitCode != 0
}

// wrote tells whether a failure record is this pod's: by its name, or, where nth isn't
// told it, by the host name that all pods of the index have, since it was made.
func (p *Pod) wrote(f *Failure) bool {
	host := cmp.Or(p.hostname, fmt.Sprintf("%s-%d", p.job, p.number))
	return f.Pod == p.Name || f.Pod == host && !f.At.Before(p.Created)
}

func (p *Pod) state() string {
	s := p.Phase
	if p.Deleted {
		s += ", being deleted"
	}
	if p.Reason != "" {
		s += ": " + p.Reason
	}
	if p.ExitCode != 0 {
		s += fmt.Sprintf(", exit code %d", p.ExitCode)
	}
	if p.Node != "" {
		s += ", on " + p.Node
	}
	return s
}

// failure makes of a pod that failed what a record would tell, for nobody was left to
// write one when the whole container was killed.
func (p *Pod) failure(index int64) Failure {
	f := Failure{Index: index, ExitCode: p.ExitCode, At: p.Finished, Pod: p.Name, Node: p.Node, Last: why.Line(p.Message), Message: p.Message}
	signal := ""
	if n := p.ExitCode - failure.SignalOffset; n > 0 {
		signal = proc.SignalName(syscall.Signal(n))
	}
	how := "exit code " + strconv.Itoa(p.ExitCode)
	if signal != "" {
		how = "killed by " + signal
	}
	switch {
	case p.Reason == "OOMKilled": // perhaps a child of the command's alone, which ended with a code of its own then
		f.Reason, f.Text, f.OOMKilled, f.Signal = "oom", how+": out of memory", true, signal
	case p.Reason != "" && p.Reason != "Error": // Evicted, DeadlineExceeded, PreemptionByScheduler
		f.Reason, f.Text = strings.ToLower(p.Reason), "pod failed: "+p.Reason
	case signal != "":
		f.Reason, f.Text, f.Signal = signal, how, signal
	default:
		f.Reason, f.Text = "exit-"+strconv.Itoa(p.ExitCode), how
	}
	return f
}
