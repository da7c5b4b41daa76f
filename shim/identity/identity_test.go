package identity

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
)

type env map[string]string

func (e env) lookup(name string) (string, bool) { v, ok := e[name]; return v, ok }

func ptr[T any](v T) *T { return &v }

// completions wants a number of completions, or none for 0.
func completions(want int64) func(*testing.T, Identity) {
	return func(t *testing.T, id Identity) {
		t.Helper()
		if diff := cmp.Diff(want, deref(id.Completions)); diff != "" {
			t.Errorf("completions: %s", diff)
		}
	}
}

// outgrown wants an index that lies beyond the number that was said, so that no other is
// known, and one line that says so.
func outgrown(was int64) func(*testing.T, Identity) {
	return func(t *testing.T, id Identity) {
		t.Helper()
		if deref(id.Outgrown) != was || id.Completions != nil || id.Total() != nil || id.Among() || len(id.Warnings) != 1 || !strings.Contains(id.Warnings[0], "has grown") {
			t.Errorf("outgrown %d, completions %d, warnings %q", deref(id.Outgrown), deref(id.Completions), id.Warnings)
		}
		if err := id.Bounded("--items"); err == nil || failure.From(err).Code != failure.BadIndex {
			t.Errorf("%v, want code 65", err)
		}
	}
}

func deref(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

func TestResolve(t *testing.T) {
	k8s := func(index string) env { return env{"JOB_COMPLETION_INDEX": index} }
	grown := func(index string) env { return env{"JOB_COMPLETION_INDEX": index, "NTH_COMPLETIONS": "5"} }
	for _, tt := range []struct {
		name   string
		s      Settings
		env    env
		index  int64
		from   string
		code   failure.Code
		says   string
		others func(t *testing.T, id Identity)
	}{
		{name: "the flag wins", s: Settings{Index: ptr("3")}, env: k8s("5"), index: 3, from: "--index"},
		{name: "a variable of one's own", s: Settings{IndexEnv: "MINE"}, env: env{"MINE": "4", "JOB_COMPLETION_INDEX": "5"}, index: 4, from: "MINE"},
		{name: "that isn't set", s: Settings{IndexEnv: "MINE"}, env: k8s("5"), code: failure.Setup, says: "MINE"},
		{name: "an empty flag", s: Settings{Index: ptr("")}, env: k8s("5"), code: failure.Setup, says: "--index"},
		{name: "two that agree", env: env{"SLURM_ARRAY_TASK_ID": "5", "PARALLEL_SEQ": "6"}, index: 5, from: "SLURM_ARRAY_TASK_ID"},
		{name: "two that disagree", env: env{"SLURM_ARRAY_TASK_ID": "5", "PARALLEL_SEQ": "1"}, code: failure.Setup, says: "SLURM_ARRAY_TASK_ID=5 is index 5 of Slurm job array, and PARALLEL_SEQ=1 is index 0 of GNU parallel"},
		{name: "the same number, but another index", env: env{"SLURM_ARRAY_TASK_ID": "5", "PARALLEL_SEQ": "5"}, code: failure.Setup, says: "--platform slurm or --platform parallel"},
		{name: "Buildkite's agent in a Kubernetes Job", env: env{"JOB_COMPLETION_INDEX": "5", "BUILDKITE_PARALLEL_JOB": "1"}, code: failure.Setup, says: "BUILDKITE_PARALLEL_JOB=1"},
		{name: "AWS Batch on EKS", env: env{"JOB_COMPLETION_INDEX": "5", "AWS_BATCH_JOB_ARRAY_INDEX": "5"}, index: 5, from: "JOB_COMPLETION_INDEX"},
		{name: "the second is malformed", env: env{"JOB_COMPLETION_INDEX": "5", "PARALLEL_SEQ": "x"}, code: failure.Setup, says: "PARALLEL_SEQ"},
		{name: "which a choice doesn't read", s: Settings{Platform: "kubernetes"}, env: env{"JOB_COMPLETION_INDEX": "5", "PARALLEL_SEQ": "x"}, index: 5, from: "JOB_COMPLETION_INDEX"},
		{name: "chosen", s: Settings{Platform: "parallel"}, env: env{"SLURM_ARRAY_TASK_ID": "5", "PARALLEL_SEQ": "1"}, index: 0, from: "PARALLEL_SEQ"},
		{name: "chosen by the flag", s: Settings{Index: ptr("9")}, env: env{"SLURM_ARRAY_TASK_ID": "5", "PARALLEL_SEQ": "1"}, index: 9, from: "--index"},
		{name: "unknown platform", s: Settings{Platform: "cray"}, env: k8s("5"), code: failure.Usage, says: "kubernetes"},
		{name: "unknown platform beside an index", s: Settings{Platform: "cray", Index: ptr("3")}, env: k8s("5"), code: failure.Usage, says: "gitlab circleci parallel"},
		{name: "the index before the variable", s: Settings{Index: ptr("3"), IndexEnv: "MINE", Platform: "slurm"}, env: env{"MINE": "4"}, index: 3, from: "--index"},
		{name: "the variable before the platform", s: Settings{IndexEnv: "MINE", Platform: "slurm"}, env: env{"MINE": "4", "SLURM_ARRAY_TASK_ID": "5"}, index: 4, from: "MINE"},
		{name: "a malformed flag", s: Settings{Index: ptr("1e3")}, env: k8s("5"), code: failure.Setup, says: "NTH_INDEX"},
		{name: "a malformed variable of one's own", s: Settings{IndexEnv: "MINE"}, env: env{"MINE": ""}, code: failure.Setup, says: "read the index from MINE: it is empty"},
		{name: "a platform's variable named as one's own", s: Settings{IndexEnv: "CI_NODE_INDEX"}, env: env{"CI_NODE_INDEX": "0"}, index: 0, from: "CI_NODE_INDEX"},
		{name: "base 10", env: k8s("010"), index: 10, from: "JOB_COMPLETION_INDEX"},
		{name: "the greatest", env: k8s("9223372036854775807"), index: 9223372036854775807, from: "JOB_COMPLETION_INDEX"},
		{name: "a long value is cut", env: k8s(strings.Repeat("x", 100000)), code: failure.Setup, says: `xx"… is not`},
		{name: "not an array there", env: env{"SGE_TASK_ID": "undefined", "LSB_JOBINDEX": "3"}, index: 3, from: "LSB_JOBINDEX"},
		{name: "below the base", env: env{"PARALLEL_SEQ": "0"}, code: failure.Setup, says: "counts from 1"},
		{name: "none", env: env{}, code: failure.Setup, says: "--index"},
		{name: "none on Kubernetes", env: env{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, code: failure.Setup, says: "completionMode: Indexed"},
		{name: "empty on Kubernetes", env: env{"JOB_COMPLETION_INDEX": "", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, code: failure.Setup, says: "completionMode: Indexed"},
		{name: "forced on Kubernetes", s: Settings{Platform: "kubernetes"}, env: env{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, code: failure.Setup, says: "completionMode: Indexed"},
		{name: "offset", s: Settings{IndexOffset: -1}, env: env{"SLURM_ARRAY_TASK_ID": "5"}, index: 4, from: "SLURM_ARRAY_TASK_ID"},
		{name: "offset below 0", s: Settings{IndexOffset: -6}, env: k8s("5"), code: failure.Setup, says: "--index-offset"},
		{name: "offset beyond int64", s: Settings{IndexOffset: 9223372036854775807}, env: k8s("5"), code: failure.Setup, says: "--index-offset"},
		{name: "beyond the last", s: Settings{Completions: ptr(int64(5))}, env: k8s("5"), code: failure.BadIndex, says: "5 completions"},
		{name: "a Job that has grown", s: Settings{Completions: ptr(int64(5))}, env: grown("5"), index: 5, from: "JOB_COMPLETION_INDEX", others: outgrown(5)},
		{name: "a Job that has grown, by a flag in its template", s: Settings{Completions: ptr(int64(5))}, env: env{"JOB_COMPLETION_INDEX": "5", "KUBERNETES_SERVICE_HOST": "10.0.0.1"},
			index: 5, from: "JOB_COMPLETION_INDEX", others: outgrown(5)},
		{name: "a Job that has grown, chosen", s: Settings{Completions: ptr(int64(5)), Platform: "kubernetes"}, env: grown("5"), index: 5, from: "JOB_COMPLETION_INDEX", others: outgrown(5)},
		{name: "its old indexes", s: Settings{Completions: ptr(int64(5))}, env: grown("4"), index: 4, from: "JOB_COMPLETION_INDEX", others: completions(5)},
		{name: "beyond the last by an offset", s: Settings{Completions: ptr(int64(5)), IndexOffset: 1}, env: grown("4"), code: failure.BadIndex, says: "5 completions"},
		{name: "beyond the last by a flag", s: Settings{Completions: ptr(int64(5)), Index: ptr("5")}, env: grown("5"), code: failure.BadIndex, says: "5 completions"},
		{name: "beyond the last by a variable that is named", s: Settings{Completions: ptr(int64(5)), IndexEnv: "JOB_COMPLETION_INDEX"}, env: grown("5"), code: failure.BadIndex, says: "5 completions"},
		{name: "the last", s: Settings{Completions: ptr(int64(6))}, env: k8s("5"), index: 5, from: "JOB_COMPLETION_INDEX"},
		{name: "no completions", s: Settings{Completions: ptr(int64(0))}, env: k8s("5"), code: failure.Setup, says: "--completions"},
		{name: "Slurm's count is no bound", s: Settings{}, env: env{"SLURM_ARRAY_TASK_ID": "42", "SLURM_ARRAY_TASK_COUNT": "1", "SLURM_ARRAY_TASK_MAX": "42"}, index: 42, from: "SLURM_ARRAY_TASK_ID"},
		{name: "nor is --completions there", s: Settings{Completions: ptr(int64(2))}, env: env{"SLURM_ARRAY_TASK_ID": "42", "SLURM_ARRAY_TASK_COUNT": "5"}, index: 42,
			from: "SLURM_ARRAY_TASK_ID", others: completions(2)},
		{name: "beyond Slurm's greatest, whatever the offset", s: Settings{IndexOffset: -1}, env: env{"SLURM_ARRAY_TASK_ID": "43", "SLURM_ARRAY_TASK_MAX": "42"},
			code: failure.BadIndex, says: "SLURM_ARRAY_TASK_MAX=42"},
		{name: "Slurm from 1 made 0-based", s: Settings{IndexOffset: -1}, env: env{"SLURM_ARRAY_TASK_ID": "42", "SLURM_ARRAY_TASK_MAX": "42", "SLURM_ARRAY_TASK_COUNT": "42"},
			index: 41, from: "SLURM_ARRAY_TASK_ID", others: completions(42)},
		{name: "the flag's count wins", s: Settings{Completions: ptr(int64(100))}, env: env{"CLOUD_RUN_TASK_INDEX": "5", "CLOUD_RUN_TASK_COUNT": "10"}, index: 5,
			from: "CLOUD_RUN_TASK_INDEX", others: completions(100)},
		{name: "and bounds", s: Settings{Completions: ptr(int64(5))}, env: env{"CLOUD_RUN_TASK_INDEX": "5", "CLOUD_RUN_TASK_COUNT": "10"}, code: failure.BadIndex, says: "5 completions"},
		{name: "and bounds --index", s: Settings{Index: ptr("5"), Completions: ptr(int64(5))}, code: failure.BadIndex, says: "5 completions"},
		{name: "a later part of a Job", s: Settings{IndexOffset: 100}, env: env{"AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "10"}, index: 102,
			from: "AWS_BATCH_JOB_ARRAY_INDEX", others: completions(0)},
		{name: "a later part of a Job whose size is told", s: Settings{IndexOffset: 100, Completions: ptr(int64(110))},
			env: env{"AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "10"}, index: 102, from: "AWS_BATCH_JOB_ARRAY_INDEX", others: completions(110)},
		{name: "a small array repairs a big one", s: Settings{Indexes: "7,42,90"}, env: env{"AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "3"}, index: 90,
			from: "AWS_BATCH_JOB_ARRAY_INDEX", others: completions(0)},
		{name: "list and a platform from 1", s: Settings{Indexes: "7,42,90"}, env: env{"CI_NODE_INDEX": "3", "CI_NODE_TOTAL": "3"}, index: 90, from: "CI_NODE_INDEX"},
		{name: "list and a variable of one's own", s: Settings{Indexes: "7,42,90", IndexEnv: "MINE"}, env: env{"MINE": "1"}, index: 42, from: "MINE"},
		{name: "only some", s: Settings{Indexes: "7,42,90-99", Completions: ptr(int64(100))}, env: k8s("2"), index: 90, from: "JOB_COMPLETION_INDEX"},
		{name: "beyond the list", s: Settings{Indexes: "7,42"}, env: k8s("2"), code: failure.Setup, says: "2 indexes"},
		{name: "listed beyond the last", s: Settings{Indexes: "7,100", Completions: ptr(int64(100))}, env: k8s("0"), code: failure.Setup, says: "100"},
		{name: "list and flag", s: Settings{Indexes: "7", Index: ptr("1")}, env: k8s("0"), code: failure.Setup, says: "--indexes"},
		{name: "list and offset", s: Settings{Indexes: "7", IndexOffset: 1}, env: k8s("0"), code: failure.Setup, says: "--indexes"},
		{name: "a broken list", s: Settings{Indexes: "7,x"}, env: k8s("0"), code: failure.Setup, says: "index list"},
		{name: "attempts of Kubernetes", s: Settings{IndexFailures: "2", IndexIgnoredFailures: "1"}, env: k8s("0"), from: "JOB_COMPLETION_INDEX",
			others: func(t *testing.T, id Identity) {
				if id.Attempt != 4 {
					t.Errorf("attempt %d, want 4", id.Attempt)
				}
			}},
		{name: "malformed attempts", s: Settings{IndexFailures: "many"}, env: k8s("0"), from: "JOB_COMPLETION_INDEX",
			others: func(t *testing.T, id Identity) {
				if id.Attempt != 1 || len(id.Warnings) != 1 {
					t.Errorf("attempt %d, warnings %q", id.Attempt, id.Warnings)
				}
			}},
		{name: "failures beyond reason", s: Settings{IndexFailures: "9223372036854775807", IndexIgnoredFailures: "9223372036854775807"}, env: k8s("0"), from: "JOB_COMPLETION_INDEX",
			others: func(t *testing.T, id Identity) {
				if id.Attempt < 1 || int64(id.Attempt) > math.MaxInt32 {
					t.Errorf("attempt %d", id.Attempt)
				}
			}},
		{name: "failures are Kubernetes' alone", s: Settings{IndexFailures: "2"}, env: env{"VC_TASK_INDEX": "0"}, from: "VC_TASK_INDEX",
			others: func(t *testing.T, id Identity) {
				if id.Attempt != 1 {
					t.Errorf("attempt %d", id.Attempt)
				}
			}},
		{name: "the job flag wins", s: Settings{Job: "mine"}, env: env{"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_JOB": "theirs"}, from: "CLOUD_RUN_TASK_INDEX",
			others: func(t *testing.T, id Identity) {
				if id.Job != "mine" {
					t.Errorf("job %q", id.Job)
				}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := Resolve(tt.s, tt.env.lookup, "")
			if tt.code != 0 {
				if err == nil || failure.From(err).Code != tt.code || failure.From(err).Hint == "" || len(err.Error()) > 700 || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%v, want code %d and %q", err, tt.code, tt.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if id.Index != tt.index || id.Variable != tt.from {
				t.Errorf("index %d from %s, want %d from %s", id.Index, id.Variable, tt.index, tt.from)
			}
			if tt.others != nil {
				tt.others(t, id)
			}
		})
	}
}

func TestHostname(t *testing.T) {
	for _, tt := range []struct {
		host, job string
		outside   bool // not in a pod
		warnings  int
	}{
		{"job-5", "", false, 0}, {"job-6", "", false, 1}, {"job", "", false, 0}, {"job-x", "", false, 0}, {"", "", false, 0}, {"a-b-5", "", false, 0},
		{"resize-6", "resize", false, 1},
		{"node-6", "resize", false, 0}, // the node's name, with hostNetwork
		{strings.Repeat("j", 61) + "-6", strings.Repeat("j", 63), false, 1},
		{"build-6", "", true, 0},
	} {
		vars := env{"JOB_COMPLETION_INDEX": "5"}
		if !tt.outside {
			vars["KUBERNETES_SERVICE_HOST"] = "10.0.0.1"
		}
		id, err := Resolve(Settings{Job: tt.job}, vars.lookup, tt.host)
		if err != nil || id.Index != 5 || len(id.Warnings) != tt.warnings || id.Hostname != tt.host {
			t.Errorf("%q of job %q: index %d, warnings %q, %v", tt.host, tt.job, id.Index, id.Warnings, err)
		}
	}
}
