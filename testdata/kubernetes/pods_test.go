package kubernetes

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// expand replaces $(NAME) as the kubelet does (kubernetes
// third_party/forked/golang/expansion/expand.go), and what is behind another dollar byte
// by byte, as it did up to 1.34.
func expand(s string, vars map[string]string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '$' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		end := strings.IndexByte(s[i:], ')')
		switch {
		case s[i] == '$':
			b.WriteByte('$')
		case s[i] == '(' && end > 0:
			name := s[i+1 : i+end]
			value, ok := vars[name]
			if !ok {
				value = "$(" + name + ")"
			}
			b.WriteString(value)
			i += end
		default:
			b.WriteString("$" + string(rune(s[i])))
		}
	}
	return b.String()
}

// downward is what the downward API gives a pod of this Job.
func downward(t *testing.T, job *batchv1.Job, path string) string {
	t.Helper()
	values := map[string]string{
		"metadata.name": job.Name + "-0-abcde",
		"spec.nodeName": "node-7",
		"metadata.labels['batch.kubernetes.io/job-name']":                             job.Name,
		"metadata.labels['batch.kubernetes.io/controller-uid']":                       "uid-1",
		"metadata.annotations['batch.kubernetes.io/job-index-failure-count']":         "2",
		"metadata.annotations['batch.kubernetes.io/job-index-ignored-failure-count']": "",
	}
	value, ok := values[path]
	if !ok {
		t.Errorf("nothing is known of the field %s", path)
	}
	return value
}

// pod runs pod k of a Job as the kubelet would start it, but for nth's place, and for the
// variables that are given besides.
func pod(t *testing.T, job *batchv1.Job, k int, besides ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := work(t, job)
	vars := map[string]string{"JOB_COMPLETION_INDEX": strconv.Itoa(k)}
	for _, e := range c.Env {
		value := expand(e.Value, vars)
		if e.ValueFrom != nil {
			value = downward(t, job, e.ValueFrom.FieldRef.FieldPath)
		}
		vars[e.Name] = value
	}
	var env []string
	for name, value := range vars {
		if !slices.ContainsFunc(besides, func(e string) bool { return strings.HasPrefix(e, name+"=") }) {
			env = append(env, name+"="+value)
		}
	}
	words := []string{nth}
	for _, w := range append(c.Command[1:], c.Args...) {
		words = append(words, expand(w, vars))
	}
	return run(t, append(env, besides...), words...)
}

func work(t *testing.T, job *batchv1.Job) *corev1.Container {
	t.Helper()
	if n := len(job.Spec.Template.Spec.Containers); n != 1 {
		t.Fatalf("the pod has %d containers", n)
	}
	return &job.Spec.Template.Spec.Containers[0]
}

// echo is a command that tells what it saw: how many arguments, these, and its variables.
func echo(args ...string) []string {
	return append([]string{"sh", "-c", `printf '%s\0' $# "$@"; env -0`, "sh"}, args...)
}

// ran is what a pod's command saw.
type ran struct {
	args []string
	env  map[string]string
}

// saw runs a pod whose command is echo.
func saw(t *testing.T, job *batchv1.Job, k int, besides ...string) ran {
	t.Helper()
	stdout, stderr, code := pod(t, job, k, besides...)
	parts := strings.Split(stdout, "\x00")
	n, err := strconv.Atoi(parts[0])
	if code != 0 || err != nil || n >= len(parts) {
		t.Fatalf("pod %d: exit code %d, %q: %s", k, code, stdout, stderr)
	}
	r := ran{args: parts[1 : n+1], env: map[string]string{}}
	for _, e := range parts[n+1:] {
		name, value, _ := strings.Cut(e, "=")
		r.env[name] = value
	}
	return r
}
