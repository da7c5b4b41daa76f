//go:build linux

package slurm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestMemory: where the kernel kills for memory, it kills the command alone, and nth says why
// it ended; status prints the line for those. Where Slurm itself does it, all are killed, as
// the array shows.
func TestMemory(t *testing.T) {
	t.Parallel()
	var s *scene
	if servers.HasControlGroups() {
		s = newScene(t, servers.StartSlurmGroups(t))
	} else {
		s = newScene(t, servers.StartSlurm(t))
	}
	s.write("SCRIPT", `#!/bin/sh
exec NTH run --markers 'file://DIR/m?create_dir=true' --record-start -- perl -e 'my $all = "a" x 300e6; sleep 600'
`)
	job := s.submit("--array=3", "SCRIPT")
	s.Wait(t, job)
	told := s.Job(t, job+"_3")
	out, _ := s.status("m", "--indexes=3", "--reason=oom")
	if servers.HasControlGroups() {
		if told["JobState"] != "OUT_OF_MEMORY" || !strings.Contains(out, "NTH_JOB="+job+" sbatch --array=3 SCRIPT") {
			t.Errorf("Slurm has %s: %s %s", told["JobState"], out, s.read(job+"_3.out"))
		}
	} else if left, _ := s.status("m", "--indexes=3", "--list=started"); told["ExitCode"] != "0:9" || left != "3\n" {
		t.Errorf("Slurm has %s: %s %s", told["ExitCode"], left, s.read(job+"_3.out"))
	}
}

// work is what the array's tasks do: one waits to be put back into the queue, one to be
// cancelled, and one takes too much memory, each until the file go is there. Slurm signals one
// process after the other: a shell whose child is hit first would go on with its next line.
const work = `#!/bin/sh
n=$1
case $n-$SLURM_RESTART_COUNT in
50-) touch DIR/began_50; exec sleep 600 ;;
90-) [ -e DIR/go ] || { touch DIR/began_90; exec sleep 600; } ;;
120-) [ -e DIR/go ] || exec perl -e '$all = "a" x 300e6; sleep 600' ;;
esac
echo $n >>DIR/ran
`

// array: of 200 tasks with markers one is requeued in the middle, one cancelled, and one
// killed for its memory; nth status knows what is left, and the line that it prints runs just
// that.
func array(t *testing.T, slurm *servers.Slurm) {
	s := newScene(t, slurm)
	s.write("work", work)
	s.write("SCRIPT", `#!/bin/sh
exec NTH run --markers 'file://DIR/m/<<.Job>>?create_dir=true' --record-start --stop-grace 5s -- DIR/work '<<.Index>>'
`)
	job := s.submit("--array=0-199%40", "SCRIPT")
	for _, n := range []string{"50", "90"} {
		program.Appears(t, s.path("began_"+n))
	}
	s.Do(t, "scontrol", "requeue", job+"_50")
	s.Do(t, "scancel", job+"_90")
	harness.Await(t, func() bool {
		told := s.Job(t, job+"_50")
		return told["JobState"] == "PENDING" && told["Reason"] == "BeginTime"
	}, func() string { return "it isn't requeued: " + s.Says("scontrol", "show", "job", job+"_50") })
	s.Do(t, "scontrol", "update", "JobId="+job+"_50", "StartTime=now+3") // instead of two minutes; in the second of its end Slurm refuses it
	s.Wait(t, job)

	look := func(want string) {
		t.Helper()
		var report struct {
			Counts struct{ Done, Failed, Started, Missing int }
			Rerun  []string
		}
		out, _ := s.status("m/"+job, "--completions=200", "--format=json")
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		c := report.Counts
		if got := fmt.Sprintf("%d %d %d %d %s", c.Done, c.Failed, c.Started, c.Missing, strings.Join(report.Rerun, ";")); got != want {
			t.Errorf("done, failed, started, missing and what is left are %s, want %s: %s", got, want, out)
		}
	}
	for n, want := range map[string]string{"50": "COMPLETED 0:0 1", "90": "CANCELLED 143:0 0", "120": "FAILED 0:9 0", "7": "COMPLETED 0:0 0"} {
		told := s.Job(t, job+"_"+n)
		if got := told["JobState"] + " " + told["ExitCode"] + " " + told["Restarts"]; got != want {
			t.Errorf("Slurm tells of %s %s, want %s: %s", n, got, want, s.read(job+"_"+n+".out"))
		}
	}
	if out := s.read(job + "_120.out"); !strings.Contains(out, "exceeded memory limit") {
		t.Errorf("Slurm doesn't say why it killed: %s", out)
	}
	// SIGTERM to each process of a job that is taken away was recorded; what is killed
	// outright has only begun.
	for name, want := range map[string]record{
		"failed/90": {Index: 90, Attempt: 1, ExitCode: 143, StopSignal: "SIGTERM"},
		"failed/50": {Index: 50, Attempt: 1, ExitCode: 143, StopSignal: "SIGTERM"},
		"done/50":   {Index: 50, Attempt: 2},
	} {
		want.Job, want.Platform = job, "slurm"
		if diff := cmp.Diff(want, s.record("m/"+job+"/"+name+".json")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	look("198 1 1 0 NTH_JOB=" + job + " sbatch --array=90,120")

	s.touch("go")
	out, _ := s.status("m/"+job, "--completions=200")
	_, line, _ := strings.Cut(out, "to run what is left again")
	_, line, _ = strings.Cut(line, "\n")
	cmd := s.Command("sh", "-c", strings.TrimSpace(line))
	cmd.Dir = s.dir
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, said)
	}
	again := strings.Fields(string(said))
	s.Wait(t, again[len(again)-1])
	look("200 0 0 0 ")
	ran := strings.Fields(s.read("ran"))
	slices.Sort(ran)
	if once := slices.Compact(slices.Clone(ran)); len(ran) != 200 || len(once) != 200 {
		t.Errorf("%d runs ended well, of %d indexes", len(ran), len(once))
	}
}
