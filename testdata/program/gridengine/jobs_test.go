package gridengine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// array: the numbers are those that the user chose, -tc keeps the tasks apart, and the line
// that nth status prints runs again what is left.
func array(t *testing.T, g *servers.GridEngine) {
	j := submit(t, g, `exec $nth -- sh -ec 'mkdir alone; echo "<<.Index>> of $SGE_TASK_ID to $SGE_TASK_LAST, attempt <<.Attempt>>"; sleep 0.3; rmdir alone; test <<.Index>> -ne 7 || test -e allowed'`,
		"-t", "3-9:4", "-tc", "1")
	j.says("7 of 7 to 9, attempt 1")
	if codes := j.ends(); len(j.accounted(2)) != 2 {
		t.Errorf("exit codes %v", codes)
	}
	j.says("3 of 3 to 9, attempt 1") // SGE_TASK_LAST is as it was written: there is no task 9
	var done marker.Marker
	if !j.read("done", 3, &done) || done.Platform != "sge" || done.Job != j.id || j.read("done", 7, &done) {
		t.Errorf("wrong documents: %s", j.output())
	}
	lines := left(t, j, "3-9:4", 1)
	if diff := cmp.Diff([]string{"qsub -v NTH_JOB=" + j.id + " -t 7"}, lines); diff != "" {
		t.Fatal(diff)
	}
	if err := os.WriteFile(filepath.Join(j.dir, "allowed"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	j.again(strings.Fields(lines[0])[1:]...)
	if codes := j.ends(); !cmp.Equal(codes, []string{"0"}) || strings.Contains(j.output(), "3 of 3") {
		t.Errorf("again: exit codes %v: %s", codes, j.output())
	}
	left(t, j, "3-9:4", 0)
}

// left gives the lines that nth status prints to run what is left.
func left(t *testing.T, j *job, indexes string, code int) []string {
	t.Helper()
	stdout, stderr, got := program.Nth(t, nil, "status", "--markers", j.markers, "--indexes", indexes, "--format", "json")
	var report struct{ Rerun []string }
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || got != code {
		t.Fatalf("%v, exit code %d: %s%s", err, got, stdout, stderr)
	}
	return report.Rerun
}

func noArray(t *testing.T, g *servers.GridEngine) {
	j := submit(t, g, `exec $nth -- true`)
	j.expect("78", false)
	j.says(`SGE_TASK_ID is \"undefined\": no array`)
}

// deleted: SIGKILL to all that the job has, nth first or last, leaves nothing but the trace
// of the start.
func deleted(t *testing.T, g *servers.GridEngine) {
	j := submit(t, g, `exec $nth -- sh -c '`+lives+`'`, "-t", "1")
	j.says("ready")
	j.do("qdel")
	j.expect("137", false)
	j.free()
	if !j.read("started", 1, &marker.Failure{}) || j.read("failed", 1, &marker.Failure{}) {
		t.Errorf("wrong documents: %s", j.output())
	}
}

// notified: qsub -notify announces the kill by SIGUSR2 to every process, which means stop.
func notified(t *testing.T, g *servers.GridEngine) {
	// It ends as if all were well, and isn't done.
	ends := submit(t, g, `exec $nth -- sh -c 'trap "echo saved; exit 0" USR2; echo ready; while :; do sleep 0.1; done'`, "-t", "1", "-notify")
	// No other item is begun when nth knows of it: that would not be stopped any more, as each
	// process is signalled once. Nor is one done that the signal has ended.
	each := submit(t, g, `exec $nth --items=6 --completions=2 --each -- sh -c 'trap "exit 0" USR2; echo "ready <<.Item>>"; while :; do sleep 0.1; done'`, "-t", "1", "-notify")
	// What stays is killed by Grid Engine.
	stay := func() *job {
		return submit(t, g, `exec $nth -- sh -c '`+strings.ReplaceAll(lives, "exec 9", `trap "echo heard" USR2; exec 9`)+`'`, "-t", "1", "-notify", "-q", "brief.q")
	}
	stays := stay()
	// A command that knows SIGTERM alone, and each process is signalled by Grid Engine already.
	as := submit(t, g, `exec $nth --signal=USR2=TERM -- sh -c 'trap "" USR2; trap "echo ends; exit 0" TERM; echo ready; while :; do sleep 0.1; done'`, "-t", "1", "-notify")
	// A whole Job in one job of Grid Engine's.
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	whole := submit(t, g, "exec "+nth+` local --completions=2 --parallelism=2 --markers="file://$PWD/markers/$JOB_ID?create_dir=true" -- `+
		`sh -c 'trap "echo saved; exit 0" USR2 TERM; echo "ready <<.Index>>"; while :; do sleep 0.1; done'`, "-notify")
	whole.says("ready 0")
	for _, j := range []*job{ends, each, stays, as, whole} {
		j.says("ready")
	}
	whole.says("ready 1")
	for _, j := range []*job{ends, each, stays, as, whole} {
		j.do("qdel")
	}
	ends.expect("140", false)
	ends.says("saved")
	var f marker.Failure
	if !ends.read("failed", 1, &f) || f.StopSignal != "SIGUSR2" {
		t.Errorf("the record says %+v: %s", f, ends.output())
	}
	each.expect("140", false)
	each.says("stopped by SIGUSR2 when 0 of 3 were done")
	for !stays.isKilled() {
		stays = stay()
		stays.says("ready")
		stays.do("qdel")
	}
	stays.expect("137", false)
	stays.free()
	stays.says("heard")
	as.expect("140", false)
	as.says("ends")
	whole.expect("140", false)
	whole.says("stopped by SIGUSR2")
	whole.says("[0] saved")
	whole.says("[1] saved")
	if whole.read("done", 0, &marker.Marker{}) {
		t.Errorf("it is done: %s", whole.output())
	}
}

// softLimit: SIGUSR1 warns of the end, and may be a suspension's too: what it means is told.
func softLimit(t *testing.T, g *servers.GridEngine) {
	j := submit(t, g, `exec $nth --stop-signals=TERM,USR1,USR2 -- sh -c 'trap "echo saved; exit 0" USR1; echo ready; while :; do sleep 0.1; done'`,
		"-t", "1", "-l", "s_rt=0:0:2")
	j.expect("138", false)
	j.says("saved")
}

// memory: h_vmem is each process's own limit of address space, of which Go's runtime wants a
// lot; what all of the job's processes have together is counted by what they use.
func memory(t *testing.T, g *servers.GridEngine) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	little := submit(t, g, `exec $nth -- true`, "-t", "1", "-l", "h_vmem=300M")
	// Three programs in Go, for longer than the second between two looks of Grid Engine.
	enough := submit(t, g, `exec $nth --logs=file://$PWD/logs?create_dir=true -- `+nth+` run --index=0 -- `+nth+` run --index=0 -- sleep 2.5`, "-t", "1", "-l", "h_vmem=1500M")
	little.expect("2", false)
	little.says("fatal error: failed to reserve page summary memory")
	enough.expect("0", true)
	if out := enough.output(); strings.Contains(out, "address space") {
		t.Errorf("it warns: %s", out)
	}
}

// rescheduled: by hand, in the middle of its work.
func rescheduled(t *testing.T, g *servers.GridEngine) {
	j := submit(t, g, `exec $nth -- sh -c 'test <<.Attempt>> = 1 || exit 0; `+lives+`'`, "-t", "1")
	j.says("ready")
	j.do("qmod", "-rj")
	j.accounted(2)
	j.ends()
	j.free()
	var done marker.Marker
	if !j.read("done", 1, &done) || done.Attempt != 2 {
		t.Errorf("attempt %d: %s", done.Attempt, j.output())
	}
}

// exitCodes: Grid Engine runs what exits with 99 again, and what exits with 100 when it is told
// to; both pass through nth.
func exitCodes(t *testing.T, g *servers.GridEngine) {
	const fails = `exec $nth -- sh -c 'echo "attempt <<.Attempt>>"; test <<.Attempt>> != 1 || exit %'`
	again := submit(t, g, strings.ReplaceAll(fails, "%", "99"), "-t", "1")
	held := submit(t, g, `test -e allowed && RESTARTED=1; `+strings.ReplaceAll(fails, "%", "100"), "-t", "1")
	for _, j := range []*job{again, held} {
		if j == held {
			harness.Await(t, func() bool { return strings.Contains(j.Manage(t, "qstat", "-u", "*").Stdout, "Eqw") }, func() string { return "no error state" })
			if err := os.WriteFile(filepath.Join(j.dir, "allowed"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			if out := j.Manage(t, "qmod", "-cj", j.id); !strings.Contains(out.Stdout, "cleared error state") { // its exit code is 1 all the same
				t.Fatalf("qmod: %+v", out)
			}
		}
		j.ends()
		var f marker.Failure
		if !j.read("done", 1, &marker.Marker{}) || !j.read("failed", 1, &f) || f.ExitCode != 99 && f.ExitCode != 100 {
			t.Errorf("exit code %d: %s", f.ExitCode, j.output())
		}
	}
}

// suspended: all of the job stops, and goes on to its end.
func suspended(t *testing.T, g *servers.GridEngine) {
	j := submit(t, g, `exec $nth -- sh -c 'echo ready; until test -e go; do echo beat; sleep 0.05; done'`, "-t", "1")
	j.says("ready")
	j.do("qmod", "-sj")
	// nth and the shell: what the shell has just waited for may have ended.
	harness.Await(t, func() bool { states := j.states(); return len(states) >= 2 && strings.Trim(states, "TZ") == "" },
		func() string { return "not all of it is stopped: " + j.states() })
	if err := os.WriteFile(filepath.Join(j.dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	j.do("qmod", "-usj")
	j.expect("0", true)
}

// recipe is the script of the docs.
func recipe(t *testing.T, g *servers.GridEngine) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	j := submit(t, g, "sleep 600", "-h") // for its folder
	script := strings.ReplaceAll(program.Recipe(t, "bash", "qsub"), "exec nth ", "exec "+nth+" ")
	for name, body := range map[string]string{"script": script, "file_2.txt": "two", "file_3.txt": "three"} {
		if err := os.WriteFile(filepath.Join(j.dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	j.again("-t", "2-3", "-tc", "50", "-notify")
	j.markers = "file://" + j.dir + "/markers/" + j.id
	j.ends()
	left(t, j, "2-3", 0)
	j.says("  file_2.txt\n")
}
