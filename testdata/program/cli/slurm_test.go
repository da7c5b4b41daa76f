package cli

import (
	"strconv"
	"strings"
	"testing"

	"nth/shim/config"
	"nth/shim/flags"
	"nth/shim/manifest"
	"nth/testdata/harness"
	"nth/testdata/program"
)

// TestSlurmRefused: what is about pods is refused by its name, and so is every flag that there
// will be, unless it is known what a script of Slurm's does with it.
func TestSlurmRefused(t *testing.T) {
	rows, err := flags.Reference(&manifest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	taken := " --name --kind --no-look --sbatch --requests --limits --parallelism --missing --failed --reason --memory --cpu "
	values := map[string]string{"--format": "json", "--via": "copy", "--nth-image": "b", "--replicas": "2", "--user": "7", "--active-deadline": "1h", "--ttl": "1h", "--backoff-limit-per-index": "7"}
	refused := 0
	for _, r := range rows {
		flag, _, _ := strings.Cut(r.Flag, " ")
		if config.UseOf(flag, config.ForManifest) != config.Unknown || strings.Contains(taken, " "+flag+" ") {
			continue
		}
		refused++
		value, known := values[flag]
		if !known {
			value = "1"
		}
		out, stderr, code := program.Nth(t, nil, "manifest", "--kind=slurm", "--completions=3", "--job=a", flag+"="+value, "--", "echo", "<<.Index>>")
		if code != 64 || !strings.Contains(stderr, flag+": it is about Kubernetes") || out != "" {
			t.Errorf("%s=%s: exit code %d: %s", flag, value, code, stderr)
		}
	}
	if refused < 18 {
		t.Errorf("only %d flags are refused", refused)
	}
}

// TestSlurmScript: what is printed, of which the tests under Slurm run a part.
func TestSlurmScript(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		code int
		has  []string // lines of the script, or of what is said
		not  string   // in the script
	}{
		{"numbers", []string{"--completions=3"}, 0, []string{"#SBATCH --array=0-2", "  --completions=3 \\", "  --job=a \\"}, "--time"},
		{"two", []string{"--completions=2"}, 0, []string{"#SBATCH --array=0,1"}, ""},
		{"some of them", []string{"--completions=90", "--indexes=7,9-11,80", "--parallelism=2"}, 0, []string{"#SBATCH --array=7,9-11,80%2", "  --completions=90 \\", "  --job=a \\"}, "indexes="},
		{"many", []string{"--completions=2000"}, 0, []string{"#SBATCH --array=0-1999", "MaxArraySize"}, ""},
		{"a list that is too long", []string{"--completions=100000", "--indexes=" + odd(3000)}, 78, []string{"the list of indexes"}, "#"},
		{"from 1", []string{"--completions=3", "--index-offset=-1"}, 0, []string{"#SBATCH --array=1-3", "  --index-offset=-1 \\"}, ""},
		{"some, from 1", []string{"--completions=9", "--index-offset=-1", "--indexes=2,7"}, 0, []string{"#SBATCH --array=3,8", "  --index-offset=-1 \\"}, ""},
		{"below 0", []string{"--completions=3", "--index-offset=1"}, 78, []string{"--index-offset"}, "#"},
		{"a queue's workers", []string{"--tasks=redis://h/0?queue=q", "--parallelism=5"}, 0, []string{"#SBATCH --array=0-4", `if [ -z "${SLURM_JOB_END_TIME:-}" ]; then`}, "%5"},
		{"workers that know when they end", []string{"--tasks=redis://h/0?queue=q", "--parallelism=5", "--max-runtime=1h", "--timeout=30m"}, 0, []string{"#SBATCH --time=94", "#SBATCH --signal=B:TERM@150"}, "END_TIME"},
		{"a time", []string{"--completions=3", "--timeout=57m", "--marker-timeout=0s", "--stop-grace=1m"}, 0, []string{"#SBATCH --time=60", "#SBATCH --signal=B:TERM@70", "  --stop-grace=1m \\"}, "NTH_STOP_GRACE"},
		{"a time with retries", []string{"--completions=3", "--timeout=1h", "--retries=2"}, 0, []string{"#SBATCH --time=186"}, ""},
		{"a time of one's own", []string{"--completions=3", "--timeout=1h", "--sbatch=time=3:00:00", "--sbatch=signal=B:USR1@60"}, 0, []string{"#SBATCH --time=3:00:00", "#SBATCH --signal=B:USR1@60"}, "TERM"},
		{"the time of many items", []string{"--completions=3", "--items=9", "--each", "--timeout=1h"}, 0, []string{"nothing says how long a task may take"}, "#SBATCH --time"},
		{"options of one's own", []string{"--completions=3", "--sbatch=no-requeue", "--sbatch=output=/dev/null", "--sbatch=mem=3G", "--limits=memory=1Gi"}, 0, []string{"#SBATCH --no-requeue", "#SBATCH --output=/dev/null", "#SBATCH --mem=3G"}, "SBATCH --requeue"},
		{"needs", []string{"--completions=3", "--requests=cpu=1100m,memory=1G"}, 0, []string{"#SBATCH --cpus-per-task=2", "#SBATCH --mem=954M"}, ""},
		{"needs that are no options", []string{"--completions=3", "--limits=nvidia.com/gpu=1"}, 64, []string{"gres=gpu:1"}, "#"},
		{"no unique ID", []string{"--completions=3", "--markers=s3://b/<<.JobUID>>"}, 78, []string{"JobUID"}, "#"},
		{"--sbatch of a Job", []string{"--kind=job", "--completions=3", "--image=a", "--sbatch=mem=1G"}, 78, []string{"--sbatch"}, "apiVersion"},
		{"Slurm's own numbers", []string{"--completions=3", "--platform=slurm"}, 0, []string{"#SBATCH --array=0-2", "  --platform=slurm \\"}, ""},
		{"another's numbers", []string{"--completions=3", "--platform=kubernetes"}, 64, []string{"--platform"}, "#"},
		{"an input that isn't there", []string{"--completions=3", "--require=file:///nowhere/<<.Index>>"}, 66, []string{"the inputs of indexes 0-2 aren't there"}, "#"},
		{"an input that isn't looked for", []string{"--completions=3", "--require=file:///nowhere/<<.Index>>", "--no-look"}, 0, []string{"#SBATCH --array=0-2"}, ""},
		{"as many as there are rows", []string{"--completions=auto", "--tasks=file://" + harness.Root() + "/testdata/examples/people.csv"}, 0, []string{"  --completions=5 \\"}, "auto"},
		{"a secret", []string{"--completions=3", "--env=API_TOKEN=canary"}, 0, []string{"the script: write <<secret"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"manifest", "--kind=slurm", "--name=a", "--store-wait=0s"}, tt.args...)
			out, stderr, code := program.Nth(t, nil, append(args, "--", "echo", "<<.Index>>")...)
			for _, line := range tt.has {
				if !strings.Contains(out, line+"\n") && !strings.Contains(stderr, line) {
					t.Errorf("there is no %q", line)
				}
			}
			if code != tt.code || tt.not != "" && strings.Contains(out, tt.not) || t.Failed() {
				t.Errorf("exit code %d, want %d, without %q: %s%s", code, tt.code, tt.not, out, stderr)
			}
		})
	}
	out, _, code := program.Nth(t, []string{"NTH_MARKERS=s3://b/it's/<<.Job>>", "NTH_DIGEST_EXTRA=a\nb"}, "manifest", "--kind=slurm", "--name=a", "--completions=3", "--", "echo", "<<.Index>>")
	if !strings.Contains(out, `export NTH_MARKERS='s3://b/it'\''s/<<.Job>>'`) || !strings.Contains(out, "export NTH_DIGEST_EXTRA='a\n''b'") {
		t.Errorf("what the environment says isn't in the script: exit code %d: %s", code, out)
	}
}

// odd is a list without ranges.
func odd(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(2*i + 1)
	}
	return strings.Join(list, ",")
}
