package kubernetes

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/core"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
)

// TestTogether: each two flags, for each kind, give what Kubernetes accepts, or are refused
// as flags that don't go together; and so do all of them.
func TestTogether(t *testing.T) {
	sidecar := filepath.Join(t.TempDir(), "proxy.json")
	if err := os.WriteFile(sidecar, []byte(`{"name": "proxy", "image": "proxy:1", "command": ["/proxy"], "securityContext": {"runAsNonRoot": true, "allowPrivilegeEscalation": false,
		"readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	flags := [][]string{
		{"--queue-name", "gpu.high"}, {"--queue-name", "q", "--workload-priority-class", "urgent"}, {"--priority-class", "batch-low"}, {"--restart-in-place", "--active-deadline", "6h"},
		{"--node-selector", "kubernetes.io/arch=arm64,disk="}, {"--toleration", "spot=true:NoSchedule,gpu,a.b/c:NoExecute,d=e"}, {"--sidecar", sidecar}, {"--success-policy", "0-2,count=2"},
		{"--ttl", "0s"}, {"--user", "1000"}, {"--via", "image-volume"}, {"--via", "copy"}, {"--requests", "cpu=1,nvidia.com/gpu=2", "--limits", "nvidia.com/gpu=2"},
		{"--volume", "pvc/data:/data", "--volume", "emptydir:/tmp"}, {"--env-from", "secret/s", "--service-account", "robot"}, {"--namespace", "batch"}, {"--max-failed", "100%", "--parallelism", "2"},
		{"--indexes", "1,3"}, {"--kubernetes-version", "1.35"}, {"--format", "json"}, {"--markers", "s3://b/<<.Job>>"},
	}
	kinds := [][]string{{}, {"--kind", "cronjob", "--schedule", "@daily"}, {"--kind", "jobset", "--replicas", "2", "--replicated-job", "crunch"}}
	count := map[int]int{}
	try := func(kind []string, of ...[]string) {
		args := append([]string{nth, "manifest", "--name", "t", "--job", "t", "--completions", "5", "--image", "b"}, slices.Concat(kind, slices.Concat(of...))...)
		stdout, stderr, code := run(t, nil, append(args, append([]string{"--"}, echo("<<.Index>>")...)...)...)
		switch count[code]++; {
		case code == 0:
			decode(t, stdout)
		case stdout != "" || code != 78 && code != 64:
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
	}
	for _, kind := range kinds {
		for i, a := range flags {
			try(kind, a)
			for _, b := range flags[i+1:] {
				try(kind, a, b)
			}
		}
		try(kind, append(slices.Clone(flags[1:11]), flags[12:17]...)...)
	}
	if count[0] < 550 || count[64]+count[78] == 0 {
		t.Errorf("exit codes and how often: %v", count)
	}
}

// odd are names and values that are right here and wrong there.
var odd = []string{"", " ", "a", "A", "1", "-a", "a-", "a_b", "a.b", ".a", "a..b", "a b", "a/b", "a/b/c", "/a", "a/", "A/b", "a.b/C_d", "-/a", "é", "日本", "a\nb", "a'b", `a"b`, "$(A)", "$$", "yes", "null", "~", "1e3",
	strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 127), strings.Repeat("a", 253), strings.Repeat("a", 254), strings.Repeat("a", 253) + "/b", strings.Repeat("a", 254) + "/b",
	"kubernetes.io/os", "a:b", "a=b", "a,b", "<<.Index>>", "true", "0", "x:NoSchedule"}

// TestOdd: a flag takes just what Kubernetes does, whose own code is the judge.
func TestOdd(t *testing.T) {
	at := field.NewPath("x")
	tolerates := func(key, value, effect string) bool {
		op := core.TolerationOpEqual
		return len(corevalidation.ValidateTolerations([]core.Toleration{{Key: key, Operator: op, Value: value, Effect: core.TaintEffect(effect)}}, at, corevalidation.PodValidationOptions{})) == 0
	}
	subdomain := func(s string) bool { return len(validation.IsDNS1123Subdomain(s)) == 0 }
	short := func(s string) bool { return subdomain(s) && len(validation.IsValidLabelValue(s)) == 0 } // kueue pkg/controller/jobframework/validation.go
	type spec = corev1.PodSpec
	for _, f := range []struct {
		flag  string
		value func(string) string // what stands behind the flag
		takes func(string) bool
		got   func(*spec) string
		not   string // what means something else there
	}{
		{"--node-selector", func(s string) string { return s + "=v" }, func(s string) bool { return len(metav1validation.ValidateLabels(map[string]string{s: "v"}, at)) == 0 },
			func(p *spec) string { return onlyKey(p.NodeSelector) }, "=,"},
		{"--node-selector", func(s string) string { return "k=" + s }, func(s string) bool { return len(metav1validation.ValidateLabels(map[string]string{"k": s}, at)) == 0 },
			func(p *spec) string { return p.NodeSelector["k"] }, ","},
		{"--toleration", func(s string) string { return s + "=v" }, func(s string) bool { return tolerates(s, "v", "") }, func(p *spec) string { return p.Tolerations[0].Key }, "=,:"},
		{"--toleration", func(s string) string { return "k=" + s }, func(s string) bool { return tolerates("k", s, "") }, func(p *spec) string { return p.Tolerations[0].Value }, ":,"},
		{"--toleration", func(s string) string { return "k=v:" + s }, func(s string) bool { return s != "" && tolerates("k", "v", s) }, func(p *spec) string { return string(p.Tolerations[0].Effect) }, ","},
		{"--priority-class", nil, func(s string) bool { return len(corevalidation.ValidatePriorityClassName(s, false)) == 0 }, func(p *spec) string { return p.PriorityClassName }, ""},
		{"--queue-name", nil, short, nil, ""},
		{"--queue-name=q --workload-priority-class", nil, short, nil, ""},
	} {
		for _, s := range append(slices.Clone(odd), "NoSchedule", "NoExecute", "PreferNoSchedule", "noschedule") {
			if strings.ContainsAny(s, f.not) && f.not != "" {
				continue
			}
			value := s
			if f.value != nil {
				value = f.value(s)
			}
			words := strings.Fields(f.flag)
			words[len(words)-1] += "=" + value
			words = append(append([]string{nth, "manifest", "--name", "o", "--completions", "1", "--image", "b"}, words...), append([]string{"--"}, echo("<<.Index>>")...)...)
			stdout, stderr, code := run(t, nil, words...)
			if code != 0 {
				if f.takes(s) || code != 64 || stdout != "" || !strings.Contains(stderr, strings.Fields(f.flag)[len(strings.Fields(f.flag))-1]) {
					t.Errorf("%s %q: exit code %d: %s", f.flag, value, code, stderr)
				}
				continue
			}
			job := decode(t, stdout)
			if !f.takes(s) || f.got != nil && f.got(&job.Spec.Template.Spec) != s {
				t.Errorf("%s %q is taken, and Kubernetes doesn't, or has another: %v", f.flag, value, job.Spec.Template.Spec.NodeSelector)
			}
		}
	}
}

func onlyKey(of map[string]string) string {
	for key := range of {
		return key
	}
	return ""
}

// TestPlacement: where the pods may be, and what the Job's queue and class are.
func TestPlacement(t *testing.T) {
	of := func(kind ...string) []string {
		return append(append([]string{"--name", "p", "--completions", "2", "--image", "b", "--queue-name", "gpu", "--workload-priority-class", "urgent", "--priority-class", "low",
			"--node-selector", "a=1,b=x", "--toleration", "c=1:NoSchedule", "--toleration", "d:NoExecute,e"}, kind...), append([]string{"--"}, echo("<<.Index>>")...)...)
	}
	for _, kind := range [][]string{nil, {"--kind", "cronjob", "--schedule", "@daily"}, {"--kind", "jobset"}} {
		text := manifest(t, of(kind...)...)
		job := decode(t, text)
		want := []corev1.Toleration{{Key: "c", Operator: "Equal", Value: "1", Effect: "NoSchedule"}, {Key: "d", Operator: "Exists", Effect: "NoExecute"}, {Key: "e", Operator: "Exists"}}
		p := job.Spec.Template.Spec
		if !slices.Equal(p.Tolerations, want) || p.NodeSelector["a"] != "1" || p.NodeSelector["b"] != "x" || p.PriorityClassName != "low" {
			t.Errorf("%+v", p)
		}
		labels, suspended := job.Labels, job.Spec.Suspend
		if len(kind) == 2 {
			set := readSet(t, text)
			labels, suspended = set.Labels, set.Spec.Suspend
		}
		if labels["kueue.x-k8s.io/queue-name"] != "gpu" || labels["kueue.x-k8s.io/priority-class"] != "urgent" || suspended == nil || !*suspended {
			t.Errorf("%v: labels %v, suspended %v", kind, labels, suspended)
		}
	}
	if job := decode(t, manifest(t, "--name", "p", "--completions", "1", "--image", "b", "--", "x")); job.Spec.Suspend != nil || len(job.Labels) > 0 || job.Spec.Template.Spec.Containers[0].RestartPolicy != nil {
		t.Errorf("what nobody asked for: %+v", job)
	}
}
