package hosts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/program"
)

// wrapper does to a task's processes what Nextflow's script .command.run does to them, by
// its documentation and by that script: the task's own script runs in the background, both
// its outputs go through tee, and all of the pipes must end before it has; its exit code is
// left in a file; TERM, INT and USR2 become SIGTERM for each process below, from the top,
// and what doesn't end by it isn't waited for; USR1 is ignored, by what is started too.
// Nextflow itself isn't run.
const wrapper = `set -u
code=0 task=
leave() { echo -n $code >.exitcode; exit $code; }
under() { echo $1; local p; for p in $(awk -v of=$1 '$2 == of { print $1 }' <<<"$all"); do under $p; done; }
end() { set +e; local all; all=$(ps -e -o pid= -o ppid=); kill $(under $task); }
trap leave EXIT; trap end TERM INT USR2; trap "" USR1
export NXF_TASK_WORKDIR=$PWD
set +e
(
	mkfifo .out .err
	tee .command.out <.out >&2 &
	tee .command.err <.err &
	bash -ue .command.sh >.out 2>.err
	code=$?
	wait
	exit $code
) &
task=$!
wait $task || code=$?
`

// nextflow is a process of Nextflow's whose tasks are run by hand.
type nextflow struct {
	*host
	script string // of a task, as the process has it
	tries  int
}

// newNextflow takes the process of the docs, with another text for its shell.
func newNextflow(t *testing.T, shell string) *nextflow {
	t.Helper()
	recipe := program.Recipe(t, "groovy", "Nextflow")
	parts := strings.Split(recipe, `"""`)
	if len(parts) != 3 {
		t.Fatalf("the recipe has no script: %s", recipe)
	}
	// What is not to be tried again, for it would end just so.
	if !strings.Contains(recipe, "task.exitStatus in [64, 65, 66, 78] ? 'terminate' : 'retry'") {
		t.Errorf("never again: %s", recipe)
	}
	line, _, found := strings.Cut(parts[1], "-- sh -c ")
	if !found {
		t.Fatalf("the script has no shell: %s", recipe)
	}
	h := newHost(t)
	line = strings.ReplaceAll(line, "${params.markers}", "file://"+h.dir+"/markers?create_dir=true")
	return &nextflow{host: h, script: line + "-- sh -c 'cd " + h.dir + "; " + shell + "'\n"}
}

// task makes the work directory of another try at a task, and gives what launches it.
func (n *nextflow) task(input int) (dir string, launch *exec.Cmd) {
	n.t.Helper()
	n.tries++
	dir = filepath.Join("work", strconv.Itoa(n.tries))
	if err := os.MkdirAll(filepath.Join(n.dir, dir), 0o777); err != nil {
		n.t.Fatal(err)
	}
	n.write(dir+"/.command.sh", "#!/bin/bash -ue\n"+strings.ReplaceAll(n.script, "${n}", strconv.Itoa(input)))
	n.write(dir+"/.command.run", wrapper)
	cmd := n.command("bash", "-c", "cd "+dir+"; exec /bin/bash -ue .command.run >.command.log 2>&1")
	cmd.Env = without(cmd.Env, "NTH_MARKERS")
	return dir, cmd
}

func without(environ []string, name string) (list []string) {
	for _, e := range environ {
		if !strings.HasPrefix(e, name+"=") {
			list = append(list, e)
		}
	}
	return list
}

// try runs a task to its end, with more variables, and compares its exit code, and what is
// done then.
func (n *nextflow) try(input, want int, done string, more ...string) (dir string) {
	n.t.Helper()
	dir, cmd := n.task(input)
	cmd.Env = append(cmd.Env, more...)
	_ = cmd.Run()
	n.ended(dir, cmd, want, done)
	return dir
}

// ended compares how a task has ended.
func (n *nextflow) ended(dir string, cmd *exec.Cmd, want int, done string) {
	n.t.Helper()
	log, _ := os.ReadFile(filepath.Join(n.dir, dir, ".command.log"))
	if code := cmd.ProcessState.ExitCode(); code != want || n.done() != done {
		n.t.Errorf("%s: exit code %d, want %d; done %q, want %q: %s", dir, code, want, n.done(), done, log)
	}
	program.CheckFile(n.t, filepath.Join(n.dir, dir, ".exitcode"), strconv.Itoa(want))
}

// TestNextflow is the recipe's task as Nextflow's own wrapper would run it: done, failed and
// tried again in another work directory, begun anew, and as one of an array.
func TestNextflow(t *testing.T) {
	t.Parallel()
	n := newNextflow(t, `echo <<.Index>> >>ran; echo out; test ! -e bad || { echo broken >&2; exit 3; }`)
	dir := n.try(0, 0, "0")
	program.CheckFile(t, filepath.Join(n.dir, dir, ".command.out"), "out\n")

	n.write("bad", "")
	dir = n.try(1, 3, "0")
	if body, err := os.ReadFile(filepath.Join(n.dir, dir, ".command.err")); err != nil || !strings.Contains(string(body), "broken\n") || !strings.Contains(string(body), `"exit_code":3`) {
		t.Errorf("%v: %s", err, body)
	}
	n.shell("rm bad")
	n.try(1, 0, "01")
	n.try(1, 0, "01") // the workflow is begun anew, without -resume

	// Of an array the index says which of its work directories it is, and of retried tasks
	// there is none. The input is the item.
	var dirs []string
	for _, input := range []int{4, 7} {
		dir, _ := n.task(input)
		dirs = append(dirs, dir)
	}
	cmd := n.command("bash", "-c", "all=("+strings.Join(dirs, " ")+"); cd ${all[$SLURM_ARRAY_TASK_ID]}; exec bash -ue .command.run >.command.log 2>&1")
	cmd.Env = append(without(cmd.Env, "NTH_MARKERS"), "SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_JOB_ID=80", "SLURM_ARRAY_TASK_COUNT=2", "SLURM_ARRAY_TASK_MIN=0", "SLURM_ARRAY_TASK_MAX=1", "SLURM_JOB_ID=81")
	_ = cmd.Run()
	n.ended(dirs[1], cmd, 0, "017")
	n.try(7, 0, "017", "SLURM_JOB_ID=82")
	n.try(7, 0, "017", "AWS_BATCH_JOB_ARRAY_INDEX=0")
	if diff := cmp.Diff([]string{"0", "1", "1", "7"}, n.lines("ran")); diff != "" {
		t.Error(diff)
	}
}

// TestNextflowStops: a task that takes too long, or whose workflow ends, is over for Nextflow
// while nth still ends its command; the failure is recorded although nobody reads what nth
// says, nothing is left, and whoever comes next begins when that is over.
func TestNextflowStops(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, grace, script string }{
		{"what it has started ignores the signal", "1s", ". ./lives"},
		{"it takes its time", "30m", `trap "until test -e go; do sleep 0.1; done; echo ended >>ran; exit 1" TERM; exec 9>lock; flock -s 9; echo ready; while :; do sleep 0.1; done`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNextflow(t, `test ! -e ready || { echo again >>ran; exit 0; }; : >ready; `+tt.script)
			script := n.script
			if n.script = strings.Replace(script, "--stop-grace 30s", "--stop-grace "+tt.grace, 1); n.script == script {
				t.Fatalf("the recipe has no grace: %s", script)
			}
			dir, cmd := n.task(2)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			program.AwaitText(t, "command that is ready", func() string {
				body, _ := os.ReadFile(filepath.Join(n.dir, dir, ".command.out"))
				return string(body)
			}, "ready")
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			n.ended(dir, cmd, 143, "")
			next, again := n.task(2)
			again.Env = append(again.Env, "NTH_LOG_LEVEL=info")
			if err := again.Start(); err != nil {
				t.Fatal(err)
			}
			want := "again\n"
			if strings.Contains(tt.script, "ended") {
				program.AwaitText(t, "wait for the claim", func() string {
					body, _ := os.ReadFile(filepath.Join(n.dir, next, ".command.err"))
					return string(body)
				}, "claim")
				n.write("go", "")
				want = "ended\nagain\n"
			}
			_ = again.Wait()
			n.ended(next, again, 0, "2")
			program.CheckFile(t, n.dir+"/ran", want)
			n.free()
			n.shell("nth status --markers file://" + n.dir + "/markers --index 2")
			if !regexp.MustCompile(`SIGTERM`).MatchString(n.out.String()) {
				t.Errorf("no record of the stop: %s", n.out.String())
			}
		})
	}
}
