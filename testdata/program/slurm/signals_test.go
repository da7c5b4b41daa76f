//go:build linux

package slurm

import (
	"os"
	"strings"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/servers"
)

// signalled writes down each signal that it gets, and works until it is told to stop or the
// file go is there. What it waits with is its own child, which a signal to all ends.
const signalled = `#!/bin/bash
for s in USR1 INT HUP; do trap "echo $s >>DIR/got" $s; done
trap 'echo TERM >>DIR/got; exit 3' TERM
echo $$ >DIR/began
until [ -e DIR/go ]; do sleep 0.1; done
`

// signals: what Slurm sends a job, and whom, by the way in which its script calls nth.
func signals(t *testing.T, slurm *servers.Slurm) {
	const run = `NTH run --markers 'file://DIR/m?create_dir=true' --record-start FLAGS -- DIR/signalled`
	for name, tt := range map[string]struct {
		script, flags string
		submit        []string
		act           [][]string // with JOB for the task
		got           string     // by the command; each once, unless twice is said
		goes          bool       // on, and is done
		state         string     // that Slurm tells, and the exit code where that is always the same
		left          string     // what nth status knows
	}{
		"scancel":                                {script: "exec", act: [][]string{{"scancel", "JOB"}}, got: "TERM", state: "CANCELLED 3:0", left: "failed"},
		"scancel of a script that calls nth":     {script: "call", act: [][]string{{"scancel", "JOB"}}, got: "TERM", state: "CANCELLED", left: "failed"},
		"scancel of a step":                      {script: "srun", act: [][]string{{"scancel", "JOB"}}, got: "TERM", state: "CANCELLED", left: "failed"},
		"to the script, which is nth":            {script: "exec", act: [][]string{{"scancel", "--batch", "--signal=USR1", "JOB"}}, got: "USR1", goes: true, state: "COMPLETED 0:0", left: "done"},
		"to the script, which is nth: TERM":      {script: "exec", act: [][]string{{"scancel", "-b", "-s", "TERM", "JOB"}}, got: "TERM", state: "FAILED 3:0", left: "failed"},
		"to all":                                 {script: "exec", act: [][]string{{"scancel", "--full", "--signal=USR1", "JOB"}}, got: "USR1", goes: true, state: "COMPLETED 0:0", left: "done"},
		"to a step":                              {script: "srun", act: [][]string{{"scancel", "--signal=USR1", "JOB"}}, got: "USR1", goes: true, state: "COMPLETED 0:0", left: "done"},
		"to a step, of which nth passes none on": {script: "srun", flags: "--signal USR1=", act: [][]string{{"scancel", "--signal=USR1", "JOB"}}, got: "USR1 once", goes: true, state: "COMPLETED 0:0", left: "done"},
		"before the time limit":                  {script: "exec", submit: []string{"--time=60", "--signal=B:USR1@60"}, act: [][]string{{"scontrol", "update", "JobId=JOB", "EndTime=now+80"}}, got: "USR1 once", goes: true, state: "COMPLETED 0:0", left: "done"},
		"the time limit":                         {script: "exec", submit: []string{"--time=60"}, act: [][]string{{"scontrol", "update", "JobId=JOB", "EndTime=now+1"}}, got: "TERM", state: "TIMEOUT 3:0", left: "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, slurm)
			s.write("signalled", signalled)
			call := map[string]string{"exec": "exec " + run, "call": run + "\nexit $?", "srun": "srun " + run}[tt.script]
			s.write("script", "#!/bin/sh\n"+strings.Replace(call, "FLAGS", tt.flags, 1)+"\n")
			job := s.submit(append(tt.submit, "--array=4", "script")...)
			s.await("began", "\n")
			for _, words := range tt.act {
				words = strings.Fields(strings.ReplaceAll(strings.Join(words, " "), "JOB", job+"_4"))
				s.Do(t, words[0], words[1:]...)
			}
			want, once := strings.CutSuffix(tt.got, " once")
			if want != "" {
				s.await("got", want)
			}
			if tt.goes {
				s.touch("go")
			}
			s.Wait(t, job)
			if got := strings.Fields(s.read("got")); once && len(got) != 1 || strings.Trim(strings.Join(got, ""), want) != "" {
				t.Errorf("the command got %q, want %q", got, tt.got)
			}
			told := s.Job(t, job+"_4")
			if got := told["JobState"] + " " + told["ExitCode"]; got != tt.state && told["JobState"] != tt.state {
				t.Errorf("Slurm has %s, want %s: %s", got, tt.state, s.read(job+"_4.out"))
			}
			if out, _ := s.status("m", "--indexes=4", "--list="+tt.left); out != "4\n" {
				t.Errorf("it isn't %s: %q: %s", tt.left, out, s.read(job+"_4.out"))
			}
			pid := strings.TrimSpace(s.read("began"))
			harness.Await(t, func() bool { return !strings.Contains(cmdline(pid), s.dir) }, func() string { return "its command still runs: " + pid })
		})
	}
}

func cmdline(pid string) string {
	body, _ := os.ReadFile("/proc/" + pid + "/cmdline")
	return string(body)
}
