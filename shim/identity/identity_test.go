package identity

import (
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/failure"
)

type env map[string]string

func (e env) lookup(name string) (string, bool) { v, ok := e[name]; return v, ok }

func ptr[T any](v T) *T { return &v }

func TestEveryPlatform(t *testing.T) {
	for _, p := range Platforms {
		t.Run(p.Name, func(t *testing.T) {
			vars := env{p.Variable: strconv.FormatInt(7+p.Base, 10)}
			want := Identity{Index: 7, RawIndex: 7 + p.Base, Attempt: 1, Platform: p.Name, Variable: p.Variable}
			if p.Count != "" {
				vars[p.Count], want.Completions = "20", ptr(int64(20))
			}
			if p.Last != "" {
				vars[p.Last] = "30"
			}
			if p.Attempt != "" {
				vars[p.Attempt], want.Attempt = strconv.Itoa(p.First+1), 2
			}
			if p.Job != "" {
				vars[p.Job], want.Job = "job-1", "job-1"
			}
			got, err := Resolve(Settings{}, vars.lookup, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool {
				return p.String() == "platform" || p.String() == "rewrites"
			}, cmp.Ignore())); diff != "" {
				t.Error(diff)
			}
			refused := func(name string, vars env, s Settings, code failure.Code) {
				t.Helper()
				if _, err := Resolve(s, vars.lookup, ""); err == nil || failure.From(err).Code != code || !strings.Contains(err.Error(), name) {
					t.Errorf("%v %v: %v, want code %d and %s", vars, s, err, code, name)
				}
			}
			for _, bad := range []string{"", "abc", "-1", "1.5", "+3", "0x10", " 7", "99999999999999999999"} {
				refused(p.Variable, env{p.Variable: bad}, Settings{}, failure.Setup)
			}
			for _, not := range p.NotArray {
				refused(p.Variable, env{p.Variable: not}, Settings{}, failure.Setup)
			}
			refused(p.Variable, env{}, Settings{Platform: p.Name}, failure.Setup)
			if p.Last != "" {
				refused("30", env{p.Variable: "31", p.Last: "30"}, Settings{}, failure.BadIndex)
			}
			if p.Fixed && p.Count != "" {
				refused("last index", env{p.Variable: strconv.FormatInt(20+p.Base, 10), p.Count: "20"}, Settings{}, failure.BadIndex)
			}
			if !p.Fixed {
				refused("--indexes", env{p.Variable: "1"}, Settings{Indexes: "3,5"}, failure.Setup)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	k8s := func(index string) env { return env{"JOB_COMPLETION_INDEX": index} }
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
		{name: "two that disagree", env: env{"SLURM_ARRAY_TASK_ID": "5", "PARALLEL_SEQ": "1"}, code: failure.Setup, says: "SLURM_ARRAY_TASK_ID and PARALLEL_SEQ"},
		{name: "chosen", s: Settings{Platform: "parallel"}, env: env{"SLURM_ARRAY_TASK_ID": "5", "PARALLEL_SEQ": "1"}, index: 0, from: "PARALLEL_SEQ"},
		{name: "chosen by the flag", s: Settings{Index: ptr("9")}, env: env{"SLURM_ARRAY_TASK_ID": "5", "PARALLEL_SEQ": "1"}, index: 9, from: "--index"},
		{name: "unknown platform", s: Settings{Platform: "cray"}, env: k8s("5"), code: failure.Usage, says: "kubernetes"},
		{name: "not an array there", env: env{"SGE_TASK_ID": "undefined", "LSB_JOBINDEX": "3"}, index: 3, from: "LSB_JOBINDEX"},
		{name: "below the base", env: env{"PARALLEL_SEQ": "0"}, code: failure.Setup, says: "counts from 1"},
		{name: "none", env: env{}, code: failure.Setup, says: "--index"},
		{name: "none on Kubernetes", env: env{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, code: failure.Setup, says: "completionMode: Indexed"},
		{name: "offset", s: Settings{IndexOffset: -1}, env: env{"SLURM_ARRAY_TASK_ID": "5"}, index: 4, from: "SLURM_ARRAY_TASK_ID"},
		{name: "offset below 0", s: Settings{IndexOffset: -6}, env: k8s("5"), code: failure.Setup, says: "--index-offset"},
		{name: "offset beyond int64", s: Settings{IndexOffset: 9223372036854775807}, env: k8s("5"), code: failure.Setup, says: "--index-offset"},
		{name: "beyond the last", s: Settings{Completions: ptr(int64(5))}, env: k8s("5"), code: failure.BadIndex, says: "5 completions"},
		{name: "the last", s: Settings{Completions: ptr(int64(6))}, env: k8s("5"), index: 5, from: "JOB_COMPLETION_INDEX"},
		{name: "no completions", s: Settings{Completions: ptr(int64(0))}, env: k8s("5"), code: failure.Setup, says: "--completions"},
		{name: "Slurm's count is no bound", s: Settings{}, env: env{"SLURM_ARRAY_TASK_ID": "42", "SLURM_ARRAY_TASK_COUNT": "1", "SLURM_ARRAY_TASK_MAX": "42"}, index: 42, from: "SLURM_ARRAY_TASK_ID"},
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
				if err == nil || failure.From(err).Code != tt.code || !strings.Contains(err.Error(), tt.says) {
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
	for host, warnings := range map[string]int{"job-5": 0, "job-6": 1, "job": 0, "job-x": 0, "": 0, "a-b-5": 0} {
		id, err := Resolve(Settings{}, env{"JOB_COMPLETION_INDEX": "5"}.lookup, host)
		if err != nil || id.Index != 5 || len(id.Warnings) != warnings {
			t.Errorf("%q: index %d, warnings %q, %v", host, id.Index, id.Warnings, err)
		}
	}
}

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

func TestEnvironment(t *testing.T) {
	environ := []string{"PATH=/bin", "NTH_INDEX=3", "NTH_MARKERS=file:///m", "NTH_OTHER=x", "SLURM_ARRAY_TASK_ID=5", "NTH_ITEM_COMPLETIONS=9"}
	id, err := Resolve(Settings{Index: ptr("3")}, env{"SLURM_ARRAY_TASK_ID": "5"}.lookup, "")
	if err != nil {
		t.Fatal(err)
	}
	got := parse(t, id.Environment(environ, map[string]bool{"NTH_INDEX": true, "NTH_MARKERS": true}, "run-1"))
	want := env{"PATH": "/bin", "NTH_OTHER": "x", "SLURM_ARRAY_TASK_ID": "3", "JOB_COMPLETION_INDEX": "3", "NTH_ITEM_INDEX": "3",
		"NTH_ITEM_RAW_INDEX": "3", "NTH_ITEM_ATTEMPT": "1", "NTH_ITEM_JOB": "", "NTH_ITEM_RUN_ID": "run-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestNested: an nth inside an nth is the same index, however the outer one found it.
func TestNested(t *testing.T) {
	settings := map[string]Settings{
		"plain": {}, "offset": {IndexOffset: 2}, "list": {Indexes: "11,13,17-30"}, "flag": {Index: ptr("4")}, "variable": {IndexEnv: "MINE"},
		"variable and offset": {IndexEnv: "MINE", IndexOffset: 3},
	}
	for _, p := range Platforms {
		for name, s := range settings {
			if s.Indexes != "" && !p.Fixed {
				continue
			}
			t.Run(p.Name+"/"+name, func(t *testing.T) {
				outer := env{p.Variable: strconv.FormatInt(2+p.Base, 10), "MINE": "8"}
				a, err := Resolve(s, outer.lookup, "")
				if err != nil {
					t.Fatal(err)
				}
				var environ []string
				for k := range maps.Keys(outer) {
					environ = append(environ, k+"="+outer[k])
				}
				inner := parse(t, a.Environment(environ, nil, "r"))
				b, err := Resolve(Settings{}, inner.lookup, "")
				if err != nil {
					t.Fatalf("%v: %v", inner, err)
				}
				if b.Index != a.Index {
					t.Errorf("inner index %d, outer %d", b.Index, a.Index)
				}
			})
		}
	}
}
