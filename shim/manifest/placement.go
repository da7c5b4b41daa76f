package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// checkPlacement reads the flags that say which nodes the pods may have, and before whom.
func (j *job) checkPlacement() error {
	for _, given := range j.NodeSelector {
		label, value, ok := strings.Cut(given, "=")
		switch {
		case !ok || !qualified(label) || !labelValue(value):
			return usage("--node-selector", fmt.Errorf("%q is not LABEL=VALUE", given), "write it as kubectl get nodes --show-labels does, such as kubernetes.io/arch=arm64")
		case j.selector.get(label) != nil:
			return usage("--node-selector", fmt.Errorf("%s is given twice", label), "a node has one value of a label: give one of them")
		}
		j.selector = j.selector.add(label, value, "")
	}
	for _, given := range j.Toleration {
		t, err := toleration(given)
		if err != nil {
			return usage("--toleration", fmt.Errorf("%q %w", given, err), "write the taint as kubectl taint does, such as spot=true:NoSchedule")
		}
		j.tolerated = append(j.tolerated, line{t})
	}
	if j.PriorityClass != "" && !subdomain(j.PriorityClass) {
		return usage("--priority-class", fmt.Errorf("%q is no name of an object", j.PriorityClass), "name one of kubectl get priorityclasses")
	}
	return nil
}

// toleration reads KEY[=VALUE][:EFFECT].
func toleration(given string) (object, error) {
	taint, effect, has := strings.Cut(given, ":")
	if has && !slices.Contains([]string{"NoSchedule", "PreferNoSchedule", "NoExecute"}, effect) {
		return nil, errors.New("has another effect than NoSchedule, PreferNoSchedule and NoExecute")
	}
	key, value, equal := strings.Cut(taint, "=")
	if !qualified(key) || !labelValue(value) {
		return nil, errors.New("is no taint")
	}
	o := pairs("key", key, "operator", "Exists")
	if equal {
		o = pairs("key", key, "operator", "Equal").add("value", value, "")
	}
	return o.with("effect", effect), nil
}

// labelValue tells whether a label may have this value.
func labelValue(s string) bool {
	return s == "" || len(s) <= maxLabel && only(s, "-_.") && strings.Trim(s, "-_.") == s
}
