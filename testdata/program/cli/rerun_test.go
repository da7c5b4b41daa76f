package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
	"nth/testdata/program"
)

// The submitting commands as their manuals have it: each number of the array is a run of the
// script, in a Job with an ID of its own. sbatch hands its environment on, and qsub only what
// -v names.
const (
	sbatch = `#!/bin/sh
IFS=,
for part in ${1#--array=}; do
	for n in $(seq -s, "${part%-*}" "${part#*-}"); do
		SLURM_ARRAY_JOB_ID=2 SLURM_ARRAY_TASK_ID=$n sh "$2" || :
	done
done`
	qsub = `#!/bin/sh
unset NTH_JOB
if [ "$1" = -v ]; then export "$2"; shift 2; fi
range=${2%:*} step=1
case $2 in *:*) step=${2#*:};; esac
for n in $(seq "${range%-*}" "$step" "${range#*-}"); do
	JOB_ID=2 SGE_TASK_ID=$n sh "$3" || :
done`
)

// TestRerun: the line that nth status prints runs just what is left of an array.
func TestRerun(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, job, number string   // the variables of the array
		numbers           []string // that ran
		flags, look       []string
		rerun             []string
		again             string // indexes that run then
	}{
		{"slurm", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", []string{"0", "1", "2", "5", "6"}, nil, []string{"--completions=9"},
			[]string{"NTH_JOB=1 sbatch --array=1,3,4,6-8"}, "1 3 4 6 7 8"},
		{"slurm from 1", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", []string{"1", "2", "3", "6"}, []string{"--index-offset=-1"}, []string{"--completions=9"},
			[]string{"NTH_JOB=1 sbatch --array=2,4,5,7-9"}, "1 3 4 6 7 8"},
		{"slurm, some", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", []string{"4", "10", "11"}, nil, []string{"--indexes=4,10-20"},
			[]string{"NTH_JOB=1 sbatch --array=12-20"}, "12 13 14 15 16 17 18 19 20"},
		{"slurm, of one reason", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", []string{"1", "2", "6"}, nil, []string{"--completions=9", "--reason=exit-1"},
			[]string{"NTH_JOB=1 sbatch --array=1,6"}, "1 6"},
		{"slurm, of a reason that nobody has", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", []string{"1", "2"}, nil, []string{"--completions=9", "--reason=exit-3"}, nil, ""},
		{"grid engine", "JOB_ID", "SGE_TASK_ID", []string{"1", "2", "4", "6"}, nil, []string{"--indexes=1-10"},
			[]string{"qsub -v NTH_JOB=1 -t 1-5:2", "qsub -v NTH_JOB=1 -t 6-10"}, "1 3 5 6 7 8 9 10"},
		{"grid engine from 0", "JOB_ID", "SGE_TASK_ID", []string{"1", "3"}, []string{"--index-offset=-1"}, []string{"--completions=3"},
			[]string{"qsub -v NTH_JOB=1 -t 2"}, "1"},
		{"all is done", "JOB_ID", "SGE_TASK_ID", []string{"3"}, nil, []string{"--indexes=3"}, nil, ""},
		{"another array than that", "JOB_ID", "SGE_TASK_ID", []string{"3"}, nil, []string{"--completions=5"}, nil, ""},
		{"a platform that can't", "", "BATCH_TASK_INDEX", []string{"3"}, nil, []string{"--completions=5"}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, body := range map[string]string{"sbatch": sbatch, "qsub": qsub} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			// What fails once: 1, 6. The markers are the first Job's.
			work := fmt.Sprintf("echo <<.Index>> >>%[1]s/ran; case <<.Index>> in 1|6) [ -e %[1]s/mended ];; esac", dir)
			command := append([]string{"run", "--markers=file://" + dir + "/m/<<.Job>>?create_dir=true", "--log-format=none"}, tt.flags...)
			command = append(command, "--", "sh", "-c", work)
			for _, n := range tt.numbers {
				program.Nth(t, []string{tt.job + "=1", tt.number + "=" + n}, command...)
			}
			job := "1"
			if tt.job == "" {
				job = ""
				command[1] = "--markers=file://" + dir + "/m?create_dir=true"
				for _, n := range tt.numbers {
					program.Nth(t, []string{tt.number + "=" + n}, command...)
				}
			}
			look := append([]string{"status", "--markers=file://" + dir + "/m/" + job}, tt.look...)
			out, stderr, code := program.Nth(t, nil, append(look, "--format=json")...)
			var report struct{ Rerun []string }
			if err := json.Unmarshal([]byte(out), &report); err != nil {
				t.Fatalf("exit code %d: %v: %s", code, err, stderr)
			}
			if diff := cmp.Diff(tt.rerun, report.Rerun); diff != "" {
				t.Fatal(diff)
			}
			text, _, _ := program.Nth(t, nil, look...)
			_, shown, is := strings.Cut(text, "to run what is left again\n")
			if is != (len(tt.rerun) > 0) {
				t.Errorf("it is shown: %v: %s", is, text)
			}
			script := "#!/bin/sh\nexec " + nth
			for _, word := range command {
				script += " '" + strings.ReplaceAll(word, "'", `'\''`) + "'"
			}
			for name, body := range map[string]string{"SCRIPT": script, "ran": "", "mended": ""} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for _, line := range strings.Split(strings.TrimSpace(shown), "\n") {
				again := exec.Command("sh", "-c", line)
				again.Dir, again.Env = dir, []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
				if out, err := again.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v: %s", line, err, out)
				}
			}
			ran, _ := os.ReadFile(filepath.Join(dir, "ran"))
			if got := strings.Join(strings.Fields(string(ran)), " "); got != tt.again {
				t.Errorf("%q ran, want %q", got, tt.again)
			}
			if out, _, code := program.Nth(t, nil, look...); len(tt.rerun) > 0 && code != 0 && !slices.Contains(tt.look, "--reason=exit-1") {
				t.Errorf("after that not all is done: %s", out)
			}
		})
	}
}
