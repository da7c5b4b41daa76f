package kubernetes

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestPolicy: a pod that is taken away is no failure, whatever it ended with, so that this
// rule comes first; a Job ends by what no index can succeed with, and an index by what it
// can't; all else counts.
func TestPolicy(t *testing.T) {
	type rule struct {
		Action    batchv1.PodFailurePolicyAction
		Container string
		Codes     []int32
		Condition corev1.PodConditionType
	}
	var got []rule
	job := decode(t, manifest(t, "--name=x", "--image=i", "--completions=2", "--", "echo", "<<.Index>>"))
	for _, r := range job.Spec.PodFailurePolicy.Rules {
		one := rule{Action: r.Action}
		if on := r.OnExitCodes; on != nil && on.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn && on.ContainerName != nil {
			one.Container, one.Codes = *on.ContainerName, on.Values
		}
		for _, c := range r.OnPodConditions {
			one.Condition = c.Type
		}
		got = append(got, one)
	}
	want := []rule{{batchv1.PodFailurePolicyActionIgnore, "", nil, corev1.DisruptionTarget}, {batchv1.PodFailurePolicyActionFailJob, "work", []int32{64, 78}, ""},
		{batchv1.PodFailurePolicyActionFailIndex, "work", []int32{65, 66}, ""}}
	a, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	b, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Errorf("the rules are\n%s\nwant\n%s", b, a)
	}
}
