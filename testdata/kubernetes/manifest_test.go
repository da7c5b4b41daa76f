package kubernetes

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestManifests: quite different command lines give what Kubernetes takes, as JSON too,
// and what the first and the last pod of it then run.
func TestManifests(t *testing.T) {
	long := strings.Repeat("a", 59)
	for _, tt := range []struct {
		name  string
		args  []string
		first string // the argument of pod 0, and of the last one
		last  string
		spec  func(*corev1.PodSpec) bool // what it must be; nil: no more
		plain bool                       // it has no marker
	}{
		{"a static mapping with markers in S3", []string{"--name", "resize", "--completions", "100", "--image", "busybox:1.36", "--env-from", "secret/bucket",
			"--requests", "cpu=500m,memory=1Gi", "--limits", "memory=2Gi", "--markers", "s3://b/runs/<<.Job>>?region=eu-central-1", "--max-failed", "5%", "--namespace", "batch"},
			"0", "99", func(p *corev1.PodSpec) bool {
				c := p.Containers[0]
				return *p.TerminationGracePeriodSeconds == 160 && c.EnvFrom[0].SecretRef.Name == "bucket" && c.Resources.Limits.Memory().String() == "2Gi" &&
					len(p.InitContainers) == 1 && p.SecurityContext == nil && !*p.EnableServiceLinks
			}, false},
		{"an image volume, with a user of its own", []string{"--name", "r", "--completions", "3", "--image", "busybox", "--via", "image-volume", "--nth-image", "example.com/nth@sha256:0123", "--user", "1000",
			"--stop-grace", "1m30s", "--marker-timeout", "1500ms", "--sweep-grace", "0s"},
			"0", "2", func(p *corev1.PodSpec) bool {
				return *p.TerminationGracePeriodSeconds == 97 && p.Volumes[0].Image.Reference == "example.com/nth@sha256:0123" && *p.SecurityContext.RunAsUser == 1000 && *p.SecurityContext.RunAsNonRoot
			}, true},
		{"nth in the image, as root, with volumes", []string{"--name", "c", "--completions", "2", "--image", "worker:1", "--via", "copy", "--user", "0", "--service-account", "robot.account",
			"--volume", "pvc/data.0:/data", "--volume", "secret/key:/etc/key:ro", "--volume", "configmap/settings:/etc/settings", "--volume", "emptydir:/tmp", "--markers", "file:///data/m/<<.Job>>"},
			"0", "1", func(p *corev1.PodSpec) bool {
				return len(p.Volumes) == 4 && p.Volumes[0].PersistentVolumeClaim.ClaimName == "data.0" && p.Containers[0].VolumeMounts[1].ReadOnly && p.ServiceAccountName == "robot.account" &&
					p.SecurityContext.RunAsNonRoot == nil && p.Containers[0].Command[0] == "/nth"
			}, false},
		{"an end by time, by success, and a directory of the nodes", []string{"--name", "e", "--completions", "4", "--image", "b", "--active-deadline", "90m", "--ttl", "1500ms", "--success-policy", "0-2,count=2",
			"--volume", "hostpath/mnt/scratch:/scratch:ro"}, "0", "3", func(p *corev1.PodSpec) bool {
			return p.Volumes[1].HostPath.Path == "/mnt/scratch" && *p.Volumes[1].HostPath.Type == corev1.HostPathDirectory
		}, true},
		{"a repair", []string{"--job", "resize", "--completions", "100", "--indexes", "7,42,90-99", "--image", "busybox", "--markers", "s3://b/<<.Job>>"}, "7", "99", nil, false},
		{"a CronJob", []string{"--name", long[:48], "--kind", "cronjob", "--schedule", "0 3 * * 1-5", "--completions", "1000", "--image", "busybox", "--markers", "gs://b/<<.Job>>"}, "0", "999", nil, false},
		{"a JobSet", []string{"--name", long[:46], "--kind", "jobset", "--replicas", "12", "--completions", "10", "--image", "busybox", "--markers", "azblob://b/<<.Job>>"}, "0", "9", nil, false},
		{"the longest name, the most of everything", []string{"--name", long[:56], "--completions", "200000", "--parallelism", "10000", "--image", "busybox"}, "0", "199999", nil, true},
		{"a shift, and every flag that no variable can hold", []string{"--name", "s", "--completions", "10", "--index-offset", "-0", "--env", `A=C:\`, "--env", "B=<<.Index>>", "--log-level", "warn", "--image", "b"}, "0", "9", nil, true},
		{"shares of many items, with each kind of flag", []string{"--name", "i", "--completions", "4", "--items", "10", "--done-exit-codes", "0,3", "--done-exit-codes", "4", "--signal", "TERM=INT", "--record-start=false", "--reserve-exit-codes",
			"--digest-extra", "a b", "--digest-extra", "yes", "--image", "b"}, "0", "3", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append(append(tt.args, "--"), echo("<<.Index>>", "of <<.Completions>> for $(NTH_JOB) $$ $HOME")...)
			text := manifest(t, args...)
			job := decode(t, text)
			if tt.spec != nil && !tt.spec(&job.Spec.Template.Spec) {
				t.Errorf("the pods are not what was asked for:\n%s", text)
			}
			var fromYAML, fromJSON any
			if err := yaml.Unmarshal([]byte(text), &fromYAML); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal([]byte(manifest(t, append([]string{"--format", "json"}, args...)...)), &fromJSON); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(fromYAML, fromJSON) {
				t.Errorf("as JSON it is another:\n%v\n%v", fromYAML, fromJSON)
			}
			markers := t.TempDir()
			completions, full := int(*job.Spec.Completions), strconv.Itoa(int(*job.Spec.Completions))
			if tt.name == "a repair" {
				full = "100"
			}
			for k, want := range map[int]string{0: tt.first, completions - 1: tt.last} {
				besides := []string{"NTH_MARKERS=file://" + markers + "/<<.Job>>"}
				if tt.plain {
					besides = nil
				}
				r := saw(t, job, k, besides...)
				if len(r.args) != 2 || r.args[0] != want || r.args[1] != "of "+full+" for $(NTH_JOB) $$ $HOME" {
					t.Errorf("pod %d ran %q, want item %s", k, r.args, want)
				}
				if r.env["NTH_ITEM_ATTEMPT"] != "3" || r.env["JOB_COMPLETION_INDEX"] != want || r.env["NTH_MARKERS"] != "" {
					t.Errorf("pod %d had %v", k, r.env)
				}
				name := job.Name
				if tt.name == "a repair" {
					name = "resize"
				}
				if !tt.plain && !exists(filepath.Join(markers, name, "done", want+".json")) {
					t.Errorf("pod %d left no marker for %s", k, want)
				}
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestSidecar: what stands in the file is a native sidecar of each pod.
func TestSidecar(t *testing.T) {
	path := filepath.Join(t.TempDir(), "proxy.json")
	body := `{"name": "proxy", "image": "proxy:1", "command": ["/proxy"], "args": ["--port=5432", "yes", "$(X)"], "env": [{"name": "A", "value": "no"}], "ports": [{"containerPort": 5432}],
		"startupProbe": {"tcpSocket": {"port": 5432}, "periodSeconds": 1}, "securityContext": {"runAsNonRoot": true, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}`
	if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
	var want corev1.Container
	if err := yaml.UnmarshalStrict([]byte(body), &want); err != nil {
		t.Fatal(err)
	}
	always := corev1.ContainerRestartPolicyAlways
	want.RestartPolicy = &always
	for _, format := range []string{"yaml", "json"} {
		job := decode(t, manifest(t, append([]string{"--name", "s", "--completions", "2", "--image", "b", "--sidecar", path, "--format", format, "--"}, echo("<<.Index>>")...)...))
		all := job.Spec.Template.Spec.InitContainers
		if len(all) != 2 || all[0].Name != "nth" || !reflect.DeepEqual(all[1], want) {
			t.Errorf("%s: %+v", format, all)
		}
	}
}

// TestEnds: when a Job is over, and when it is gone.
func TestEnds(t *testing.T) {
	of := func(flags ...string) *batchv1.Job {
		t.Helper()
		return decode(t, manifest(t, append(append([]string{"--job", "big", "--completions", "9", "--image", "b"}, flags...), append([]string{"--"}, echo("<<.Index>>")...)...)...))
	}
	plain, repair, kept := of(), of("--indexes", "3,5"), of("--indexes", "3,5", "--ttl", "24h")
	if plain.Spec.TTLSecondsAfterFinished != nil || plain.Spec.SuccessPolicy != nil || plain.Spec.ActiveDeadlineSeconds != nil {
		t.Errorf("%+v", plain.Spec)
	}
	if *repair.Spec.TTLSecondsAfterFinished != 3600 || *kept.Spec.TTLSecondsAfterFinished != 86400 {
		t.Errorf("a repair makes way after %d s, %d s", *repair.Spec.TTLSecondsAfterFinished, *kept.Spec.TTLSecondsAfterFinished)
	}
	s := of("--active-deadline", "90m", "--success-policy", "0-2,count=2").Spec
	rule := s.SuccessPolicy.Rules[0]
	if *s.ActiveDeadlineSeconds != 5400 || *rule.SucceededIndexes != "0-2" || *rule.SucceededCount != 2 {
		t.Errorf("%+v", s)
	}
	if rule := of("--success-policy", "count=9").Spec.SuccessPolicy.Rules[0]; rule.SucceededIndexes != nil || *rule.SucceededCount != 9 {
		t.Errorf("%+v", rule)
	}
}

// TestRepair: the pods of a repair run just the indexes that were asked for.
func TestRepair(t *testing.T) {
	job := decode(t, manifest(t, append([]string{"--job", "big", "--completions", "100", "--indexes", "7,42,90-99", "--image", "b", "--"}, echo("<<.Index>>")...)...))
	if job.Name != "big-repair" || *job.Spec.Completions != 12 {
		t.Fatalf("%s has %d completions, want big-repair with 12", job.Name, *job.Spec.Completions)
	}
	var got []string
	for k := range 12 {
		r := saw(t, job, k)
		got = append(got, r.args[0])
		if r.env["NTH_ITEM_JOB"] != "big" || r.env["NTH_ITEM_COMPLETIONS"] != "100" {
			t.Errorf("pod %d is of %s with %s indexes", k, r.env["NTH_ITEM_JOB"], r.env["NTH_ITEM_COMPLETIONS"])
		}
	}
	if want := "7 42 90 91 92 93 94 95 96 97 98 99"; strings.Join(got, " ") != want {
		t.Errorf("the pods ran %v, want %s", got, want)
	}
	if _, stderr, code := pod(t, job, 12); code != 78 {
		t.Errorf("pod 12 of 12: exit code %d: %s", code, stderr)
	}
}

// TestQueue: each index is a worker. Nobody answers at that port, which a run finds out
// after it has accepted everything else.
func TestQueue(t *testing.T) {
	job := decode(t, manifest(t, "--name", "q", "--parallelism", "8", "--tasks", `redis://:<<secret "PASS">>@127.0.0.1:1/0?queue=q_<<.Index>>`, "--lease", "30s", "--drain", "10m",
		"--max-attempts", "3", "--env-from", "secret/redis", "--image", "b", "--", "x", "<<.Task.name>>"))
	if *job.Spec.Completions != 8 || *job.Spec.Parallelism != 8 || *job.Spec.Template.Spec.TerminationGracePeriodSeconds != 760 {
		t.Errorf("%d of %d workers with %d s", *job.Spec.Parallelism, *job.Spec.Completions, *job.Spec.Template.Spec.TerminationGracePeriodSeconds)
	}
	if _, stderr, code := pod(t, job, 7, "NTH_STORE_WAIT=0s", "PASS=s3cr3t"); code != 69 {
		t.Errorf("exit code %d, want 69: %s", code, stderr)
	}
}

// TestVersions: what an older Kubernetes doesn't have is left out.
func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		version          string
		perIndex, policy bool
		rules            int
		label            string
	}{
		{"1.33", true, true, 3, "batch.kubernetes.io/job-name"},
		{"1.29", true, true, 3, "batch.kubernetes.io/job-name"},
		{"v1.28.4", false, true, 2, "batch.kubernetes.io/job-name"},
		{"1.26", false, true, 2, "metadata.labels['job-name']"},
		{"1.25", false, false, 0, "metadata.labels['job-name']"},
	} {
		text := manifest(t, "--name", "v", "--completions", "5", "--image", "b", "--kubernetes-version", tt.version, "--", "x", "<<.Index>>")
		s := decode(t, text).Spec
		rules := 0
		if s.PodFailurePolicy != nil {
			rules = len(s.PodFailurePolicy.Rules)
		}
		if s.BackoffLimitPerIndex != nil != tt.perIndex || s.PodFailurePolicy != nil != tt.policy || rules != tt.rules || !strings.Contains(text, tt.label) {
			t.Errorf("for %s:\n%s", tt.version, text)
		}
		if s.BackoffLimit != nil == tt.perIndex {
			t.Errorf("for %s backoffLimit is %v", tt.version, s.BackoffLimit)
		}
	}
}
