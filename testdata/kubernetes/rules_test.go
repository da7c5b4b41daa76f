package kubernetes

import (
	"fmt"
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
		Suspend        *bool  `json:"suspend,omitempty"`
		TTL            *int32 `json:"ttlSecondsAfterFinished,omitempty"`
		ReplicatedJobs []struct {
			Name      string                  `json:"name"`
			Template  batchv1.JobTemplateSpec `json:"template"`
			Replicas  int32                   `json:"replicas,omitempty"`
			DependsOn []struct {
				Name   string `json:"name"`
				Status string `json:"status"`
			} `json:"dependsOn,omitempty"`
		} `json:"replicatedJobs,omitempty"`
	} `json:"spec,omitempty"`
}

// parse reads a manifest of any kind strictly, holds a CronJob and a JobSet against the
// rules of their kind, and gives the Job that Kubernetes makes of it last.
func parse(t *testing.T, text string) *batchv1.Job {
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
		job.Spec, job.Namespace, job.ObjectMeta.Labels = cron.Spec.JobTemplate.Spec, cron.Namespace, cron.Spec.JobTemplate.Labels
		job.Name = cron.Name + "-29345678"
		if err := acceptedCron(&cron); err != nil || cron.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent {
			t.Errorf("the CronJob: %v\n%s", err, text)
		}
	case &set:
		if jobs := set.jobs(t); len(jobs) > 0 {
			job = *jobs[len(jobs)-1]
		}
	}
	return &job
}

// decode is parse for what the newest Kubernetes accepts, and every Job of nth's has.
func decode(t *testing.T, text string) *batchv1.Job {
	t.Helper()
	job := parse(t, text)
	if err := accepted(job); err != nil {
		t.Errorf("%v:\n%.3000s", err, text)
	}
	checkJob(t, job)
	return job
}

// jobs gives the last Job of each kind, and holds the JobSet against the rules of its
// webhook (kubernetes-sigs/jobset pkg/webhooks/jobset_webhook.go and its types).
func (set *jobSet) jobs(t *testing.T) (all []*batchv1.Job) {
	t.Helper()
	before := map[string]bool{}
	for i, r := range set.Spec.ReplicatedJobs {
		job := &batchv1.Job{Spec: r.Template.Spec, ObjectMeta: metav1.ObjectMeta{Namespace: set.Namespace, Name: fmt.Sprintf("%s-%s-%d", set.Name, r.Name, r.Replicas-1)}}
		if job.Spec.Completions == nil || before[r.Name] || r.Replicas < 1 || len(r.DependsOn) > 5 {
			t.Fatalf("Job %d of the JobSet is of another's name, or has no number of completions or replicas, or waits for too many: %+v", i, r)
		}
		if bad := validation.IsDNS1035Label(fmt.Sprintf("%s-%d-abcde", job.Name, *job.Spec.Completions-1)); len(bad) > 0 {
			t.Errorf("the JobSet's pods could not be named: %v", bad)
		}
		waits := map[string]bool{}
		for _, d := range r.DependsOn {
			if !before[d.Name] || waits[d.Name] || d.Status != "Ready" && d.Status != "Complete" {
				t.Errorf("Job %s waits for %+v, which isn't before it, or twice", r.Name, d)
			}
			waits[d.Name] = true
		}
		before[r.Name] = true
		if err := accepted(job); err != nil {
			t.Errorf("Job %s of the JobSet: %v", r.Name, err)
		}
		all = append(all, job)
	}
	for key, value := range set.Labels {
		if bad := append(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)...); len(bad) > 0 {
			t.Errorf("the JobSet's label %s=%s: %v", key, value, bad)
		}
	}
	return all
}

// checkJob holds a Job against what each of nth's has.
func checkJob(t *testing.T, job *batchv1.Job) {
	t.Helper()
	s := job.Spec
	if s.CompletionMode == nil || *s.CompletionMode != batchv1.IndexedCompletion || s.Completions == nil {
		t.Fatal("the Job is not indexed")
	}
	if s.Parallelism == nil || *s.Parallelism < 1 {
		t.Errorf("parallelism is %v", s.Parallelism)
	}
	if (s.MaxFailedIndexes == nil) != (s.BackoffLimitPerIndex == nil) {
		t.Error("backoffLimitPerIndex and maxFailedIndexes belong together")
	}
	p := s.Template.Spec
	if p.RestartPolicy != corev1.RestartPolicyNever {
		t.Error("backoffLimitPerIndex and podFailurePolicy need restartPolicy Never")
	}
	if p.TerminationGracePeriodSeconds == nil || *p.TerminationGracePeriodSeconds < 1 {
		t.Error("there is no grace period")
	}
	if s.PodFailurePolicy == nil {
		return
	}
	for _, r := range s.PodFailurePolicy.Rules {
		if r.OnExitCodes != nil && r.OnExitCodes.ContainerName == nil {
			t.Error("a rule names no container")
		}
	}
	for _, c := range append(p.InitContainers, p.Containers...) {
		checkContainer(t, &c)
	}
}

func checkContainer(t *testing.T, c *corev1.Container) {
	t.Helper()
	if len(c.Command) == 0 {
		t.Errorf("container %s has no command", c.Name)
	}
	names := map[string]bool{}
	for _, e := range c.Env { // of which Kubernetes takes several of one name
		if names[e.Name] {
			t.Errorf("variable %q is there twice", e.Name)
		}
		names[e.Name] = true
	}
	s := c.SecurityContext
	if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Capabilities == nil || len(s.Capabilities.Drop) != 1 ||
		s.SeccompProfile == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		t.Errorf("container %s is not restricted", c.Name)
	}
}
