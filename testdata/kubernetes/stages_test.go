package kubernetes

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func readSet(t *testing.T, text string) (set jobSet) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), &set); err != nil {
		t.Fatal(err)
	}
	return set
}

// TestStages: a JobSet of three Jobs, of which each waits for others, is what one at a time
// was asked for; and each pod runs what its own command line says.
func TestStages(t *testing.T) {
	dir, all := t.TempDir(), strings.ReplaceAll(strings.Join(hostile, ""), "<<", "")
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stage := func(name string, more ...string) []string {
		return append(append([]string{"--kind", "jobset", "--replicated-job", name, "--image", "b", "--markers", "s3://b/<<.Job>>", "--env-from", "secret/s"}, more...),
			append([]string{"--"}, echo(name+" $(NTH_JOB) <<.Index>>", all)...)...)
	}
	one := manifest(t, stage("split", "--name", "pipe", "--namespace", "batch", "--completions", "4", "--queue-name", "q", "--ttl", "1h", "--format", "json")...)
	two := manifest(t, stage("crunch", "--append-to", file("one", one), "--depends-on", "split", "--completions", "9", "--replicas", "2", "--format", "json")...)
	last := stage("merge", "--append-to", file("two", two), "--depends-on", "split:Ready,crunch:Complete", "--completions", "1")
	three := manifest(t, last...)
	set := readSet(t, three)
	jobs := set.jobs(t)
	if len(jobs) != 3 || set.Name != "pipe" || set.Namespace != "batch" || *set.Spec.TTL != 3600 || !*set.Spec.Suspend || set.Labels["kueue.x-k8s.io/queue-name"] != "q" {
		t.Fatalf("%+v", set)
	}
	var waits []string
	for i, job := range jobs {
		checkJob(t, job)
		r := set.Spec.ReplicatedJobs[i]
		for _, d := range r.DependsOn {
			waits = append(waits, r.Name+" for "+d.Name+" "+d.Status)
		}
		if got := saw(t, job, 0, "NTH_MARKERS=file://"+dir+"/<<.Job>>?create_dir=true").args; got[0] != r.Name+" $(NTH_JOB) 0" || got[1] != all {
			t.Errorf("the pod of %s ran %q", r.Name, got)
		}
	}
	if want := "crunch for split Complete, merge for split Ready, merge for crunch Complete"; strings.Join(waits, ", ") != want {
		t.Errorf("%v, want %s", waits, want)
	}
	if first := readSet(t, one); !reflect.DeepEqual(first.Spec.ReplicatedJobs[0], set.Spec.ReplicatedJobs[0]) {
		t.Error("the first Job has changed on the way")
	}
	if again := manifest(t, append([]string{"--format", "json"}, last...)...); !reflect.DeepEqual(readSet(t, again), set) {
		t.Error("as JSON it is another")
	}
}

// TestStagesRefused: what is no JobSet to append to, or would take another Job's markers.
func TestStagesRefused(t *testing.T) {
	dir := t.TempDir()
	base := []string{"--kind", "jobset", "--image", "b", "--completions", "2"}
	one := manifest(t, append(append([]string{"--name", "pipe", "--format", "json", "--replicated-job", "split", "--markers", "s3://b/m"}, base...), "--", "x")...)
	for _, tt := range []struct {
		name, file string
		flags      []string
		code       int
		says       string
	}{
		{"nothing", "", nil, 64, "--append-to"},
		{"YAML", "apiVersion: jobset.x-k8s.io/v1alpha2\n", nil, 64, "--format json"},
		{"a list", "[]", nil, 64, "--append-to"},
		{"two", one + one, nil, 64, "--append-to"},
		{"another kind", strings.Replace(one, `"JobSet"`, `"Job"`, 1), nil, 64, "no JobSet"},
		{"another version", strings.Replace(one, "v1alpha2", "v2", 1), nil, 64, "no JobSet"},
		{"no Jobs", `{"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": "a"}, "spec": {"replicatedJobs": []}}`, nil, 64, "no JobSet"},
		{"no names", `{"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": "a"}, "spec": {"replicatedJobs": [1, {"name": 2}]}}`, []string{"--depends-on", "split"}, 64, "--depends-on"},
		{"a field that is null", strings.Replace(one, `"kind"`, `"x": null, "kind"`, 1), nil, 64, "null"},
		{"a name that is taken", one, []string{"--replicated-job", "split"}, 64, "--replicated-job"},
		{"a name that is none", one, []string{"--replicated-job", "A_b"}, 64, "--replicated-job"},
		{"a name that is too long", one, []string{"--replicated-job", strings.Repeat("a", 50)}, 64, "characters"},
		{"no such Job", one, []string{"--depends-on", "splat"}, 64, "it has split"},
		{"no such state", one, []string{"--depends-on", "split:ready"}, 64, "neither Ready nor Complete"},
		{"twice", one, []string{"--depends-on", "split,split:Ready"}, 64, "twice"},
		{"the markers of another Job", one, []string{"--markers", "s3://b/m"}, 78, "--markers"},
		{"a name of its own", one, []string{"--name", "other"}, 78, "--name"},
	} {
		path := filepath.Join(dir, "set")
		if err := os.WriteFile(path, []byte(tt.file), 0o644); err != nil {
			t.Fatal(err)
		}
		args := append(append([]string{nth, "manifest", "--append-to", path}, base...), append(tt.flags, "--", "y")...)
		if stdout, stderr, code := run(t, nil, args...); code != tt.code || stdout != "" || !strings.Contains(stderr, tt.says) {
			t.Errorf("%s: exit code %d, want %d and %q: %s", tt.name, code, tt.code, tt.says, stderr)
		}
	}
}
