package kubernetes

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	featuregatetesting "k8s.io/component-base/featuregate/testing"
	podapi "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/batch"
	batchinternal "k8s.io/kubernetes/pkg/apis/batch/v1"
	"k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/features"
)

// scheme makes of what is sent what the API server has, with its defaults.
var scheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{batchinternal.AddToScheme, batch.AddToScheme} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
}()

// accepted is what the API server makes of a Job that is sent to it, by its own code (kubernetes
// pkg/registry/batch/job/strategy.go): it sets what is not given, drops the fields that it
// doesn't know, and validates the rest.
func accepted(sent *batchv1.Job) error {
	v1 := sent.DeepCopy()
	v1.UID, v1.Status = "uid-1", batchv1.JobStatus{}
	if v1.Namespace == "" {
		v1.Namespace = "default"
	}
	scheme.Default(v1)
	var job batch.Job
	if err := scheme.Convert(v1, &job, nil); err != nil {
		return err
	}
	if err := undropped(&job.Spec); err != nil {
		return err
	}
	selected(&job)
	return validation.ValidateJobCreate(&job, validation.JobValidationOptions{
		PodValidationOptions: podapi.GetValidationOptionsFromPodTemplate(&job.Spec.Template, nil), RequirePrefixedLabels: true}).ToAggregate()
}

// undropped is an error where the API server would leave out a part of what was sent.
func undropped(spec *batch.JobSpec) error {
	before := spec.Template.DeepCopy()
	podapi.DropDisabledTemplateFields(&spec.Template, nil)
	if !reflect.DeepEqual(before, &spec.Template) {
		return fmt.Errorf("a field is dropped: of\n%+v\nis left\n%+v", before.Spec, spec.Template.Spec)
	}
	return nil
}

// selected adds the labels by which a Job finds its pods.
func selected(job *batch.Job) {
	labels := map[string]string{}
	for _, name := range []string{batch.JobNameLabel, batch.LegacyJobNameLabel} {
		labels[name] = job.Name
	}
	for _, name := range []string{batch.ControllerUidLabel, batch.LegacyControllerUidLabel} {
		labels[name] = string(job.UID)
	}
	if job.Spec.Template.Labels == nil {
		job.Spec.Template.Labels = map[string]string{}
	}
	for name, value := range labels {
		job.Spec.Template.Labels[name] = value
	}
	job.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{batch.ControllerUidLabel: string(job.UID)}}
}

// acceptedCron is accepted for a CronJob.
func acceptedCron(sent *batchv1.CronJob) error {
	v1 := sent.DeepCopy()
	if v1.Namespace == "" {
		v1.Namespace = "default"
	}
	scheme.Default(v1)
	var cron batch.CronJob
	if err := scheme.Convert(v1, &cron, nil); err != nil {
		return err
	}
	if err := undropped(&cron.Spec.JobTemplate.Spec); err != nil {
		return err
	}
	return validation.ValidateCronJobCreate(&cron, podapi.GetValidationOptionsFromPodTemplate(&cron.Spec.JobTemplate.Spec.Template, nil)).ToAggregate()
}

// asVersion makes the API server one of that version, as far as its code tells.
func asVersion(t *testing.T, minor int) {
	t.Helper()
	featuregatetesting.SetFeatureGateEmulationVersionDuringTest(t, utilfeature.DefaultFeatureGate, version.MajorMinor(1, uint(minor)))
}

// TestRules: the API server's own rules notice what is wrong with a Job.
func TestRules(t *testing.T) {
	for name, change := range map[string]func(*batchv1.Job){
		"nothing":            nil,
		"a restart policy":   func(j *batchv1.Job) { j.Spec.Template.Spec.RestartPolicy = "OnFailure" },
		"a name":             func(j *batchv1.Job) { j.Name = strings.Repeat("a", 63) },
		"a label":            func(j *batchv1.Job) { j.Labels["kueue.x-k8s.io/queue-name"] = "a b" },
		"no image":           func(j *batchv1.Job) { j.Spec.Template.Spec.Containers[0].Image = "" },
		"a container":        func(j *batchv1.Job) { *j.Spec.PodFailurePolicy.Rules[1].OnExitCodes.ContainerName = "other" },
		"an action":          func(j *batchv1.Job) { j.Spec.Template.Spec.Containers[0].RestartPolicyRules[0].Action = "Ignore" },
		"rules alone":        func(j *batchv1.Job) { j.Spec.Template.Spec.Containers[0].RestartPolicy = nil },
		"a node's label":     func(j *batchv1.Job) { j.Spec.Template.Spec.NodeSelector["a b"] = "c" },
		"a toleration":       func(j *batchv1.Job) { j.Spec.Template.Spec.Tolerations[0].Effect = "None" },
		"a priority class":   func(j *batchv1.Job) { j.Spec.Template.Spec.PriorityClassName = "A" },
		"more than the rest": func(j *batchv1.Job) { *j.Spec.MaxFailedIndexes = 4 },
	} {
		job := decode(t, manifest(t, "--name", "r", "--completions", "3", "--image", "b", "--queue-name", "q", "--restart-in-place", "--node-selector", "a=b", "--toleration", "a:NoSchedule", "--priority-class", "p", "--", "x", "<<.Index>>"))
		if change != nil {
			change(job)
		}
		if err := accepted(job); (err == nil) != (change == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRestartInPlace: rules that a version has are kept; one that has them behind a gate
// alone drops them, which is told, and an older one is refused.
func TestRestartInPlace(t *testing.T) {
	words := func(minor string) []string {
		return []string{nth, "manifest", "--name", "r", "--completions", "3", "--image", "b", "--restart-in-place", "--active-deadline", "6h", "--kubernetes-version", minor, "--", "x", "<<.Index>>"}
	}
	for minor, kept := range map[int]bool{34: false, 35: true, 36: true, 37: true} {
		t.Run(fmt.Sprint(minor), func(t *testing.T) {
			asVersion(t, minor)
			text, stderr, code := run(t, nil, words(fmt.Sprintf("1.%d", minor))...)
			if code != 0 || kept == strings.Contains(stderr, "feature gate ContainerRestartRules") {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			job := parse(t, text)
			if err := accepted(job); (err == nil) != kept {
				t.Errorf("kept: %v, want %v", err, kept)
			}
			c := job.Spec.Template.Spec.Containers[0]
			if want := []int32{69, 73, 77}; *c.RestartPolicy != "Never" || !reflect.DeepEqual(c.RestartPolicyRules[0].ExitCodes.Values, want) {
				t.Errorf("%v, %+v", c.RestartPolicy, c.RestartPolicyRules)
			}
			if kept {
				return
			}
			featuregatetesting.SetFeatureGateDuringTest(t, utilfeature.DefaultFeatureGate, features.ContainerRestartRules, true)
			if err := accepted(job); err != nil {
				t.Errorf("with the gate open: %v", err)
			}
		})
	}
	for _, old := range []string{"1.33", "1.29", "1.25"} {
		if stdout, stderr, code := run(t, nil, words(old)...); code != 78 || stdout != "" || !strings.Contains(stderr, "restart rules") {
			t.Errorf("for %s: exit code %d: %s", old, code, stderr)
		}
	}
	if _, stderr, code := run(t, nil, nth, "manifest", "--name", "r", "--completions", "3", "--image", "b", "--restart-in-place", "--reserve-exit-codes=false", "--", "x"); code != 78 {
		t.Errorf("by codes that may be the command's: exit code %d: %s", code, stderr)
	}
}

// TestVersionsKeep: what is printed for a version, that version keeps, with every flag that
// adds a field; it says so of the one that it has behind a gate alone.
func TestVersionsKeep(t *testing.T) {
	for minor := 34; minor <= 37; minor++ {
		t.Run(fmt.Sprint(minor), func(t *testing.T) {
			asVersion(t, minor)
			words := []string{nth, "manifest", "--name", "v", "--completions", "3", "--image", "b", "--kubernetes-version", fmt.Sprintf("1.%d", minor), "--queue-name", "q", "--workload-priority-class", "w",
				"--priority-class", "p", "--node-selector", "a=b", "--toleration", "a:NoSchedule", "--success-policy", "0", "--ttl", "1h", "--active-deadline", "1h", "--user", "1000"}
			for _, tt := range []struct {
				flags []string
				kept  bool
			}{{nil, true}, {[]string{"--via", "image-volume"}, minor >= 35}} {
				text, stderr, code := run(t, nil, append(append(slices.Clone(words), tt.flags...), "--", "x", "<<.Index>>")...)
				if code != 0 || tt.kept == strings.Contains(stderr, "feature gate") {
					t.Fatalf("%v: exit code %d: %s", tt.flags, code, stderr)
				}
				if err := accepted(parse(t, text)); (err == nil) != tt.kept {
					t.Errorf("%v kept: %v, want %v", tt.flags, err, tt.kept)
				}
			}
		})
	}
}
