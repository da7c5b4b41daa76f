package status

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/identity"
)

// object is what is looked at of a Job or a pod in the output of kubectl.
type object struct {
	Kind     string
	Metadata struct {
		Name, Namespace, UID string
		Labels, Annotations  map[string]string
		CreationTimestamp    time.Time
		DeletionTimestamp    *time.Time
		OwnerReferences      []struct{ UID string }
	}
	Spec struct {
		Completions      *int64
		PodFailurePolicy struct {
			Rules []struct {
				OnExitCodes *struct{ ContainerName string }
			}
		}
		Template struct {
			Spec struct{ Containers []container }
		}
		NodeName, Hostname         string
		InitContainers, Containers []container
	}
	Status struct {
		Active, Terminating             int
		CompletedIndexes, FailedIndexes string
		Conditions                      []condition
		Phase, Reason, Message          string
		ContainerStatuses               []containerStatus
		InitContainerStatuses           []containerStatus
	}
}

type container struct {
	Name          string
	Command, Args []string
	Env           []struct{ Name, Value string }
	RestartPolicy string
	Resources     needs
}

// needs are what a container requests, and may have at most, as they are written.
type needs struct{ Requests, Limits map[string]amount }

// amount is a quantity: a text, or a number where a person wrote it so.
type amount string

// UnmarshalJSON takes it as it is.
func (a *amount) UnmarshalJSON(text []byte) error {
	*a = amount(strings.Trim(string(text), `"`))
	return nil
}

func (n needs) texts() (requests, limits map[string]string) {
	texts := func(of map[string]amount) map[string]string {
		all := map[string]string{}
		for name, a := range of {
			all[name] = string(a)
		}
		return all
	}
	return texts(n.Requests), texts(n.Limits)
}

type condition struct{ Type, Status, Reason, Message string }

type containerStatus struct {
	Name             string
	State, LastState struct {
		Waiting    *struct{ Reason, Message string }
		Running    *struct{}
		Terminated *struct {
			Reason, Message string
			ExitCode        int
			FinishedAt      time.Time
		}
	}
}

// The names that Kubernetes gives: of a pod's index, and of its Job.
const (
	indexKey = "batch.kubernetes.io/job-completion-index"
	jobKey   = "batch.kubernetes.io/job-name"
)

// kind is what it is: what stands in a JobList or a PodList doesn't say so itself.
func (o *object) kind() string {
	switch {
	case o.Kind != "":
		return o.Kind
	case len(o.Spec.Template.Spec.Containers) > 0:
		return "Job"
	case len(o.Spec.Containers) > 0:
		return "Pod"
	}
	return ""
}

// same tells whether two are one object.
func (o *object) same(other *object) bool {
	a, b := o.Metadata, other.Metadata
	return a.UID == b.UID && a.Name == b.Name && a.Namespace == b.Namespace
}

// policyContainer is the container that the pod failure policy names: nth's, for it reads
// nth's exit codes.
func (o *object) policyContainer() string {
	for _, r := range o.Spec.PodFailurePolicy.Rules {
		if r.OnExitCodes != nil && r.OnExitCodes.ContainerName != "" {
			return r.OnExitCodes.ContainerName
		}
	}
	return ""
}

// needs are those of the container that runs nth.
func (o *object) needs() needs {
	all := o.Spec.Template.Spec.Containers
	name, _ := worker(all, o.policyContainer())
	for _, c := range all {
		if c.Name == name {
			return c.Resources
		}
	}
	return needs{}
}

// manifestContainer is what nth manifest calls the one that runs nth.
const manifestContainer = "work"

// worker gives the name of the container that runs nth; false: nobody knows.
func worker(all []container, policy string) (string, bool) {
	for _, is := range []func(c container) bool{
		func(c container) bool { return policy != "" && c.Name == policy },
		container.runsNth,
		func(c container) bool {
			return slices.ContainsFunc(c.Env, func(e struct{ Name, Value string }) bool { return strings.HasPrefix(e.Name, "NTH_") })
		},
		func(c container) bool { return c.Name == manifestContainer },
		func(container) bool { return len(all) == 1 },
	} {
		if at := slices.IndexFunc(all, is); at >= 0 {
			return all[at].Name, true
		}
	}
	return "", false
}

// runsNth tells whether the command line begins with nth, perhaps behind an init.
func (c container) runsNth() bool {
	words := slices.Concat(c.Command, c.Args)
	return slices.ContainsFunc(words[:min(len(words), 3)], func(w string) bool { return path.Base(w) == "nth" })
}

// setting gives what a flag in the pod template says, or its variable. A variable that a
// Secret fills is given without a value.
func (o *object) setting(flag string) (value string, given bool) {
	for _, c := range o.Spec.Template.Spec.Containers {
		words := slices.Concat(c.Command, c.Args)
		if end := slices.Index(words, "--"); end >= 0 {
			words = words[:end]
		}
		for i, w := range words {
			if value, ok := strings.CutPrefix(w, flag+"="); ok {
				return value, true
			}
			if w == flag && i+1 < len(words) {
				return words[i+1], true
			}
		}
		variable := "NTH_" + strings.ToUpper(strings.ReplaceAll(strings.TrimLeft(flag, "-"), "-", "_"))
		for _, e := range c.Env {
			if e.Name == variable {
				value, given = e.Value, true
			}
		}
		if given {
			return value, true
		}
	}
	return "", false
}

// queue tells whether the indexes are a queue's workers, and whether only the markers can
// tell, for a Secret holds the URL.
func (o *object) queue() (is, secret bool) {
	var c config.Config
	tasks, given := o.setting("--tasks")
	keep, keeps := o.setting("--keep-url")
	done, says := o.setting("--done-url")
	present := func(url string, given bool) string {
		if given {
			return cmp.Or(url, "given")
		}
		return ""
	}
	c.Tasks.URL, c.API.KeepURL, c.API.DoneURL = tasks, present(keep, keeps), present(done, says)
	return c.Source() == config.Queue, given && tasks == ""
}

// mapped gives the items that the platform's numbers stand for.
func mapped(numbers string, part *identity.List) (identity.List, error) {
	if numbers == "" {
		return identity.List{}, nil
	}
	l, err := identity.ParseList(numbers)
	if err != nil {
		return l, failure.From(err).Cause
	}
	if part == nil {
		return l, nil
	}
	if l.Last() >= part.Len() {
		return l, fmt.Errorf("index %d is beyond --indexes", l.Last())
	}
	return part.Pick(l.Contains), nil
}
