package identity

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parse reads an environment as a process would get it.
func parse(t *testing.T, environ []string) env {
	t.Helper()
	e := env{}
	for _, s := range environ {
		name, value, _ := strings.Cut(s, "=")
		if _, twice := e[name]; twice {
			t.Errorf("%s is set twice in %q", name, environ)
		}
		e[name] = value
	}
	return e
}

func those(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func TestEnvironment(t *testing.T) {
	environ := []string{"PATH=/bin", "NTH_INDEX=3", "NTH_MARKERS=file:///m", "NTH_OTHER=x", "SLURM_ARRAY_TASK_ID=5", "NTH_ITEM_COMPLETIONS=9"}
	id, err := Resolve(Settings{Index: ptr("3")}, env{"SLURM_ARRAY_TASK_ID": "5"}.lookup, "")
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, id.Environment(environ, those("NTH_INDEX", "NTH_MARKERS"), "run-1"))
	want := env{"PATH": "/bin", "NTH_OTHER": "x", "SLURM_ARRAY_TASK_ID": "3", "JOB_COMPLETION_INDEX": "3", "NTH_ITEM_INDEX": "3",
		"NTH_ITEM_RAW_INDEX": "3", "NTH_ITEM_ATTEMPT": "1", "NTH_ITEM_JOB": "", "NTH_ITEM_RUN_ID": "run-1", "NTH_ITEM_SLOT": "0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEnvironmentOutgrown: an index beyond the number that was said isn't told that number,
// nor an outer one, for a script would calculate with it.
func TestEnvironmentOutgrown(t *testing.T) {
	vars := env{"JOB_COMPLETION_INDEX": "7", "NTH_COMPLETIONS": "5", "NTH_ITEM_COMPLETIONS": "9"}
	id, err := Resolve(Settings{Completions: ptr(int64(5))}, vars.lookup, "")
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, id.Environment(vars.environ(), those("NTH_COMPLETIONS"), "r"))
	want := env{"JOB_COMPLETION_INDEX": "7", "NTH_ITEM_INDEX": "7", "NTH_ITEM_RAW_INDEX": "7", "NTH_ITEM_ATTEMPT": "1", "NTH_ITEM_JOB": "", "NTH_ITEM_RUN_ID": "r", "NTH_ITEM_SLOT": "0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestOwnVariable: a flag's variable is not handed on either when --index-env names it.
func TestOwnVariable(t *testing.T) {
	vars := env{"NTH_NODE": "3"}
	id, err := Resolve(Settings{IndexEnv: "NTH_NODE", IndexOffset: 1}, vars.lookup, "")
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, id.Environment(vars.environ(), those("NTH_NODE"), "r"))
	if value, ok := got["NTH_NODE"]; ok || got["JOB_COMPLETION_INDEX"] != "4" {
		t.Errorf("NTH_NODE=%s is handed on: %v", value, got)
	}
}

func (e env) environ() []string {
	var environ []string
	for name := range maps.Keys(e) {
		environ = append(environ, name+"="+e[name])
	}
	return environ
}

func TestRewrites(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    Settings
		env  env
		want env // of the platforms' variables, as the command sees them
	}{
		{"nothing changed", Settings{}, env{"CI_NODE_INDEX": "3"}, env{"CI_NODE_INDEX": "3", "JOB_COMPLETION_INDEX": "2"}},
		{"list, from 1", Settings{Indexes: "7,42,90"}, env{"CI_NODE_INDEX": "3"}, env{"CI_NODE_INDEX": "91", "JOB_COMPLETION_INDEX": "90"}},
		{"offset", Settings{IndexOffset: -1}, env{"SLURM_ARRAY_TASK_ID": "3"}, env{"SLURM_ARRAY_TASK_ID": "2", "JOB_COMPLETION_INDEX": "2"}},
		{"two that agree", Settings{IndexOffset: 2}, env{"JOB_COMPLETION_INDEX": "5", "PARALLEL_SEQ": "6"}, env{"PARALLEL_SEQ": "8", "JOB_COMPLETION_INDEX": "7"}},
		{"flag", Settings{Index: ptr("9")}, env{"SLURM_ARRAY_TASK_ID": "3", "PARALLEL_SEQ": "1"}, env{"SLURM_ARRAY_TASK_ID": "9", "PARALLEL_SEQ": "10", "JOB_COMPLETION_INDEX": "9"}},
		{"no array stays none", Settings{Index: ptr("9")}, env{"SGE_TASK_ID": "undefined", "LSB_JOBINDEX": "0"},
			env{"SGE_TASK_ID": "undefined", "LSB_JOBINDEX": "0", "JOB_COMPLETION_INDEX": "9"}},
		{"the others of a choice stay", Settings{Platform: "parallel"}, env{"SLURM_ARRAY_TASK_ID": "3", "PARALLEL_SEQ": "1"},
			env{"SLURM_ARRAY_TASK_ID": "3", "PARALLEL_SEQ": "1", "JOB_COMPLETION_INDEX": "0"}},
		{"own variable", Settings{IndexEnv: "MINE", IndexOffset: 1}, env{"MINE": "3", "SLURM_ARRAY_TASK_ID": "8"}, env{"MINE": "4", "SLURM_ARRAY_TASK_ID": "4", "JOB_COMPLETION_INDEX": "4"}},
		{"a platform's as one's own", Settings{IndexEnv: "CI_NODE_INDEX"}, env{"CI_NODE_INDEX": "3"}, env{"CI_NODE_INDEX": "3", "JOB_COMPLETION_INDEX": "3"}},
		{"a platform's as one's own, and offset", Settings{IndexEnv: "CI_NODE_INDEX", IndexOffset: 1}, env{"CI_NODE_INDEX": "3"}, env{"CI_NODE_INDEX": "4", "JOB_COMPLETION_INDEX": "4"}},
		{"Kubernetes' as one's own", Settings{IndexEnv: "JOB_COMPLETION_INDEX", IndexOffset: 1}, env{"JOB_COMPLETION_INDEX": "3"}, env{"JOB_COMPLETION_INDEX": "4"}},
		{"named, with an offset", Settings{IndexOffset: 1}, env{"BATCH_JOB_ARRAY_INDEX_VAR_NAME": "A", "A": "3", "BATCH_JOB_ARRAY_INDEX_OFFSET": "40"},
			env{"BATCH_JOB_ARRAY_INDEX_VAR_NAME": "A", "A": "4", "BATCH_JOB_ARRAY_INDEX_OFFSET": "40", "JOB_COMPLETION_INDEX": "44"}},
		{"named, below the offset", Settings{Index: ptr("7")}, env{"BATCH_JOB_ARRAY_INDEX_VAR_NAME": "A", "A": "3", "BATCH_JOB_ARRAY_INDEX_OFFSET": "40"},
			env{"BATCH_JOB_ARRAY_INDEX_VAR_NAME": "A", "A": "7", "BATCH_JOB_ARRAY_INDEX_OFFSET": "0", "JOB_COMPLETION_INDEX": "7"}},
		{"a line of its own", Settings{Index: ptr("7")}, env{"DISBATCH_REPEAT_INDEX": "-1", "DISBATCH_TASKID": "2"},
			env{"DISBATCH_REPEAT_INDEX": "-1", "DISBATCH_TASKID": "7", "JOB_COMPLETION_INDEX": "7"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := Resolve(tt.s, tt.env.lookup, "")
			if err != nil {
				t.Fatal(err)
			}
			got := parse(t, id.Environment(tt.env.environ(), nil, "r"))
			maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, "NTH_ITEM_") })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNested: an nth inside an nth is the same index, however the outer one found
// it. (With --platform among several that disagree the inner one is told to choose
// too: their variables still disagree.)
func TestNested(t *testing.T) {
	settings := map[string]Settings{
		"plain": {}, "offset": {IndexOffset: 2}, "offset down": {IndexOffset: -2}, "list": {Indexes: "11,13,17-30"}, "flag": {Index: ptr("4")}, "flag 0": {Index: ptr("0")},
		"variable": {IndexEnv: "MINE"}, "variable and offset": {IndexEnv: "MINE", IndexOffset: 3}, "variable and list": {IndexEnv: "MINE", Indexes: "11-30"},
		"completions": {Completions: ptr(int64(50))},
	}
	for i, p := range Platforms {
		for name, s := range settings {
			if s.Indexes != "" && !p.Fixed && s.IndexEnv == "" {
				continue
			}
			for _, second := range []Platform{{}, Platforms[(i+1)%len(Platforms)], Platforms[0]} {
				if s.Indexes != "" && s.IndexEnv == "" && !second.Fixed && second.Variable != "" {
					continue // the list is refused
				}
				t.Run(p.Name+"/"+name+"/"+second.Name, func(t *testing.T) {
					outer := env{"MINE": "8", "PATH": "/bin"}
					for _, p := range []Platform{second, p} {
						for variable, value := range map[string]string{p.Variable: strconv.FormatInt(2+p.Base, 10), p.Count: "3", p.Last: "2",
							p.Attempt: strconv.Itoa(p.First + 1), p.Job: "job-1", p.NamedBy: p.Variable} {
							if variable != "" {
								outer[variable] = value
							}
						}
					}
					a, err := Resolve(s, outer.lookup, "")
					if err != nil {
						t.Fatal(err)
					}
					inner := parse(t, a.Environment(outer.environ(), nil, "r"))
					if inner["PATH"] != "/bin" {
						t.Errorf("PATH is %q", inner["PATH"])
					}
					for _, s := range []Settings{{}, {IndexEnv: "JOB_COMPLETION_INDEX"}, {IndexEnv: "NTH_ITEM_INDEX"}} {
						b, err := Resolve(s, inner.lookup, "")
						if err != nil {
							t.Fatalf("%v: %v", inner, err)
						}
						if b.Index != a.Index {
							t.Errorf("inner index %d, outer %d", b.Index, a.Index)
						}
					}
				})
			}
		}
	}
}
