package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// suffixes of quantities (kubernetes apimachinery pkg/api/resource).
var suffixes = []struct {
	name   string
	factor float64
}{
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"Pi", 1 << 50}, {"Ei", 1 << 60},
	{"n", 1e-9}, {"u", 1e-6}, {"m", 1e-3}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15}, {"E", 1e18}, {"", 1},
}

// quantity gives about how much a quantity such as 500m or 2Gi is.
func quantity(s string) (float64, error) {
	for _, suffix := range suffixes {
		digits, ok := strings.CutSuffix(s, suffix.name)
		if !ok || strings.Trim(digits, "0123456789.") != "" {
			continue
		}
		if n, err := strconv.ParseFloat(digits, 64); err == nil && n > 0 {
			return n * suffix.factor, nil
		}
	}
	return 0, fmt.Errorf("%q is no quantity", s)
}

// resources reads cpu=500m,memory=2Gi, as kubectl set resources does.
func resources(assignments []string) (map[string]string, error) {
	read := map[string]string{}
	for _, a := range assignments {
		name, value, ok := strings.Cut(a, "=")
		if !ok || !qualified(name) {
			return nil, fmt.Errorf("%q is not NAME=QUANTITY", a)
		}
		if _, err := quantity(value); err != nil {
			return nil, err
		}
		read[name] = value
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

// requirements gives the tree of requests and limits.
func requirements(requests, limits []string) (object, error) {
	most, err := resources(limits)
	if err != nil {
		return nil, usage("--limits", err, "write cpu=1,memory=2Gi")
	}
	least, err := resources(requests)
	if err != nil {
		return nil, usage("--requests", err, "write cpu=500m,memory=1Gi")
	}
	for name, value := range least {
		n, _ := quantity(value)
		if m, _ := quantity(most[name]); most[name] != "" && n > m {
			return nil, contradiction("--requests and --limits", errors.New(name+": more is requested than the limit allows"), "raise the limit")
		}
	}
	return pairs().with("requests", quantities(least)).with("limits", quantities(most)), nil
}

func quantities(of map[string]string) object {
	var o object
	for _, name := range slices.Sorted(maps.Keys(of)) {
		o = o.with(name, of[name])
	}
	return o
}
