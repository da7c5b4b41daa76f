package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"nth/shim/status"
)

// resources are how much of each there is, by name.
type resources map[string]quantity

// given reads cpu=500m,memory=2Gi, as kubectl set resources does.
func given(assignments []string) (resources, error) {
	read := resources{}
	for _, a := range assignments {
		name, value, ok := strings.Cut(a, "=")
		if !ok || !qualified(name) {
			return nil, fmt.Errorf("%q is not NAME=QUANTITY", a)
		}
		q, err := parseQuantity(value)
		if err == nil && q.nano.Sign() == 0 {
			err = fmt.Errorf("%q is nothing", value)
		}
		if err != nil {
			return nil, err
		}
		read[name] = q
	}
	return read, nil
}

// taken reads what a Job's pod template says.
func taken(of map[string]string) (resources, error) {
	read := resources{}
	for name, value := range of {
		q, err := parseQuantity(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		read[name] = q
	}
	return read, nil
}

// qualified tells whether a name may be a resource's, such as cpu or nvidia.com/gpu.
func qualified(name string) bool {
	prefix, last, ok := strings.Cut(name, "/")
	if ok && !subdomain(prefix) {
		return false
	}
	if !ok {
		last = name
	}
	return last != "" && len(last) <= 63 && strings.Trim(last, "-_.") == last &&
		strings.IndexFunc(last, func(r rune) bool {
			return r > '~' || !letter(byte(r)) && !digit(byte(r)) && !strings.ContainsRune("-_.", r)
		}) < 0
}

// require finds out what each pod needs, and may have: what the first Job had, where that is
// told, then what the flags say, and of memory and CPU so many times as much.
func (j *job) require(w World) error {
	var had [2]resources
	if j.Kubernetes != "" {
		var err error
		if j.first, err = status.ReadJob(j.Kubernetes, w.Stdin, j.Index.Job); err != nil {
			return err
		}
		requests, limits := j.first.Needs()
		for i, of := range []map[string]string{requests, limits} {
			if had[i], err = taken(of); err != nil {
				return usage("--kubernetes "+j.Kubernetes, err, "what its pods need can't be taken over")
			}
		}
	}
	least, err := given(j.Requests)
	if err != nil {
		return usage("--requests", err, "write cpu=500m,memory=1Gi")
	}
	most, err := given(j.Limits)
	if err != nil {
		return usage("--limits", err, "write cpu=1,memory=2Gi")
	}
	for i, of := range []*resources{&least, &most} {
		for name, q := range had[i] {
			if _, says := (*of)[name]; !says {
				(*of)[name] = q
			}
		}
	}
	for _, more := range []struct{ flag, resource, by string }{{"--memory", "memory", j.Memory}, {"--cpu", "cpu", j.CPU}} {
		if err := j.multiply(more.flag, more.resource, more.by, least, most); err != nil {
			return err
		}
	}
	for name, n := range least {
		if m, limited := most[name]; limited && n.nano.Cmp(m.nano) > 0 {
			return contradiction("--requests and --limits", errors.New(name+": more is requested than the limit allows"), "raise the limit")
		}
	}
	j.least, j.most = least, most
	j.needs = pairs().with("requests", least.tree()).with("limits", most.tree())
	return nil
}

// multiply makes so many times as much of a request and of a limit.
func (j *job) multiply(flag, resource, by string, least, most resources) error {
	if by == "" {
		return nil
	}
	n, err := parseTimes(by)
	if err != nil {
		return usage(flag, err, "write 2x, or 1.5x")
	}
	var said []string
	fits := least[resource].nano != nil && most[resource].nano != nil && least[resource].nano.Cmp(most[resource].nano) <= 0
	for _, of := range []struct {
		what string
		resources
	}{{"request", least}, {"limit", most}} {
		was, there := of.resources[resource]
		if !there {
			continue
		}
		now, err := more(was, n, resource)
		if err != nil {
			return usage(flag, err, "")
		}
		if least, requested := least[resource]; of.what == "limit" && requested && fits && least.nano.Cmp(now.nano) > 0 {
			now = least // they were rounded up to different units
		}
		of.resources[resource] = now
		said = append(said, fmt.Sprintf("%s %s instead of %s", of.what, now, was))
	}
	if len(said) == 0 {
		return contradiction(flag, errors.New("there is no request and no limit of "+resource+" that it could be so many times of"),
			"tell what the first Job had: --kubernetes FILE|- (of kubectl get job NAME -o json), or --requests and --limits")
	}
	j.say("%s %s: %s", resource, by, strings.Join(said, ", "))
	return nil
}

func more(was quantity, n times, resource string) (quantity, error) {
	now := was.times(n, resource)
	if now.tooMuch() {
		return now, fmt.Errorf("%s of %s is more than Kubernetes takes", resource, was)
	}
	return now, nil
}

// tree gives them as they stand in the manifest.
func (r resources) tree() object {
	var o object
	for _, name := range slices.Sorted(maps.Keys(r)) {
		o = o.with(name, r[name].String())
	}
	return o
}
