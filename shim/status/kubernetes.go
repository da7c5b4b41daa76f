package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

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
		OwnerReferences      []struct{ UID string }
	}
	Spec struct {
		Completions *int64
		NodeName    string
		Template    struct {
			Spec struct{ Containers []container }
		}
	}
	Status struct {
		CompletedIndexes, FailedIndexes string
		Conditions                      []condition
		Phase, Reason, Message          string
		ContainerStatuses               []containerStatus
		InitContainerStatuses           []containerStatus
	}
}

type container struct {
	Command, Args []string
	Env           []struct{ Name, Value string }
}

type condition struct{ Type, Status, Reason, Message string }

type containerStatus struct {
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

// ReadJob reads what `kubectl get job,pods -o json` printed, from a file or, for -,
// from stdin. With several Jobs the name chooses. An error is a failure: exit code 64.
func ReadJob(path string, stdin io.Reader, name string) (*Job, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usage("--kubernetes", err, "kubectl get job,pods -o json > FILE")
		}
		defer f.Close()
		in = f
	}
	j, err := parseJob(in, name)
	if err != nil {
		return nil, usage("--kubernetes "+path, err, "it is the output of kubectl get job,pods -o json, which --job NAME chooses one Job of")
	}
	return j, nil
}

func parseJob(in io.Reader, name string) (*Job, error) {
	var jobs []*object
	var pods []*Pod
	err := objects(in, func(o *object) {
		switch o.Kind {
		case "Job":
			if name == "" || o.Metadata.Name == name {
				jobs = append(jobs, o)
			}
		case "Pod":
			if p, ok := podOf(o); ok {
				pods = append(pods, p)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	switch {
	case len(jobs) == 0 && name != "":
		return nil, fmt.Errorf("there is no Job %q in it", name)
	case len(jobs) == 0:
		return nil, errors.New("there is no Job in it")
	case len(jobs) > 1:
		return nil, fmt.Errorf("there are %d Jobs in it, such as %q and %q", len(jobs), jobs[0].Metadata.Name, jobs[1].Metadata.Name)
	}
	return newJob(jobs[0], pods)
}

// objects reads a list one by one, for that of 100,000 pods is half a gigabyte, or a
// single object.
func objects(in io.Reader, each func(*object)) error {
	d := json.NewDecoder(in)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, errors.New("it is no JSON object"))
	}
	var single object
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var skipped json.RawMessage
		to := map[any]any{"kind": &single.Kind, "metadata": &single.Metadata, "spec": &single.Spec, "status": &single.Status}[key]
		switch {
		case key == "items":
			err = elements(d, each)
		case to != nil:
			err = d.Decode(to)
		default:
			err = d.Decode(&skipped)
		}
		if err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON object")
	}
	each(&single)
	return nil
}

func elements(d *json.Decoder, each func(*object)) error {
	t, err := d.Token()
	if err != nil || t == nil { // null
		return err
	}
	if t != json.Delim('[') {
		return errors.New("items is no list")
	}
	for d.More() {
		var o object
		if err := d.Decode(&o); err != nil {
			return err
		}
		each(&o)
	}
	_, err = d.Token()
	return err
}

// The names that Kubernetes gives: of a pod's index, and of its Job.
const (
	indexKey = "batch.kubernetes.io/job-completion-index"
	jobKey   = "batch.kubernetes.io/job-name"
)

// part gives the indexes that a Job of --indexes works on: what NTH_INDEXES or the
// flag in its pod template says.
func (o *object) part() string {
	for _, c := range o.Spec.Template.Spec.Containers {
		words := slices.Concat(c.Command, c.Args)
		if end := slices.Index(words, "--"); end >= 0 {
			words = words[:end]
		}
		for i, w := range words {
			if value, ok := strings.CutPrefix(w, "--indexes="); ok {
				return value
			}
			if w == "--indexes" && i+1 < len(words) {
				return words[i+1]
			}
		}
		for _, e := range c.Env {
			if e.Name == "NTH_INDEXES" && e.Value != "" {
				return e.Value
			}
		}
	}
	return ""
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
