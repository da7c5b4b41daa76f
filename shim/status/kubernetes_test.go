package status

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// A pod of nth's container, a native sidecar, and another container beside it.
const (
	sidecarSpec = `"initContainers": [{"name": "nth"}, {"name": "proxy", "restartPolicy": "Always"}], "containers": [{"name": "log"}, {"name": "main", "command": ["/shared/nth", "run", "--"]}]`
	ofProxy     = `"initContainerStatuses": [{"name": "nth", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}, {"name": "proxy", "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]`
)

func ended(name string, code, reason string) string {
	return `{"name": "` + name + `", "state": {"terminated": {"exitCode": ` + code + `, "reason": "` + reason + `", "finishedAt": "` + t1 + `"}}}`
}

// TestWhichContainer: the one that runs nth tells how the item ended.
func TestWhichContainer(t *testing.T) {
	for _, tt := range []struct{ name, job, spec, status, want string }{
		{"a native sidecar is killed", ``, sidecarSpec, `"phase": "Failed", ` + ofProxy + `, "containerStatuses": [` + ended("log", "0", "Completed") + "," + ended("main", "3", "Error") + `]`, "exit-3"},
		{"another container fails first", ``, sidecarSpec, `"phase": "Failed", "containerStatuses": [` + ended("log", "143", "Error") + "," + ended("main", "3", "Error") + `]`, "exit-3"},
		{"nothing else is known", ``, sidecarSpec, `"phase": "Failed", "containerStatuses": [` + ended("log", "9", "Error") + "," + ended("main", "0", "Completed") + `]`, "exit-9"},
		{"an init container fails", ``, sidecarSpec, `"phase": "Failed", "initContainerStatuses": [` + ended("nth", "4", "Error") + `], "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "PodInitializing"}}}]`, "exit-4"},
		{"by the manifest's name", ``, `"containers": [{"name": "a"}, {"name": "work"}]`, `"phase": "Failed", "containerStatuses": [` + ended("a", "137", "OOMKilled") + "," + ended("work", "3", "Error") + `]`, "exit-3"},
		{"by its variables", ``, `"containers": [{"name": "a"}, {"name": "b", "env": [{"name": "NTH_MARKERS"}]}]`, `"phase": "Failed", "containerStatuses": [` + ended("a", "1", "Error") + "," + ended("b", "3", "Error") + `]`, "exit-3"},
		{"by the policy", `"podFailurePolicy": {"rules": [{"onPodConditions": []}, {"onExitCodes": {"containerName": "b"}}]},`, `"containers": [{"name": "a"}, {"name": "b"}]`,
			`"phase": "Failed", "containerStatuses": [` + ended("a", "1", "Error") + "," + ended("b", "3", "Error") + `]`, "exit-3"},
		{"nobody knows which", ``, `"containers": [{"name": "a"}, {"name": "b"}]`, `"phase": "Failed", "containerStatuses": [` + ended("a", "1", "Error") + "," + ended("b", "3", "Error") + `]`, "exit-1"},
		{"a child was killed alone", ``, sidecarSpec, `"phase": "Failed", "containerStatuses": [` + ended("main", "3", "OOMKilled") + `]`, "oom: exit code 3: out of memory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := joined(t, ".", list(aPod("j", 0, t0, tt.spec, tt.status), aJob("j", tt.job+`"completions": 1`, ``)))
			if len(r.Failures) != 1 {
				t.Fatalf("%+v", r.Failures)
			}
			f := r.Failures[0]
			if got := f.Reason + ": " + f.Text; got != tt.want && f.Reason != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestRecordStays: what nth recorded of a pod isn't replaced by what ended beside it, or
// by the end of its own container a moment later.
func TestRecordStays(t *testing.T) {
	at := time.Date(2026, 11, 25, 10, 0, 30, 0, time.UTC) // before the containers' end
	for _, pod := range []string{"j-0-00", "j-0"} {       // its name, and the host name of all pods of the index
		j, err := parseJob(strings.NewReader(list(aJob("j", `"completions": 1`, ``), aPod("j", 0, t0, sidecarSpec,
			`"phase": "Failed", `+ofProxy+`, "containerStatuses": [`+ended("main", "3", "Error")+`]`))), "")
		if err != nil {
			t.Fatal(err)
		}
		snap := snapOf("f", 0)
		snap.Failures[0] = at
		record := Failure{Reason: "exit-3", Text: "exit code 3", Pod: pod, At: at, Last: "disk full"}
		r := &Report{Failures: []Failure{record}}
		j.join(r, snap)
		if diff := cmp.Diff([]Failure{record}, r.Failures); diff != "" {
			t.Errorf("%s: %s", pod, diff)
		}
	}
}

// TestPodStates: who is at work, and who isn't any more.
func TestPodStates(t *testing.T) {
	failed := aPod("j", 0, t0, ``, terminated("OOMKilled", 137, ""))
	deleted := strings.Replace(aPod("j", 0, t2, ``, `"phase": "Running"`), `"namespace"`, `"deletionTimestamp": "`+t2+`", "namespace"`, 1)
	beside := `"phase": "Running", "containerStatuses": [{"name": "log", "state": {"running": {}}}, `
	for _, tt := range []struct {
		name, was string
		pods      []string
		want      string // the state, and the failures
	}{
		{"it runs", ".", []string{aPod("j", 0, t0, ``, `"phase": "Running"`)}, "r"},
		{"being deleted", ".", []string{deleted}, "b"},
		{"being deleted, with a failure before", "f", []string{deleted}, "f"},
		{"its container has ended well", "b", []string{aPod("j", 0, t0, sidecarSpec, beside+ended("main", "0", "Completed")+`]`)}, "b"},
		{"its container has failed, a sidecar runs on", ".", []string{aPod("j", 0, t0, sidecarSpec, beside+ended("main", "3", "Error")+`]`)}, "f exit-3"},
		{"a sidecar has ended, it runs", ".", []string{aPod("j", 0, t0, sidecarSpec, `"phase": "Running", "containerStatuses": [`+ended("log", "1", "Error")+`, {"name": "main", "state": {"running": {}}}]`)}, "r"},
		{"killed before, runs again", "b", []string{aPod("j", 0, t2, ``, `"phase": "Running"`), failed}, "r oom again"},
		{"killed before, waits again", ".", []string{failed, aPod("j", 0, t2, ``, waiting("Unschedulable"))}, "f oom"},
		{"killed before, being deleted now", ".", []string{failed, deleted}, "f oom"},
		{"told twice", ".", []string{failed, failed}, "f oom"},
		{"it waits", ".", []string{aPod("j", 0, t2, ``, waiting("Unschedulable"))}, "."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, got := joined(t, tt.was, list(append(tt.pods, aJob("j", `"completions": 1`, ``))...))
			for _, f := range r.Failures {
				if got += " " + f.Reason; f.Again {
					got += " again"
				}
			}
			if got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
	j, err := parseJob(strings.NewReader(list(failed, deleted, aJob("j", `"completions": 1`, ``))), "")
	if err != nil {
		t.Fatal(err)
	}
	i, snap := &Item{}, snapOf("b", 0)
	if j.joinItem(i, snap); len(i.Pods) != 2 || snap.States[0] != Failed {
		t.Errorf("%c, %+v", snap.States[0], i.Pods)
	}
}

// TestConditions: why the Job is as it is.
func TestConditions(t *testing.T) {
	condition := func(all ...string) string {
		for i := range all {
			kind, reason, _ := strings.Cut(all[i], ":")
			all[i] = `{"type": "` + kind + `", "status": "True", "reason": "` + reason + `"}`
		}
		return `"completedIndexes": "0", "conditions": [` + strings.Join(all, ",") + `]`
	}
	runs := aPod("j", 1, t0, ``, `"phase": "Running"`)
	for _, tt := range []struct {
		name, status, pod string
		condition         string
		conditions, notes []string
	}{
		{"suspended", condition("Suspended:JobSuspended"), "", "", []string{"Suspended: JobSuspended"}, []string{"the Job is suspended: what that stopped has a failure record, which Kubernetes doesn't count as a failure"}},
		{"about to fail", condition("FailureTarget:DeadlineExceeded"), runs, "", []string{"FailureTarget: DeadlineExceeded"}, nil},
		{"failed", condition("FailureTarget:DeadlineExceeded", "Failed:DeadlineExceeded"), "", "Failed: DeadlineExceeded", nil,
			[]string{"Kubernetes has ended the Job without 1,2, which it counts neither as completed nor as failed"}},
		{"by its success policy", condition("SuccessCriteriaMet:SuccessPolicy", "Complete:SuccessPolicy"), "", "Complete: SuccessPolicy", nil,
			[]string{"Kubernetes has ended the Job without 1,2, which it counts neither as completed nor as failed"}},
		{"no pod", `"completedIndexes": "0"`, "", "", nil, []string{"the Job has no pod: kubectl describe job j tells why, such as a quota, or a namespace whose Pod Security Standard refuses it"}},
		{"pods that aren't shown", `"active": 2, "completedIndexes": "0"`, "", "", nil, nil},
		{"it runs", `"completedIndexes": "0"`, runs, "", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			items := []string{aJob("j", `"completions": 3`, tt.status)}
			if tt.pod != "" {
				items = append(items, tt.pod)
			}
			r, _ := joined(t, "d..", list(items...))
			k := r.Kubernetes
			if diff := cmp.Diff(&Kubernetes{Name: "j", Namespace: "prod", Completed: "0", Condition: tt.condition, Conditions: tt.conditions, Notes: tt.notes, Disagreements: []string{}, Waiting: []string{}}, k); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestQueueOfJob: a queue's Job has workers for indexes, which no marker is of.
func TestQueueOfJob(t *testing.T) {
	template := func(container string) string {
		return `"completions": 3, "template": {"spec": {"containers": [{` + container + `}]}}`
	}
	for container, want := range map[string]bool{
		`"env": [{"name": "NTH_TASKS", "value": "redis://r/0?queue=q"}]`:                                                             true,
		`"command": ["/nth", "run", "--tasks=postgres://p/db?table=t", "--", "x"]`:                                                   true,
		`"env": [{"name": "NTH_TASKS", "value": "https://api/take"}, {"name": "NTH_KEEP_URL", "value": "https://api/keep/{id}"}]`:    true,
		`"env": [{"name": "NTH_TASKS", "value": "https://api/take"}, {"name": "NTH_DONE_URL", "valueFrom": {"secretKeyRef": null}}]`: true,
		`"env": [{"name": "NTH_TASKS", "value": "https://api/items/<<.Index>>"}]`:                                                    false,
		`"env": [{"name": "NTH_TASKS", "value": "s3://b/rows.csv"}, {"name": "NTH_EACH", "value": "true"}]`:                          false,
		`"command": ["/nth", "run", "--", "x", "--tasks=redis://r/0?queue=q"]`:                                                       false,
	} {
		r, _ := joined(t, "...", list(aJob("j", template(container), `"completedIndexes": "0-2", "conditions": [{"type": "Complete", "status": "True"}]`)))
		if told := len(r.Kubernetes.Disagreements) == 0; told != want {
			t.Errorf("%s: %q", container, r.Kubernetes.Disagreements)
		}
	}
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	put(t, s, "done/tasks/"+strings.Repeat("a", keyLen)+".json", "{}")
	look := func(container, status string, pods ...string) (string, int) {
		t.Helper()
		job := list(append(pods, aJob("j", template(container), status))...)
		p := parsed{maxFailed: func(int64) int64 { return 0 }}
		o := Options{Store: s, Policy: once}
		var err error
		if o.Kubernetes, err = parseJob(strings.NewReader(job), ""); err != nil {
			t.Fatal(err)
		}
		if o.Of, err = p.indexes(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		r, snap, err := Look(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return r.Lists.Failed, p.code(r.Counts, snap, r.Kubernetes)
	}
	url, secret := `"env": [{"name": "NTH_TASKS", "value": "redis://r/0?queue=q"}]`, `"env": [{"name": "NTH_TASKS", "valueFrom": {"secretKeyRef": {"name": "q"}}}]`
	complete := `"completedIndexes": "0-2", "conditions": [{"type": "Complete", "status": "True"}]`
	for _, tt := range []struct {
		name, container, status string
		pods                    []string
		failed                  string
		code                    int
	}{
		{"all is done", url, complete, nil, "", 0},
		{"its URL is a secret", secret, complete, nil, "", 0},
		{"workers work", url, `"active": 3`, nil, "", 1},
		{"a worker was killed", url, `"active": 3`, []string{aPod("j", 1, t0, ``, terminated("OOMKilled", 137, ""))}, "1", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if failed, code := look(tt.container, tt.status, tt.pods...); failed != tt.failed || code != tt.code {
				t.Errorf("failed %q, code %d", failed, code)
			}
		})
	}
}

func utf16Of(s string, order binary.AppendByteOrder) string {
	b := []byte{}
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// TestAsPeopleHaveIt: what shells and clients make of kubectl's output.
func TestAsPeopleHaveIt(t *testing.T) {
	job, pod := aJob("j", `"completions": 2, "template": {"spec": {"containers": [{"name": "work"}]}}`, ``), aPod("j", 0, t0, `"nodeName": "n\u00f6d\ud83d\ude00", "containers": [{"name": "work"}]`, `"phase": "Running"`)
	raw := strings.Replace(pod, `n\u00f6d\ud83d\ude00`, "nöd😀", 1)
	bare := func(s, kind string) string { return strings.Replace(s, `"kind": "`+kind+`", `, "", 1) }
	for name, doc := range map[string]string{
		"one list":                  list(job, raw),
		"a mark":                    "\ufeff" + list(job, raw),
		"UTF-16 with a mark":        utf16Of("\ufeff"+list(job, raw)+"\r\n", binary.LittleEndian),
		"UTF-16, the other order":   utf16Of("\ufeff"+list(job, raw), binary.BigEndian),
		"UTF-16 without a mark":     utf16Of(list(job, raw), binary.LittleEndian),
		"BE without a mark":         utf16Of(list(job, raw), binary.BigEndian),
		"one after the other":       job + "\n" + list(pod),
		"pods first":                list(pod) + job,
		"lists with kinds":          `{"kind": "JobList", "items": [` + bare(job, "Job") + `]}{"items": [` + bare(pod, "Pod") + `], "kind": "PodList"}`,
		"printed twice":             list(job, pod) + list(job, pod),
		"UTF-16 in UTF-16's halves": utf16Of("\ufeff"+job+"\n"+list(raw), binary.LittleEndian),
	} {
		j, err := parseJob(strings.NewReader(doc), "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p := j.latest(0); p == nil || p.Node != "nöd😀" || !p.running() || j.of.Len() != 2 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
