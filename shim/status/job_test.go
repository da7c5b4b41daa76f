package status

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
	"nth/shim/screen"
)

// aJob is a Job as kubectl prints it, with what a test wants of it.
func aJob(name, spec, status string) string {
	return fmt.Sprintf(`{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": %q, "namespace": "prod", "uid": "uid-%s"}, "spec": {"completionMode": "Indexed", %s}, "status": {%s}}`, name, name, spec, status)
}

func aPod(job string, index int, created, spec, status string) string {
	return fmt.Sprintf(`{"kind": "Pod", "metadata": {"name": "%s-%d-%s", "namespace": "prod", "creationTimestamp": %q, "annotations": {"batch.kubernetes.io/job-completion-index": "%d"},
		"labels": {"batch.kubernetes.io/job-name": %q}, "ownerReferences": [{"uid": "uid-%s"}]}, "spec": {%s}, "status": {%s}}`, job, index, created[14:16], created, index, job, job, spec, status)
}

func list(items ...string) string {
	return `{"apiVersion": "v1", "items": [` + strings.Join(items, ",") + `], "kind": "List", "metadata": {"resourceVersion": ""}}`
}

const (
	t0 = "2026-11-25T10:00:00Z"
	t1 = "2026-11-25T10:01:00Z"
	t2 = "2026-11-25T10:02:00Z"
)

func terminated(reason string, code int, message string) string {
	return fmt.Sprintf(`"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"reason": %q, "exitCode": %d, "finishedAt": %q, "message": %q}}}]`, reason, code, t1, message)
}

func waiting(reason string) string {
	return fmt.Sprintf(`"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": %q}}}]`, reason)
}

// joined is what a look says with a Job beside it.
func joined(t *testing.T, states, doc string) (*Report, string) {
	t.Helper()
	j, err := parseJob(strings.NewReader(doc), "")
	if err != nil {
		t.Fatal(err)
	}
	snap := snapOf(states, 0)
	for i, s := range states {
		if s == 'f' {
			snap.Failures[int64(i)] = time.Date(2026, 11, 25, 10, 0, 30, 0, time.UTC)
		}
	}
	r := &Report{}
	j.join(r, snap)
	return r, string(letters(snap.States))
}

func TestJob(t *testing.T) {
	for _, tt := range []struct {
		name, states, doc string
		want              string // states
		says, waiting     []string
	}{
		{"they agree", "dd..", list(aJob("j", `"completions": 4`, `"completedIndexes": "0,1"`)), "dd..", nil, nil},
		{"the Job alone", "dd..", aJob("j", `"completions": 4`, `"completedIndexes": "0,1"`), "dd..", nil, nil},
		{"completed without a marker", "d...", list(aJob("j", `"completions": 4`, `"completedIndexes": "0-2"`)), "d...", []string{"Kubernetes counts 1,2 as completed, there is no marker"}, nil},
		{"failed with a marker", "dd..", list(aJob("j", `"completions": 4`, `"failedIndexes": "1,3"`)), "dd.f", []string{"Kubernetes counts 1 as failed, there is a marker"}, nil},
		{"markers of before, while it runs", "dd..", list(aJob("j", `"completions": 4`, `"active": 2`)), "dd..", nil, nil},
		{"markers that it doesn't count", "dd..", list(aJob("j", `"completions": 4`, `"completedIndexes": "0", "conditions": [{"type": "Failed", "status": "True", "reason": "MaxFailedIndexesExceeded"}]`)),
			"dd..", []string{"there is a marker of 1, Kubernetes has ended without counting it as completed"}, nil},
		{"suspended", "dd..", list(aJob("j", `"completions": 4`, `"completedIndexes": "0", "conditions": [{"type": "Suspended", "status": "True", "reason": "JobSuspended"}, {"type": "Failed", "status": "False"}]`)), "dd..", nil, nil},
		{"more than there should be", "dd", list(aJob("j", `"completions": 4`, `"completedIndexes": "0-3"`)), "dd",
			[]string{"Kubernetes counts 2,3 as completed, which should not be there by --completions or --indexes"}, nil},
		{"pods", "dd.bfr.", list(aJob("j", `"completions": 7`, ``),
			aPod("j", 2, t0, `"nodeName": "n"`, `"phase": "Running"`), aPod("j", 3, t0, ``, terminated("OOMKilled", 137, "")),
			aPod("j", 4, t0, ``, terminated("Error", 3, "nth: index 4: x")), aPod("j", 6, t0, ``, waiting("ImagePullBackOff")),
			aPod("other", 0, t0, ``, `"phase": "Running"`)), "ddrffr.",
			[]string{"a claim of 5 is alive, Kubernetes has no running pod", "pod of 3: OOMKilled"}, []string{"pod of 6: ImagePullBackOff"}},
		{"the latest pod counts", "...", list(aJob("j", `"completions": 3`, ``),
			aPod("j", 0, t2, ``, `"phase": "Running"`), aPod("j", 0, t0, ``, terminated("OOMKilled", 137, "")),
			aPod("j", 1, t0, ``, terminated("Error", 1, "")), aPod("j", 1, t2, ``, waiting("Unschedulable"))), "rf.", nil, []string{"pod of 1: Unschedulable"}},
		{"what is done is done", "dd", list(aJob("j", `"completions": 2`, ``), aPod("j", 0, t0, ``, `"phase": "Running"`), aPod("j", 1, t0, ``, terminated("OOMKilled", 137, ""))), "dd", nil, nil},
		{"a repair Job, by its environment", "ddddd.....", list(aJob("j", `"completions": 2, "template": {"spec": {"containers": [{"env": [{"name": "NTH_INDEXES", "value": "3,7"}]}]}}`, `"completedIndexes": "0,1"`),
			aPod("j", 1, t0, ``, `"phase": "Running"`)), "ddddd..r..", []string{"Kubernetes counts 7 as completed, there is no marker"}, nil},
		{"a repair Job, by a flag", "ddddd.....", list(aJob("j", `"completions": 2, "template": {"spec": {"containers": [{"command": ["/nth", "run"], "args": ["--indexes", "5,9", "--", "x", "--indexes=0"]}]}}`, `"completedIndexes": "1"`)),
			"ddddd.....", []string{"Kubernetes counts 9 as completed, there is no marker"}, nil},
		{"nobody's pods", "..", list(aJob("j", `"completions": 2`, ``), `{"kind": "Pod", "metadata": {"name": "p"}, "status": {"phase": "Running"}}`, `{"kind": "Service"}`, `{}`), "..", nil, nil},
		{"null", "..", `{"kind": "Job", "metadata": null, "spec": null, "status": null, "items": null}`, "..", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, states := joined(t, tt.states, tt.doc)
			if diff := cmp.Diff(tt.want, states); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(append([]string{}, tt.says...), r.Kubernetes.Disagreements); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(append([]string{}, tt.waiting...), r.Kubernetes.Waiting); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestJobFailures: what only Kubernetes knows is a failure like any other.
func TestJobFailures(t *testing.T) {
	before := strings.Replace(terminated("OOMKilled", 137, ""), t1, t0, 1) // the record that there is was later
	r, _ := joined(t, "....ff", list(aJob("j", `"completions": 6`, ``), aPod("j", 5, t0, ``, before),
		aPod("j", 0, t0, `"nodeName": "n1"`, terminated("OOMKilled", 137, "")),
		aPod("j", 1, t0, ``, terminated("Error", 3, "nth: index 1: x\n")),
		aPod("j", 2, t0, ``, `"phase": "Failed", "reason": "Evicted", "message": "low on memory"`),
		aPod("j", 3, t0, ``, terminated("Error", 139, "")),
		aPod("j", 4, t0, ``, terminated("OOMKilled", 137, ""))))
	got := []string{}
	for _, f := range r.Failures {
		got = append(got, fmt.Sprintf("%d %s %s %s", f.Index, f.Reason, f.Text, f.Last))
	}
	want := []string{"0 oom killed by SIGKILL: out of memory ", "1 exit-3 exit code 3 nth: index 1: x", "2 evicted pod failed: Evicted low on memory", "3 SIGSEGV killed by SIGSEGV ",
		"4 oom killed by SIGKILL: out of memory "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if f := r.Failures[0]; f.Node != "n1" || f.Pod != "j-0-00" || !f.OOMKilled {
		t.Errorf("%+v", f)
	}
}

// TestPod: what a person is told of a pod.
func TestPod(t *testing.T) {
	for status, want := range map[string]string{
		`"phase": "Running"`:               "Running, on n1",
		terminated("Error", 3, ""):         "Failed: Error, exit code 3, on n1",
		waiting("ContainerCreating"):       "Pending, on n1",
		waiting("CreateContainerError"):    "Pending: CreateContainerError, on n1",
		`"phase": "Failed", "reason": "X"`: "Failed: X, on n1",
		`"phase": "Running", "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]`:                  "Running: OOMKilled, exit code 137, on n1",
		`"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"reason": "Error", "exitCode": 1}}}, {"state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]`:              "Failed: OOMKilled, exit code 137, on n1",
		`"phase": "Failed", "initContainerStatuses": [{"state": {"terminated": {"reason": "Error", "exitCode": 4}}}], "containerStatuses": [{"state": {"waiting": {"reason": "PodInitializing"}}}]`: "Failed: Error, exit code 4, on n1",
		`"phase": "Failed", "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]`:                                                                      "Failed: PreemptionByScheduler, on n1",
		`"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]`:                                                                                "Pending: Unschedulable, on n1",
	} {
		var o object
		if err := json.Unmarshal([]byte(aPod("j", 1, t0, `"nodeName": "n1"`, status)), &o); err != nil {
			t.Fatal(err)
		}
		p, ok := podOf(&o)
		if !ok || p.state() != want {
			t.Errorf("%s: %q, want %q", status, p.state(), want)
		}
	}
}

func TestJobIsRefused(t *testing.T) {
	two := list(aJob("a", `"completions": 2`, ``), aJob("b", `"completions": 3`, ``))
	for _, tt := range []struct{ name, doc, job, says string }{
		{"two", two, "", `there are 2 Jobs in it, such as "a" and "b"`},
		{"another", two, "c", `there is no Job "c" in it`},
		{"none", list(), "", "there is no Job in it"},
		{"nothing", "", "", "EOF"},
		{"cut short", two[:len(two)-9], "", "EOF"},
		{"a list", "[]", "", "no JSON object"},
		{"YAML", "kind: Job\n", "", "invalid character"},
		{"more behind it", two + "x", "a", "invalid character"},
		{"a table", "NAME   STATUS\nj      Running\n", "", "it is a table"},
		{"odd items", `{"items": {}}`, "", "items is no list"},
		{"odd indexes", list(aJob("a", `"completions": 2`, `"completedIndexes": "1-"`)), "", "its completedIndexes"},
		{"beyond its part", list(aJob("a", `"template": {"spec": {"containers": [{"env": [{"name": "NTH_INDEXES", "value": "3,7"}]}]}}`, `"completedIndexes": "2"`)), "", "beyond --indexes"},
		{"an endless part", list(aJob("a", `"template": {"spec": {"containers": [{"env": [{"name": "NTH_INDEXES", "value": "0-999999999999"}]}]}}`, ``)), "", "too many"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "job.json")
			if err := os.WriteFile(path, []byte(tt.doc), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := ReadJob(path, nil, tt.job)
			if err == nil || failure.From(err).Code != failure.Usage || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want code 64 and %q", err, tt.says)
			}
		})
	}
	if _, err := ReadJob("/no/such/file", nil, ""); err == nil || failure.From(err).Code != failure.Usage {
		t.Errorf("%v", err)
	}
	if j, err := parseJob(strings.NewReader(two), "b"); err != nil || j.of.Len() != 3 {
		t.Errorf("%v", err)
	}
}

// FuzzJob: whatever stands there, the states are states, and it ends.
func FuzzJob(f *testing.F) {
	f.Add(list(aJob("j", `"completions": 7`, `"completedIndexes": "0-2", "failedIndexes": "3"`), aPod("j", 3, t0, ``, terminated("OOMKilled", 137, "x"))))
	f.Add(aJob("j", `"template": {"spec": {"containers": [{"args": ["--indexes=3,7"]}]}}`, `"failedIndexes": "0-9223372036854775806"`))
	f.Add(list(aJob("j", `"completions": 9223372036854775807`, `"completedIndexes": "0-9223372036854775806"`), aPod("j", 9, t0, ``, waiting("x"))))
	f.Add("\xff\xfe{\x00}\x00")
	f.Add(aJob("j", `"completions": 7`, `"conditions": [{"type": "Suspended", "status": "True"}]`) + aPod("j", 1, t0, sidecarSpec, `"phase": "Failed", `+ofProxy))
	f.Add(`{"items": [{"kind": "Pod"}, null, {"kind": "Job", "status": {"conditions": [{}]}}]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		j, err := parseJob(strings.NewReader(doc), "")
		if err != nil {
			return
		}
		for d := json.NewDecoder(utf8Of(strings.NewReader(doc))); ; {
			var one any
			if err := d.Decode(&one); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%q was taken: %v", doc, err)
			}
		}
		snap := snapOf("d.fbrs....", 0)
		r := &Report{}
		j.join(r, snap)
		if strings.Trim(string(letters(snap.States)), "d.fbrs") != "" || snap.States[0] != Done || snap.States[5] != Skipped {
			t.Errorf("%q: %s", doc, letters(snap.States))
		}
		r.count(snap)
		r.Groups = groups(r.Failures)
		var b strings.Builder
		if err := r.WriteText(&b, 80); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(b.String(), "\n") {
			if columns(line) > 80 || screen.Clean(line) != line {
				t.Errorf("%q", line)
			}
		}
	})
}
