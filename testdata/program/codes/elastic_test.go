package codes

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/program"
)

// pod is the environment of an index's pod, by a template that was written for five.
func pod(index int) []string {
	return []string{"JOB_COMPLETION_INDEX=" + strconv.Itoa(index), "NTH_COMPLETIONS=5", "NTH_JOB=grows"}
}

// TestGrownJob: a Job's completions can be raised, and its pod template can't be changed. The
// new indexes run where nothing of the command needs the number, and are told none; where
// something does, they fail by themselves, and no part of the others is theirs.
func TestGrownJob(t *testing.T) {
	rows := filepath.Join(t.TempDir(), "rows.txt")
	if err := os.WriteFile(rows, []byte(strings.Repeat("row\n", 20)), 0o644); err != nil {
		t.Fatal(err)
	}
	show := []string{"--", "sh", "-c", `echo "$1 ${NTH_ITEM_COMPLETIONS-none}"`, "sh", "<<.Index>>"}
	for _, tt := range []struct {
		name string
		env  []string
		args []string
		code int
		out  string
		says string
		// grown: a line says so.
		grown bool
	}{
		{name: "nothing needs it", env: pod(7), args: show, out: "7 none\n", grown: true},
		{name: "an old index", env: pod(4), args: show, out: "4 5\n"},
		{name: "the row of its own", env: pod(7), args: append([]string{"--tasks=file://" + rows}, show...), out: "7 none\n", grown: true},
		{name: "the command needs it", env: pod(7), args: []string{"--", "echo", "<<.Index>> of <<.Completions>>"}, code: 65, says: "index 7 lies beyond", grown: true},
		{name: "a default doesn't stand in for it", env: pod(7), args: []string{"--", "echo", "<<.Completions | default 5>>"}, code: 65, says: "index 7 lies beyond", grown: true},
		{name: "a variable needs it", env: pod(7), args: []string{"--env=N=<<.Completions>>", "--", "true"}, code: 65, says: "index 7 lies beyond", grown: true},
		{name: "the markers' place needs it", env: pod(7), args: []string{"--markers=file:///no/<<.Completions>>", "--", "true"}, code: 65, says: "index 7 lies beyond", grown: true},
		{name: "items are shared out", env: pod(7), args: []string{"--items=100", "--", "echo", "<<.Shard.Start>>"}, code: 65, says: "share out --items among 5", grown: true},
		{name: "items one by one", env: pod(7), args: []string{"--items=100", "--each", "--", "echo", "<<.Item>>"}, code: 65, says: "share out --each among 5", grown: true},
		{name: "rows one by one", env: pod(7), args: []string{"--tasks=file://" + rows, "--each", "--", "echo", "<<.Task>>"}, code: 65, says: "share out --each among 5", grown: true},
		{name: "a list of indexes", env: pod(7), args: []string{"--indexes=1,3", "--", "true"}, code: 78, says: "2 indexes"},
		{name: "an offset", env: pod(4), args: []string{"--index-offset=3", "--", "true"}, code: 65, says: "5 completions"},
		{name: "in a pod whose template has the flag", env: []string{"JOB_COMPLETION_INDEX=7", "KUBERNETES_SERVICE_HOST=10.0.0.1"}, args: append([]string{"--completions=5"}, show...), out: "7 none\n", grown: true},
		{name: "the flag by hand", env: []string{"JOB_COMPLETION_INDEX=7"}, args: []string{"--completions=5", "--", "true"}, code: 65, says: "5 completions"},
		{name: "by hand", env: []string{"NTH_INDEX=7", "NTH_COMPLETIONS=5"}, args: []string{"--", "true"}, code: 65, says: "5 completions"},
		{name: "another platform", env: []string{"CLOUD_RUN_TASK_INDEX=7", "CLOUD_RUN_TASK_COUNT=8", "NTH_COMPLETIONS=5"}, args: []string{"--", "true"}, code: 65, says: "5 completions"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, stderr, code := program.Nth(t, tt.env, append([]string{"run", "--log-format=console"}, tt.args...)...)
			if code != tt.code || out != tt.out || !strings.Contains(stderr, tt.says) || strings.Contains(stderr, "has grown") != tt.grown {
				t.Errorf("exit code %d, want %d; wrote %q, want %q; %s", code, tt.code, out, tt.out, stderr)
			}
		})
	}
}

// TestGrownStatus: a number that stands in the documents of the first indexes doesn't vouch
// for the end of a Job that has grown; what Kubernetes or the user says now does.
func TestGrownStatus(t *testing.T) {
	markers := "file://" + t.TempDir()
	run := func(indexes ...int) {
		for _, i := range indexes {
			if _, stderr, code := program.Nth(t, pod(i), "run", "--markers="+markers, "--", "true"); code != 0 {
				t.Fatalf("index %d: exit code %d: %s", i, code, stderr)
			}
		}
	}
	job := filepath.Join(t.TempDir(), "job.json")
	if err := os.WriteFile(job, []byte(`{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "grows", "uid": "u"},
"spec": {"completions": 8, "template": {"spec": {"containers": [{"name": "work", "env": [{"name": "NTH_COMPLETIONS", "value": "5"}]}]}}}, "status": {"active": 1}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	type seen struct {
		code        int
		list, doubt string
	}
	look := func(args ...string) (s seen) {
		args = append([]string{"status", "--markers=" + markers}, args...)
		_, stderr, code := program.Nth(t, nil, args...)
		s.code = code
		if _, doubt, ok := strings.Cut(stderr, "one of index "); ok {
			s.doubt, _, _ = strings.Cut(doubt, ":")
		}
		s.list, _, _ = program.Nth(t, nil, append(args, "--list=unfinished")...)
		return s
	}
	check := func(when string, want seen, args ...string) {
		t.Helper()
		if diff := cmp.Diff(want, look(args...), cmp.AllowUnexported(seen{})); diff != "" {
			t.Errorf("%s, %q (-want +got):\n%s", when, args, diff)
		}
	}
	run(0, 1, 2, 3, 4)
	check("before it grew", seen{})
	check("before the new ones began", seen{code: 1, list: "5-7\n"}, "--kubernetes="+job)
	run(5, 7)
	check("in the middle", seen{code: 1, doubt: "7"})
	check("in the middle", seen{code: 1, list: "6\n"}, "--kubernetes="+job)
	check("in the middle", seen{code: 1, list: "6\n"}, "--completions=8")
	run(6)
	check("at the end", seen{code: 1, doubt: "7"})
	check("at the end", seen{}, "--kubernetes="+job)
	check("at the end", seen{}, "--completions=8")
	check("the user's own number", seen{}, "--completions=5")
	if out, stderr, code := program.Nth(t, nil, "status", "--markers="+markers, "--watch", "--interval=10ms"); code != 1 || !strings.Contains(stderr, "one of index 7") {
		t.Errorf("a watch: exit code %d, %s%s", code, out, stderr)
	}
	if out, _, _ := program.Nth(t, nil, "status", "--markers="+markers, "--completions=5"); !strings.Contains(out, "others   3  5-7") {
		t.Errorf("markers beyond the user's own number aren't told: %s", out)
	}
}
