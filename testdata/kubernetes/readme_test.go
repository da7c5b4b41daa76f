// Package kubernetes holds the README's manifests against Kubernetes' own types.
// It is a module of its own, so that those types are no dependency of nth.
package kubernetes

import (
	"os"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
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
			checkJob(t, text)
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

// checkJob decodes strictly, and applies the API server's rules for what is used
// (pkg/apis/batch/validation).
func checkJob(t *testing.T, text string) {
	t.Helper()
	var job batchv1.Job
	if err := yaml.UnmarshalStrict([]byte(text), &job); err != nil {
		t.Fatal(err)
	}
	s := job.Spec
	if s.CompletionMode == nil || *s.CompletionMode != batchv1.IndexedCompletion || s.Completions == nil {
		t.Error("the Job is not indexed")
	}
	if s.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Error("backoffLimitPerIndex and podFailurePolicy need restartPolicy Never")
	}
	if s.MaxFailedIndexes != nil && *s.MaxFailedIndexes > *s.Completions {
		t.Error("maxFailedIndexes is greater than completions")
	}
	containers := map[string]bool{}
	for _, c := range s.Template.Spec.Containers {
		containers[c.Name] = true
	}
	for _, r := range s.PodFailurePolicy.Rules {
		if r.OnExitCodes == nil {
			continue
		}
		if r.OnExitCodes.ContainerName == nil || !containers[*r.OnExitCodes.ContainerName] {
			t.Error("a rule names no container of the pod")
		}
		for i, v := range r.OnExitCodes.Values {
			if v == 0 || i > 0 && v <= r.OnExitCodes.Values[i-1] {
				t.Errorf("exit codes %v: they must increase, without 0", r.OnExitCodes.Values)
			}
		}
	}
}
