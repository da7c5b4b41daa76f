// Package kubernetes holds the README's manifests against Kubernetes' own types.
// It is a module of its own, so that those types are no dependency of nth.
package kubernetes

import (
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func TestReadmeManifests(t *testing.T) {
	body, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(body), "\n```yaml\n")[1:]
	kinds := map[string]int{}
	for _, b := range blocks {
		text, _, _ := strings.Cut(b, "\n```")
		switch {
		case strings.Contains(text, "\nkind: Job\n"):
			kinds["Job"]++
			decode(t, text)
		case strings.Contains(text, "\nkind: Pod\n"):
			kinds["Pod"]++
			var pod corev1.Pod
			if err := yaml.UnmarshalStrict([]byte(text), &pod); err != nil {
				t.Error(err)
			}
		default:
			t.Errorf("a yaml block of no known kind:\n%s", text)
		}
	}
	if kinds["Job"] == 0 || kinds["Pod"] == 0 {
		t.Errorf("found %v, want a Job and a Pod", kinds)
	}
}
