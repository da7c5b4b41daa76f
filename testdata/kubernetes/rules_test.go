package kubernetes

import (
	"fmt"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

// jobSet is jobset.x-k8s.io/v1alpha2 as far as it is used (kubernetes-sigs/jobset
// api/jobset/v1alpha2/jobset_types.go).
type jobSet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              struct {
		ReplicatedJobs []struct {
			Name     string                  `json:"name"`
			Template batchv1.JobTemplateSpec `json:"template"`
			Replicas int32                   `json:"replicas,omitempty"`
		} `json:"replicatedJobs,omitempty"`
	} `json:"spec,omitempty"`
}

// decode reads a manifest of any kind strictly, holds it against the rules of its kind,
// and gives the Job that Kubernetes makes of it last.
func decode(t *testing.T, text string) *batchv1.Job {
	t.Helper()
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal([]byte(text), &kind); err != nil {
		t.Fatalf("%v:\n%.3000s", err, text)
	}
	var job batchv1.Job
	var into any = &job
	var cron batchv1.CronJob
	var set jobSet
	switch kind.APIVersion + " " + kind.Kind {
	case "batch/v1 Job":
	case "batch/v1 CronJob":
		into = &cron
	case "jobset.x-k8s.io/v1alpha2 JobSet":
		into = &set
	default:
		t.Fatalf("a manifest of no known kind:\n%s", text)
	}
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatalf("%v:\n%.3000s", err, text)
	}
	switch into {
	case &cron:
		job.Spec, job.Namespace = cron.Spec.JobTemplate.Spec, cron.Namespace
		job.Name = cron.Name + "-29345678"
		if len(cron.Name) > 52 || cron.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent || len(strings.Fields(cron.Spec.Schedule)) != 5 {
			t.Errorf("the CronJob's name, policy or schedule is wrong:\n%s", text)
		}
	case &set:
		if len(set.Spec.ReplicatedJobs) != 1 {
			t.Fatalf("the JobSet has %d kinds of Jobs", len(set.Spec.ReplicatedJobs))
		}
		r := set.Spec.ReplicatedJobs[0]
		job.Spec, job.Namespace = r.Template.Spec, set.Namespace
		job.Name = fmt.Sprintf("%s-%s-%d", set.Name, r.Name, r.Replicas-1)
		if bad := validation.IsDNS1035Label(fmt.Sprintf("%s-%d-abcde", job.Name, *job.Spec.Completions-1)); len(bad) > 0 {
			t.Errorf("the JobSet's pods could not be named: %v", bad)
		}
	}
	checkJob(t, &job)
	return &job
}

// checkJob applies the API server's rules for what is used (kubernetes
// pkg/apis/batch/validation and pkg/apis/core/validation).
func checkJob(t *testing.T, job *batchv1.Job) {
	t.Helper()
	s := job.Spec
	if s.CompletionMode == nil || *s.CompletionMode != batchv1.IndexedCompletion || s.Completions == nil {
		t.Fatal("the Job is not indexed")
	}
	if bad := validation.IsDNS1123Label(fmt.Sprintf("%s-%d", job.Name, *s.Completions-1)); len(bad) > 0 {
		t.Errorf("the last pod has no host name: %v", bad)
	}
	most := int32(100_000)
	if *s.Completions > 100_000 && s.BackoffLimitPerIndex != nil {
		most = 10_000
	}
	if s.Parallelism == nil || *s.Parallelism < 1 || *s.Parallelism > most {
		t.Errorf("parallelism is %v, at most %d is allowed", s.Parallelism, most)
	}
	if (s.MaxFailedIndexes == nil) != (s.BackoffLimitPerIndex == nil) {
		t.Error("backoffLimitPerIndex and maxFailedIndexes belong together")
	}
	if s.MaxFailedIndexes != nil && (*s.MaxFailedIndexes > *s.Completions || *s.MaxFailedIndexes > most) {
		t.Errorf("maxFailedIndexes is %d of %d", *s.MaxFailedIndexes, *s.Completions)
	}
	checkPod(t, &s.Template.Spec)
	if s.PodFailurePolicy != nil {
		checkPolicy(t, &s)
	}
}

func checkPolicy(t *testing.T, s *batchv1.JobSpec) {
	t.Helper()
	containers := map[string]bool{}
	for _, c := range s.Template.Spec.Containers {
		containers[c.Name] = true
	}
	for _, r := range s.PodFailurePolicy.Rules {
		if r.Action == batchv1.PodFailurePolicyActionFailIndex && s.BackoffLimitPerIndex == nil {
			t.Error("FailIndex needs backoffLimitPerIndex")
		}
		if (r.OnExitCodes == nil) == (len(r.OnPodConditions) == 0) {
			t.Error("a rule is about exit codes or conditions, and not both")
		}
		if r.OnExitCodes == nil {
			continue
		}
		if r.OnExitCodes.ContainerName == nil || !containers[*r.OnExitCodes.ContainerName] {
			t.Error("a rule names no container of the pod")
		}
		if len(r.OnExitCodes.Values) == 0 {
			t.Error("a rule has no exit codes")
		}
		for i, v := range r.OnExitCodes.Values {
			if v == 0 || i > 0 && v <= r.OnExitCodes.Values[i-1] {
				t.Errorf("exit codes %v: they must increase, without 0", r.OnExitCodes.Values)
			}
		}
	}
}

func checkPod(t *testing.T, p *corev1.PodSpec) {
	t.Helper()
	if p.RestartPolicy != corev1.RestartPolicyNever {
		t.Error("backoffLimitPerIndex and podFailurePolicy need restartPolicy Never")
	}
	if p.TerminationGracePeriodSeconds == nil || *p.TerminationGracePeriodSeconds < 1 {
		t.Error("there is no grace period")
	}
	volumes := map[string]bool{}
	for _, v := range p.Volumes {
		if bad := validation.IsDNS1123Label(v.Name); len(bad) > 0 || volumes[v.Name] {
			t.Errorf("volume %q is named wrongly or twice: %v", v.Name, bad)
		}
		volumes[v.Name] = true
	}
	for _, c := range append(p.InitContainers, p.Containers...) {
		checkContainer(t, &c, volumes)
	}
}

func checkContainer(t *testing.T, c *corev1.Container, volumes map[string]bool) {
	t.Helper()
	if c.Image == "" || len(c.Command) == 0 {
		t.Errorf("container %s has no image or no command", c.Name)
	}
	paths, names := map[string]bool{}, map[string]bool{}
	for _, m := range c.VolumeMounts {
		if !volumes[m.Name] || paths[m.MountPath] || strings.Contains(m.MountPath, ":") {
			t.Errorf("%s mounts %s at %s: no such volume, or the path is taken", c.Name, m.Name, m.MountPath)
		}
		paths[m.MountPath] = true
	}
	for _, e := range c.Env {
		if bad := validation.IsEnvVarName(e.Name); len(bad) > 0 || names[e.Name] || e.Value != "" && e.ValueFrom != nil {
			t.Errorf("variable %q is named wrongly or twice, or has two values: %v", e.Name, bad)
		}
		names[e.Name] = true
	}
	for name, least := range c.Resources.Requests {
		if most, ok := c.Resources.Limits[name]; ok && least.Cmp(most) > 0 {
			t.Errorf("%s is requested with %s, and limited to %s", name, least.String(), most.String())
		}
	}
	s := c.SecurityContext
	if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Capabilities == nil || len(s.Capabilities.Drop) != 1 ||
		s.SeccompProfile == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		t.Errorf("container %s is not restricted", c.Name)
	}
}
