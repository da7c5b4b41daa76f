//go:build linux

package slurm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/servers"
)

// record is what a marker or a failure record tells that Slurm is asked about too.
type record struct {
	Index       int
	Attempt     int
	Job         string
	Platform    string
	ExitCode    int    `json:"exit_code"`
	StopSignal  string `json:"stop_signal"`
	Completions *int
}

func (s *scene) record(name string) (r record) {
	s.Helper()
	if err := json.Unmarshal([]byte(s.read(name)), &r); err != nil {
		s.Fatalf("%s: %v", name, err)
	}
	return r
}

// identity: an array with a step, of which few run at a time, whose script becomes nth or
// calls it in a step: the index, the markers' Job and the exit code are those that Slurm has.
func identity(t *testing.T, slurm *servers.Slurm) {
	for name, call := range map[string]string{"exec": "exec", "srun": "srun"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, slurm)
			s.write("script", "#!/bin/sh\n"+call+` NTH run --markers "file://DIR/m_<<.Job>>?create_dir=true" -- sh -c '
echo "<<.Index>> <<.RawIndex>> <<.Attempt>> $JOB_COMPLETION_INDEX $SLURM_ARRAY_TASK_ID" >"out_<<.Index>>"; test <<.Index>> -ne 7 || exit 9'`)
			job := s.submit("--array=3-9:2%2", "script")
			s.Wait(t, job)
			for _, n := range []int{3, 5, 7, 9} {
				state, code, kind := "COMPLETED", "0:0", "done"
				if n == 7 {
					state, code, kind = "FAILED", "9:0", "failed"
				}
				told := s.Job(t, fmt.Sprint(job, "_", n))
				if told["JobState"] != state || told["ExitCode"] != code {
					t.Errorf("%d: Slurm has %s %s, want %s %s: %s", n, told["JobState"], told["ExitCode"], state, code, s.read(fmt.Sprint(job, "_", n, ".out")))
				}
				if got, want := s.read(fmt.Sprint("out_", n)), fmt.Sprintf("%[1]d %[1]d 1 %[1]d %[1]d\n", n); got != want {
					t.Errorf("%d: the command was told %q, want %q", n, got, want)
				}
				want := record{Index: n, Attempt: 1, Job: job, Platform: "slurm"}
				if n == 7 {
					want.ExitCode = 9
				}
				if diff := cmp.Diff(want, s.record(fmt.Sprint("m_", job, "/", kind, "/", n, ".json"))); diff != "" {
					t.Errorf("%d: %s", n, diff)
				}
			}
			if out, code := s.status("m_"+job, "--indexes=3,5,7,9"); code != 1 || !strings.Contains(out, "NTH_JOB="+job+" sbatch --array=7 SCRIPT") {
				t.Errorf("exit code %d: %s", code, out)
			}
		})
	}
}

// plan: what a job's script asks is what is asked outside of it.
func plan(t *testing.T, slurm *servers.Slurm) {
	s := newScene(t, slurm)
	s.write("script", "#!/bin/sh\nexec NTH plan --completions 3 --markers 'file://DIR/m' -- echo '<<.Index>> of <<.Completions>>'\n")
	job := s.submit("--array=8", "script")
	s.Wait(t, job)
	const want = "0\techo '0 of 3'\n1\techo '1 of 3'\n2\techo '2 of 3'\n"
	if diff := cmp.Diff(want, s.read(job+"_8.out")); diff != "" {
		t.Error(diff)
	}
	if out, err := s.Command(s.path("script")).CombinedOutput(); err != nil || string(out) != want {
		t.Errorf("outside of a job: %v: %s", err, out)
	}
}
