package status

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"nth/shim/failure"
	"nth/shim/proc"
)

// Pod is one pod of the Job, as Kubernetes tells it.
type Pod struct {
	Name     string    `json:"name"`
	Node     string    `json:"node,omitempty"`
	Phase    string    `json:"phase"`
	Reason   string    `json:"reason,omitempty"` // why it waits or has ended: OOMKilled, ImagePullBackOff
	ExitCode int       `json:"exit_code,omitempty"`
	Message  string    `json:"message,omitempty"`
	Created  time.Time `json:"created"`
	Finished time.Time `json:"finished"`

	number    int64  // the platform's
	job       string // name of its Job
	owners    []string
	namespace string
}

// podOf reads a pod of an Indexed Job.
func podOf(o *object) (*Pod, bool) {
	m := o.Metadata
	number, err := strconv.ParseInt(cmp.Or(m.Annotations[indexKey], m.Labels[indexKey]), 10, 64)
	if err != nil || number < 0 {
		return nil, false
	}
	p := &Pod{Name: m.Name, Node: o.Spec.NodeName, Phase: o.Status.Phase, Reason: o.Status.Reason, Message: o.Status.Message, Created: m.CreationTimestamp,
		number: number, job: cmp.Or(m.Labels[jobKey], m.Labels["job-name"]), namespace: m.Namespace}
	for _, owner := range m.OwnerReferences {
		p.owners = append(p.owners, owner.UID)
	}
	for _, c := range append(o.Status.InitContainerStatuses, o.Status.ContainerStatuses...) {
		p.contain(c)
	}
	for _, c := range o.Status.Conditions {
		switch {
		case c.Type == "DisruptionTarget" && c.Status == "True" && p.Phase == "Failed":
			p.Reason = cmp.Or(p.Reason, c.Reason)
		case c.Type == "PodScheduled" && c.Status == "False" && p.Phase == "Pending":
			p.Reason = cmp.Or(p.Reason, c.Reason)
		}
	}
	return p, true
}

// contain takes what one container tells of the pod: the reason that counts is that of
// one that was killed for memory, then that of the first that failed or waits.
func (p *Pod) contain(c containerStatus) {
	t, w := c.State.Terminated, c.State.Waiting
	if t == nil && w != nil {
		t = c.LastState.Terminated // restarted in place, and waits for that
	}
	switch {
	case t != nil && (t.Reason == "OOMKilled" || t.ExitCode != 0 && p.ExitCode == 0 && p.Reason != "OOMKilled"):
		p.ExitCode, p.Message, p.Finished = t.ExitCode, t.Message, t.FinishedAt
		if p.Reason == "" || t.Reason == "OOMKilled" {
			p.Reason = t.Reason
		}
	case w != nil && p.Reason == "" && w.Reason != "PodInitializing" && w.Reason != "ContainerCreating":
		p.Reason = w.Reason
	}
}

func (p *Pod) state() string {
	s := p.Phase
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
	f := Failure{Index: index, ExitCode: p.ExitCode, At: p.Finished, Pod: p.Name, Node: p.Node, Last: lastLine(p.Message), Message: p.Message}
	signal := ""
	if n := p.ExitCode - failure.SignalOffset; n > 0 {
		signal = proc.SignalName(syscall.Signal(n))
	}
	switch {
	case p.Reason == "OOMKilled":
		f.Reason, f.Text, f.OOMKilled, f.Signal = "oom", "killed by SIGKILL: out of memory", true, "SIGKILL"
	case p.Reason != "" && p.Reason != "Error": // Evicted, DeadlineExceeded, PreemptionByScheduler
		f.Reason, f.Text = strings.ToLower(p.Reason), "pod failed: "+p.Reason
	case signal != "":
		f.Reason, f.Text, f.Signal = signal, "killed by "+signal, signal
	default:
		f.Reason, f.Text = "exit-"+strconv.Itoa(p.ExitCode), "exit code "+strconv.Itoa(p.ExitCode)
	}
	return f
}
