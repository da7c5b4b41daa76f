package identity

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nth/shim/failure"
)

var exported = cmpopts.IgnoreUnexported(Identity{})

// TestPlatformFacts is what each platform sets in a task, written out, and what
// follows from it.
func TestPlatformFacts(t *testing.T) {
	for _, tt := range []struct {
		env  env
		want Identity
	}{
		{env{"JOB_COMPLETION_INDEX": "5", "KUBERNETES_SERVICE_HOST": "10.0.0.1"},
			Identity{Platform: "kubernetes", Variable: "JOB_COMPLETION_INDEX", Index: 5, RawIndex: 5, Attempt: 1}},
		{env{"AWS_BATCH_JOB_ARRAY_INDEX": "5", "AWS_BATCH_JOB_ARRAY_SIZE": "10", "AWS_BATCH_JOB_ATTEMPT": "3", "AWS_BATCH_JOB_ID": "21a8-44:5"},
			Identity{Platform: "aws-batch", Variable: "AWS_BATCH_JOB_ARRAY_INDEX", Index: 5, RawIndex: 5, Completions: ptr(int64(10)), Attempt: 3, Job: "21a8-44"}},
		{env{"BATCH_TASK_INDEX": "5", "BATCH_TASK_COUNT": "10", "BATCH_TASK_RETRY_ATTEMPT": "2", "BATCH_JOB_UID": "j-1"},
			Identity{Platform: "google-batch", Variable: "BATCH_TASK_INDEX", Index: 5, RawIndex: 5, Completions: ptr(int64(10)), Attempt: 3, Job: "j-1"}},
		{env{"CLOUD_RUN_TASK_INDEX": "5", "CLOUD_RUN_TASK_COUNT": "10", "CLOUD_RUN_TASK_ATTEMPT": "2", "CLOUD_RUN_JOB": "resize", "CLOUD_RUN_EXECUTION": "resize-x"},
			Identity{Platform: "cloud-run", Variable: "CLOUD_RUN_TASK_INDEX", Index: 5, RawIndex: 5, Completions: ptr(int64(10)), Attempt: 3, Job: "resize"}},
		{env{"SLURM_ARRAY_TASK_ID": "42", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "42", "SLURM_RESTART_COUNT": "2",
			"SLURM_ARRAY_JOB_ID": "77", "SLURM_JOB_ID": "79"},
			Identity{Platform: "slurm", Variable: "SLURM_ARRAY_TASK_ID", Index: 42, RawIndex: 42, Completions: ptr(int64(3)), Attempt: 3, Job: "77"}},
		{env{"PBS_ARRAY_INDEX": "42", "PBS_ARRAY_ID": "12[]", "PBS_JOBID": "12[42].host"},
			Identity{Platform: "pbs", Variable: "PBS_ARRAY_INDEX", Index: 42, RawIndex: 42, Attempt: 1, Job: "12[]"}},
		{env{"PBS_ARRAYID": "42", "PBS_JOBID": "1098[42].host"},
			Identity{Platform: "torque", Variable: "PBS_ARRAYID", Index: 42, RawIndex: 42, Attempt: 1, Job: "1098"}},
		{env{"SGE_TASK_ID": "42", "SGE_TASK_FIRST": "2", "SGE_TASK_LAST": "42", "SGE_TASK_STEPSIZE": "40", "JOB_ID": "9", "RESTARTED": "1"},
			Identity{Platform: "sge", Variable: "SGE_TASK_ID", Index: 42, RawIndex: 42, Attempt: 2, Job: "9"}},
		{env{"LSB_JOBINDEX": "42", "LSB_JOBINDEX_END": "42", "LSB_JOBID": "9"},
			Identity{Platform: "lsf", Variable: "LSB_JOBINDEX", Index: 42, RawIndex: 42, Attempt: 1, Job: "9"}},
		{env{"NOMAD_ALLOC_INDEX": "5", "NOMAD_ALLOC_ID": "f00", "NOMAD_JOB_ID": "resize"},
			Identity{Platform: "nomad", Variable: "NOMAD_ALLOC_INDEX", Index: 5, RawIndex: 5, Attempt: 1, Job: "resize"}},
		{env{"VC_TASK_INDEX": "5", "VK_TASK_INDEX": "5"},
			Identity{Platform: "volcano", Variable: "VC_TASK_INDEX", Index: 5, RawIndex: 5, Attempt: 1}},
		{env{"HQ_TASK_ID": "42", "HQ_JOB_ID": "9", "HQ_INSTANCE_ID": "3"},
			Identity{Platform: "hyperqueue", Variable: "HQ_TASK_ID", Index: 42, RawIndex: 42, Attempt: 1, Job: "9"}},
		{env{"BUILDKITE_PARALLEL_JOB": "5", "BUILDKITE_PARALLEL_JOB_COUNT": "10", "BUILDKITE_RETRY_COUNT": "2", "BUILDKITE_BUILD_ID": "b", "BUILDKITE_JOB_ID": "j"},
			Identity{Platform: "buildkite", Variable: "BUILDKITE_PARALLEL_JOB", Index: 5, RawIndex: 5, Completions: ptr(int64(10)), Attempt: 3, Job: "b"}},
		{env{"CI_NODE_INDEX": "5", "CI_NODE_TOTAL": "5", "CI_JOB_ID": "j", "CI_PIPELINE_ID": "p"},
			Identity{Platform: "gitlab", Variable: "CI_NODE_INDEX", Index: 4, RawIndex: 5, Completions: ptr(int64(5)), Attempt: 1, Job: "p"}},
		{env{"CIRCLE_NODE_INDEX": "5", "CIRCLE_NODE_TOTAL": "10", "CIRCLE_WORKFLOW_ID": "w"},
			Identity{Platform: "circleci", Variable: "CIRCLE_NODE_INDEX", Index: 5, RawIndex: 5, Completions: ptr(int64(10)), Attempt: 1, Job: "w"}},
		{env{"BATCH_JOB_ARRAY_INDEX_VAR_NAME": "FLYTE_K8S_ARRAY_INDEX", "FLYTE_K8S_ARRAY_INDEX": "5", "FLYTE_ATTEMPT_NUMBER": "2", "FLYTE_INTERNAL_EXECUTION_ID": "f1a"},
			Identity{Platform: "flyte", Variable: "FLYTE_K8S_ARRAY_INDEX", Index: 5, RawIndex: 5, Attempt: 3, Job: "f1a"}},
		{env{"BATCH_JOB_ARRAY_INDEX_VAR_NAME": "FLYTE_K8S_ARRAY_INDEX", "FLYTE_K8S_ARRAY_INDEX": "0", "BATCH_JOB_ARRAY_INDEX_OFFSET": "40"},
			Identity{Platform: "flyte", Variable: "FLYTE_K8S_ARRAY_INDEX", Index: 40, RawIndex: 0, Attempt: 1}},
		{env{"BATCH_JOB_ARRAY_INDEX_VAR_NAME": "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX": "5", "BATCH_JOB_ARRAY_INDEX_OFFSET": "40", "AWS_BATCH_JOB_ARRAY_SIZE": "10",
			"AWS_BATCH_JOB_ATTEMPT": "1", "AWS_BATCH_JOB_ID": "21a8-44:5", "FLYTE_ATTEMPT_NUMBER": "0", "FLYTE_INTERNAL_EXECUTION_ID": "f1a"},
			Identity{Platform: "flyte", Variable: "AWS_BATCH_JOB_ARRAY_INDEX", Index: 45, RawIndex: 5, Attempt: 1, Job: "f1a"}},
		{env{"COILED_BATCH_TASK_ID": "42", "COILED_CLUSTER_ID": "9", "COILED_CLUSTER_NAME": "resize"},
			Identity{Platform: "coiled", Variable: "COILED_BATCH_TASK_ID", Index: 42, RawIndex: 42, Attempt: 1, Job: "9"}},
		{env{"BATCH_TASK_INSTANCE_INDEX": "5", "BATCH_TASK_INSTANCE_NUM": "10", "BATCH_JOB_ID": "job-n4ohivif", "BATCH_TASK_NAME": "Task1"},
			Identity{Platform: "tencent-batch", Variable: "BATCH_TASK_INSTANCE_INDEX", Index: 5, RawIndex: 5, Completions: ptr(int64(10)), Attempt: 1, Job: "job-n4ohivif"}},
		{env{"LAUNCHER_JID": "5", "LAUNCHER_NJOBS": "5", "LAUNCHER_TSK_ID": "1", "LAUNCHER_NPROCS": "2", "SLURM_JOB_ID": "77"},
			Identity{Platform: "launcher", Variable: "LAUNCHER_JID", Index: 4, RawIndex: 5, Completions: ptr(int64(5)), Attempt: 1}},
		{env{"DISBATCH_REPEAT_INDEX": "150", "DISBATCH_TASKID": "3", "DISBATCH_STREAM_INDEX": "2", "DISBATCH_JOBID": "Tasks_disBatch_2", "DISBATCH_NAMETASKS": "Tasks"},
			Identity{Platform: "disbatch", Variable: "DISBATCH_REPEAT_INDEX", Index: 150, RawIndex: 150, Attempt: 1, Job: "Tasks_disBatch_2"}},
		{env{"DISBATCH_REPEAT_INDEX": "-1", "DISBATCH_TASKID": "3", "DISBATCH_STREAM_INDEX": "4", "DISBATCH_JOBID": "Tasks_disBatch_2"},
			Identity{Platform: "disbatch", Variable: "DISBATCH_TASKID", Index: 3, RawIndex: 3, Attempt: 1, Job: "Tasks_disBatch_2"}},
		{env{"PARALLEL_SEQ": "5", "PARALLEL_PID": "9", "PARALLEL_JOBSLOT": "2"},
			Identity{Platform: "parallel", Variable: "PARALLEL_SEQ", Index: 4, RawIndex: 5, Attempt: 1, Job: "9"}},
	} {
		t.Run(tt.want.Platform, func(t *testing.T) {
			for _, s := range []Settings{{}, {Platform: tt.want.Platform}} {
				got, err := Resolve(s, tt.env.lookup, "")
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got, exported); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func refused(t *testing.T, s Settings, vars env, code failure.Code, says ...string) {
	t.Helper()
	id, err := Resolve(s, vars.lookup, "")
	if err == nil {
		t.Errorf("%v: index %d, want an error with code %d", vars, id.Index, code)
		return
	}
	f := failure.From(err)
	if f.Code != code || f.Hint == "" || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v: code %d, hint %q: %v, want code %d and a hint in one line", vars, f.Code, f.Hint, err, code)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%v: %v, which doesn't say %q", vars, err, s)
		}
	}
}

// TestPlatformRefusals is what no row accepts.
func TestPlatformRefusals(t *testing.T) {
	for _, p := range Platforms {
		t.Run(p.Name, func(t *testing.T) {
			refused := func(t *testing.T, s Settings, vars env, code failure.Code, says ...string) {
				t.Helper()
				refused(t, s, vars.named(p), code, says...)
			}
			for _, bad := range []string{"", "abc", "-1", "1.5", "+3", "0x10", " 7", "7\n", "1_0", "٣", "9223372036854775808", "99999999999999999999"} {
				refused(t, Settings{}, env{p.Variable: bad}, failure.Setup, p.Variable)
				refused(t, Settings{Platform: p.Name}, env{p.Variable: bad}, failure.Setup, p.Variable)
			}
			refused(t, Settings{}, env{p.Variable: "x7"}, failure.Setup, p.Variable, `"x7"`)
			for _, not := range p.NotArray {
				refused(t, Settings{}, env{p.Variable: not}, failure.Setup, p.Variable+" is "+strconv.Quote(not)+": no array")
				refused(t, Settings{Platform: p.Name}, env{p.Variable: not}, failure.Setup, p.Variable, strconv.Quote(not))
			}
			refused(t, Settings{Platform: p.Name}, env{"PATH": "/bin"}, failure.Setup, p.Variable, "not set")
			if p.Last != "" {
				refused(t, Settings{}, env{p.Variable: "31", p.Last: "30"}, failure.BadIndex, p.Variable+"=31", p.Last+"=30")
			}
			over := strconv.FormatInt(20+p.Base, 10)
			if p.Fixed && p.Count != "" {
				refused(t, Settings{}, env{p.Variable: over, p.Count: "20"}, failure.BadIndex, p.Variable+"="+over, p.Count+"=20")
			}
			if p.Fixed {
				refused(t, Settings{Completions: ptr(int64(20))}, env{p.Variable: over}, failure.BadIndex, "20 completions", "index 20", "19")
				if p.Base > 0 {
					refused(t, Settings{}, env{p.Variable: "0"}, failure.Setup, "counts from 1", "--index-env "+p.Variable)
				}
			} else {
				refused(t, Settings{Indexes: "3,5"}, env{p.Variable: "1"}, failure.Setup, "--indexes", p.Title)
			}
		})
	}
}

// TestNotAnArray: such a value leaves the choice to the next row.
func TestNotAnArray(t *testing.T) {
	for _, vars := range []env{
		{"SLURM_ARRAY_TASK_ID": "", "PARALLEL_SEQ": "4"},
		{"SGE_TASK_ID": "undefined", "SGE_TASK_LAST": "undefined", "PARALLEL_SEQ": "4"},
		{"LSB_JOBINDEX": "0", "LSB_JOBINDEX_END": "0", "PARALLEL_SEQ": "4"},
		{"DISBATCH_REPEAT_INDEX": "-1", "PARALLEL_SEQ": "4"},
		{"BATCH_JOB_ARRAY_INDEX_VAR_NAME": "", "BATCH_JOB_ARRAY_INDEX_OFFSET": "2", "PARALLEL_SEQ": "4"},
		{"AWS_BATCH_JOB_ID": "a", "AWS_BATCH_JOB_ATTEMPT": "1", "SLURM_JOB_ID": "3", "CI_NODE_TOTAL": "1", "PARALLEL_SEQ": "4"},
	} {
		id, err := Resolve(Settings{}, vars.lookup, "")
		if err != nil || id.Index != 3 || id.Variable != "PARALLEL_SEQ" || len(id.Warnings) > 0 {
			t.Errorf("%v: index %d from %s, %q, %v", vars, id.Index, id.Variable, id.Warnings, err)
		}
	}
}

// named has the variable too that names the one of a platform, where there is such a one.
func (e env) named(p Platform) env {
	if p.NamedBy != "" {
		e[p.NamedBy] = p.Variable
	}
	return e
}

// TestNamed: an index that stands in a variable of which another one holds the name. Where
// the environment tells half of that, or a half that is none, no other number counts.
func TestNamed(t *testing.T) {
	const by, offset, aws, own = "BATCH_JOB_ARRAY_INDEX_VAR_NAME", "BATCH_JOB_ARRAY_INDEX_OFFSET", "AWS_BATCH_JOB_ARRAY_INDEX", "FLYTE_K8S_ARRAY_INDEX"
	for _, vars := range []env{
		{by: own},
		{by: own, aws: "3"},
		{by: "MINE", own: "3", aws: "3"},
		{own: "3"},
		{own: "3", aws: "3"},
		{by: "", own: "3", "SLURM_ARRAY_TASK_ID": "3"},
		{by: own, own: ""},
		{by: own, own: "x"},
		{by: own, own: "3", offset: "-1"},
		{by: own, own: "3", offset: "x"},
		{by: own, own: "9223372036854775807", offset: "1"},
	} {
		refused(t, Settings{}, vars, failure.Setup)
		refused(t, Settings{Platform: "flyte"}, vars, failure.Setup)
		if id, err := Resolve(Settings{Index: ptr("7")}, vars.lookup, ""); err != nil || id.Index != 7 {
			t.Errorf("%v with --index 7: %d, %v", vars, id.Index, err)
		}
	}
	_, err := Resolve(Settings{}, env{by: "SECRET_TOKEN", "SECRET_TOKEN": "canary-1"}.lookup, "")
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "SECRET_TOKEN: BATCH_JOB_ARRAY_INDEX_VAR_NAME names it, and it holds no whole number from 0") {
		t.Errorf("what another variable holds is shown: %v", err)
	}
	// Another array's number counts only where it is the same item's.
	refused(t, Settings{}, env{by: own, own: "3", aws: "4"}, failure.Setup, own+"=3", aws+"=4")
	refused(t, Settings{}, env{by: aws, aws: "3", offset: "2", "BATCH_TASK_INDEX": "3"}, failure.Setup, aws+"=3 is index 5")
}

// TestInside: one platform runs inside the other. Neither number alone is the item, for
// the inner one begins anew in each task of the outer: so one has to be chosen, unless they
// agree.
func TestInside(t *testing.T) {
	for _, inner := range []env{{"LAUNCHER_JID": "3"}, {"DISBATCH_REPEAT_INDEX": "2", "DISBATCH_TASKID": "7"}, {"DISBATCH_REPEAT_INDEX": "-1", "DISBATCH_TASKID": "2"}, {"COILED_BATCH_TASK_ID": "2"},
		{"BATCH_TASK_INSTANCE_INDEX": "2"}, {"PARALLEL_SEQ": "3"}} {
		var one string
		for name := range inner {
			one = max(one, name)
		}
		for _, outer := range []string{"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX", "PBS_ARRAY_INDEX"} {
			both := maps.Clone(inner)
			both[outer] = "5"
			refused(t, Settings{}, both, failure.Setup, outer+"=5", " is index 2 of ")
			both[outer] = "2"
			if id, err := Resolve(Settings{}, both.lookup, ""); err != nil || id.Index != 2 {
				t.Errorf("%v: %d, %v", both, id.Index, err)
			}
			both[outer] = "5"
			if id, err := Resolve(Settings{Platform: rowOf(t, one)}, both.lookup, ""); err != nil || id.Index != 2 {
				t.Errorf("%v, with the inner one chosen: %d, %v", both, id.Index, err)
			}
		}
	}
}

func rowOf(t *testing.T, variable string) string {
	for _, p := range Platforms {
		if p.Variable == variable || p.Else == variable {
			return p.Name
		}
	}
	t.Fatalf("no row has %s", variable)
	return ""
}

// TestMalformedFacts: what the index doesn't depend on is a warning, said once.
func TestMalformedFacts(t *testing.T) {
	for _, p := range Platforms {
		for _, name := range []string{p.Count, p.Last, p.Attempt} {
			if name == "" {
				continue
			}
			for _, bad := range []string{"x", "-1", "99999999999999999999"} {
				id, err := Resolve(Settings{}, env{p.Variable: "7", name: bad}.named(p).lookup, "")
				if err != nil || id.RawIndex != 7 || id.Completions != nil || id.Attempt != 1 {
					t.Errorf("%s=%s: %+v, %v", name, bad, id, err)
				}
				if len(id.Warnings) != 1 || !strings.Contains(id.Warnings[0], name) {
					t.Errorf("%s=%s: warnings %q, want one", name, bad, id.Warnings)
				}
			}
		}
		if p.Attempt != "" {
			id, err := Resolve(Settings{}, env{p.Variable: "7", p.Attempt: "9223372036854775807"}.named(p).lookup, "")
			if err != nil || id.Attempt < 1 {
				t.Errorf("%s: attempt %d, %v", p.Name, id.Attempt, err)
			}
		}
	}
}

// TestTable: the order is the contract's, and no name stands twice.
func TestTable(t *testing.T) {
	want := strings.Fields("kubernetes aws-batch google-batch cloud-run slurm flyte pbs torque sge lsf nomad volcano hyperqueue coiled tencent-batch launcher disbatch buildkite gitlab circleci parallel")
	if diff := cmp.Diff(want, strings.Fields(platformNames())); diff != "" {
		t.Error(diff)
	}
	if kubernetes.Name != "kubernetes" {
		t.Errorf("the Kubernetes row is %s", kubernetes.Name)
	}
	variables := Variables()
	for _, p := range Platforms {
		if p.Title == "" || p.Base != 0 && !p.Fixed {
			t.Errorf("%+v", p)
		}
		for _, name := range []string{p.Variable, p.NamedBy, p.Offset, p.Else} {
			if name != "" && !slices.Contains(variables, name) {
				t.Errorf("%s is not among the variables", name)
			}
		}
	}
	slices.Sort(variables)
	if len(slices.Compact(slices.Clone(variables))) != len(variables) || slices.Contains(variables, "") {
		t.Errorf("%q has one twice, or an empty one", variables)
	}
}

// TestAtHand: a variable that is set says that no person is at work, whatever it holds.
func TestAtHand(t *testing.T) {
	for _, name := range append(Variables(), "NTH_INDEX", "NTH_INDEX_ENV", "NTH_PLATFORM") {
		for _, value := range []string{"", "undefined", "3"} {
			if !AtHand(func(n string) (string, bool) { return value, n == name }) {
				t.Errorf("%s=%q isn't seen", name, value)
			}
		}
	}
	others := map[string]bool{"KUBERNETES_SERVICE_HOST": true, "NTH_MARKERS": true, "SLURM_ARRAY_TASK_COUNT": true}
	if AtHand(func(n string) (string, bool) { return "3", others[n] }) {
		t.Error("a variable that tells no index counts")
	}
}

// TestStopSignals: Grid Engine announces its kills in each of its jobs, an array or not.
func TestStopSignals(t *testing.T) {
	for _, tt := range []struct {
		env  env
		want []string
	}{
		{env{"SGE_TASK_ID": "3"}, []string{"USR2"}},
		{env{"SGE_TASK_ID": "undefined", "NTH_INDEX": "0"}, []string{"USR2"}},
		{env{"SLURM_ARRAY_TASK_ID": "3"}, nil},
		{nil, nil},
	} {
		if diff := cmp.Diff(tt.want, StopSignals(tt.env.lookup)); diff != "" {
			t.Errorf("%v: %s", tt.env, diff)
		}
	}
}
