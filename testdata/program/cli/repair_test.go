package cli

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"nth/testdata/program"
)

// firstJob is a Job and its pods as kubectl prints them: that of index 3 was killed whole,
// so that nobody was left to write a record.
const firstJob = `{"kind": "List", "items": [
	{"kind": "Job", "metadata": {"name": "sizes", "uid": "u"}, "spec": {"completions": 5, "template": {"spec": {"containers": [
		{"name": "proxy", "resources": {"limits": {"memory": "7Gi"}}},
		{"name": "work", "command": ["/nth", "run"], "resources": {"requests": {"memory": "1500Mi", "cpu": 1}, "limits": {"memory": "2Gi", "nvidia.com/gpu": "1"}}}]}}}},
	{"kind": "Pod", "metadata": {"name": "sizes-3-x", "annotations": {"batch.kubernetes.io/job-completion-index": "3"}, "ownerReferences": [{"uid": "u"}]},
		"spec": {"containers": [{"name": "work", "command": ["/nth", "run"], "resources": {"limits": {"memory": "9Gi"}}}]},
		"status": {"phase": "Failed", "containerStatuses": [{"name": "work", "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2100-01-01T00:00:00Z"}}}]}}]}`

// TestRepairWithMore: what has failed for one reason is to run again with more of what it
// lacked, as the Job had it that is repaired.
func TestRepairWithMore(t *testing.T) {
	dir := t.TempDir()
	markers, job := "file://"+dir+"/m?create_dir=true", filepath.Join(dir, "job.json")
	if err := os.WriteFile(job, []byte(firstJob), 0o644); err != nil {
		t.Fatal(err)
	}
	const work = `case <<.Index>> in 1) exit 3;; 2) exec sleep 1000;; 3) exit 0;; esac`
	for index, want := range map[string]int{"0": 0, "1": 3, "2": 124} {
		if _, stderr, code := program.Nth(t, nil, "run", "--completions=5", "--index="+index, "--markers="+markers, "--timeout="+cmp.Or(map[string]string{"2": "200ms"}[index], "0s"), "--", "sh", "-c", work); code != want {
			t.Fatalf("index %s: exit code %d: %s", index, code, stderr)
		}
	}
	type amounts map[string]string
	type needs struct{ Requests, Limits amounts }
	for _, tt := range []struct {
		name    string
		flags   []string
		indexes string // "": there is no manifest
		needs   needs
		code    int
		says    []string
	}{
		{name: "nothing more", flags: []string{"--failed"}, indexes: "1,2"},
		{name: "of one reason", flags: []string{"--failed", "--reason=exit-3"}, indexes: "1"},
		{name: "of another", flags: []string{"--failed", "--reason=timeout", "--requests=cpu=100m", "--cpu=1.5x"}, indexes: "2",
			needs: needs{Requests: amounts{"cpu": "150m"}}, says: []string{"cpu 1.5x: request 150m instead of 100m"}},
		{name: "of none", flags: []string{"--failed", "--reason=oom"}, code: 1, says: []string{`reason "oom"`, "there are exit-3, timeout"}},
		{name: "what only Kubernetes knows", flags: []string{"--failed", "--reason=oom", "--memory=2x", "--kubernetes=" + job}, indexes: "3",
			needs: needs{amounts{"memory": "3000Mi", "cpu": "1"}, amounts{"memory": "4Gi", "nvidia.com/gpu": "1"}},
			says:  []string{"memory 2x: request 3000Mi instead of 1500Mi, limit 4Gi instead of 2Gi"}},
		{name: "all that has failed", flags: []string{"--failed", "--cpu=2.5x", "--kubernetes=" + job}, indexes: "1-3",
			needs: needs{amounts{"memory": "1500Mi", "cpu": "2500m"}, amounts{"memory": "2Gi", "nvidia.com/gpu": "1"}}},
		{name: "what is said wins", flags: []string{"--missing", "--memory=1.1x", "--limits=memory=10G", "--kubernetes=" + job}, indexes: "1-4",
			needs: needs{amounts{"memory": "1650Mi", "cpu": "1"}, amounts{"memory": "11G", "nvidia.com/gpu": "1"}}},
		{name: "of different units", flags: []string{"--failed", "--requests=memory=1Gi", "--limits=memory=1073741824", "--memory=1.3x"}, indexes: "1,2",
			needs: needs{amounts{"memory": "1332Mi"}, amounts{"memory": "1332Mi"}}},
		{name: "of nothing", flags: []string{"--failed", "--memory=2x"}, code: 78, says: []string{"--memory", "no request and no limit of memory", "--kubernetes"}},
		{name: "no times", flags: []string{"--failed", "--requests=memory=1Gi", "--memory=2Gi"}, code: 64, says: []string{"--memory", "2x"}},
		{name: "no reason", flags: []string{"--missing", "--reason=oom"}, code: 78, says: []string{"--reason"}},
		{name: "no Job", flags: []string{"--failed", "--memory=2x", "--kubernetes=" + dir + "/none"}, code: 64, says: []string{"--kubernetes"}},
		{name: "too much", flags: []string{"--failed", "--requests=memory=1Ei", "--memory=9x"}, code: 64, says: []string{"--memory", "more than Kubernetes takes"}},
	} {
		args := append([]string{"manifest", "--format=json", "--completions=5", "--job=sizes", "--image=busybox:1.36", "--markers=file://" + dir + "/m"}, tt.flags...)
		stdout, stderr, code := program.Nth(t, nil, append(args, "--", "work", "<<.Index>>")...)
		if code != tt.code || (stdout == "") != (tt.code != 0) {
			t.Errorf("%s: exit code %d, want %d: %s", tt.name, code, tt.code, stderr)
			continue
		}
		for _, says := range tt.says {
			if !strings.Contains(stderr, says) {
				t.Errorf("%s: it doesn't say %q: %s", tt.name, says, stderr)
			}
		}
		if code != 0 {
			continue
		}
		var doc struct {
			Spec struct {
				Template struct {
					Spec struct {
						Containers []struct {
							Env       []struct{ Name, Value string }
							Resources needs
						}
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(stdout), &doc); err != nil {
			t.Fatal(err)
		}
		work := doc.Spec.Template.Spec.Containers[0]
		indexes := ""
		for _, e := range work.Env {
			if e.Name == "NTH_INDEXES" {
				indexes = e.Value
			}
		}
		if diff := gocmp.Diff(tt.indexes, indexes) + gocmp.Diff(tt.needs, work.Resources); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
