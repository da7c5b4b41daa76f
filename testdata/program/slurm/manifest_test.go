//go:build linux

package slurm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
	"github.com/google/go-cmp/cmp"

	"nth/testdata/program"
	"nth/testdata/servers"
)

// print has nth print a script, and checks that shells and shellcheck take it.
func (s *scene) print(name string, args ...string) string {
	s.Helper()
	out, stderr, code := program.Nth(s.T, nil, append([]string{"manifest", "--kind=slurm"}, args...)...)
	if code != 0 {
		s.Fatalf("exit code %d: %s", code, stderr)
	}
	if err := os.WriteFile(s.path(name), []byte(out), 0o755); err != nil {
		s.Fatal(err)
	}
	// What is left out doubts what a value holds: dollars in single quotes, and line breaks.
	for _, check := range [][]string{{"bash", "-n"}, {"dash", "-n"}, {"shellcheck", "--exclude=SC2016,SC1078,SC1079"}} {
		if said, err := exec.Command(check[0], append(check[1:], s.path(name))...).CombinedOutput(); err != nil {
			s.Errorf("%q: %v: %s\n%s", check, err, said, out)
		}
	}
	return out
}

// sbatch submits as a person does it, with nth in PATH.
func (s *scene) sbatch(words ...string) string {
	s.Helper()
	cmd := s.Command("sh", "-c", strings.Join(words, " "))
	cmd.Dir = s.dir
	for i, e := range cmd.Env {
		if path, is := strings.CutPrefix(e, "PATH="); is {
			cmd.Env[i] = "PATH=" + filepath.Dir(s.nth) + ":" + path
		}
	}
	out, err := cmd.CombinedOutput()
	id, is := strings.CutPrefix(strings.TrimSpace(string(out)), "Submitted batch job ")
	if err != nil || !is {
		s.Fatalf("%q: %v: %s", words, err, out)
	}
	return id
}

// printed: the script of nth manifest runs as it is, and as nth status says it is run again;
// so does that of a repair.
func printed(t *testing.T, slurm *servers.Slurm) {
	s := newScene(t, slurm)
	flags := []string{"--name=sizes", "--completions=6", "--parallelism=3", "--timeout=1h", "--requests=cpu=1500m,memory=100Mi", "--sbatch=partition=all",
		"--markers=file://" + s.path("m") + "/<<.Job>>?create_dir=true"}
	command := []string{"--", "sh", "-c", "test -e " + s.path("go") + " || test <<.Index>> -ne 2 -a <<.Index>> -ne 5"}
	s.print("SCRIPT", append(flags, command...)...)
	job := s.sbatch("sbatch", "SCRIPT")
	s.Wait(t, job)
	told := s.Job(t, job+"_5")
	for name, want := range map[string]string{"JobName": "sizes", "Partition": "all", "TimeLimit": "01:04:00", "MinMemoryNode": "100M", "CPUs/Task": "2", "ArrayTaskThrottle": "3", "Requeue": "1", "ExitCode": "1:0"} {
		if told[name] != want {
			t.Errorf("Slurm has %s=%s, want %s: %v", name, told[name], want, told)
		}
	}
	out, _ := s.status("m/sizes", "--completions=6")
	const again = "NTH_JOB=sizes sbatch --array=2,5 SCRIPT"
	if log := s.read("sizes-" + job + "_5.log"); !strings.Contains(out, again) || !strings.Contains(log, "exit code 1") {
		t.Errorf("%s: %s", out, log)
	}
	_, stderr, code := program.Nth(t, nil, append(append([]string{"manifest", "--kind=slurm", "--failed", "--reason=oom"}, flags...), command...)...)
	if code != 64 && code != 78 || !strings.Contains(stderr, "--job") {
		t.Errorf("a repair that isn't told whose: exit code %d: %s", code, stderr)
	}
	repair := s.print("REPAIR", append(append([]string{"--failed", "--reason=exit-1", "--job=sizes", "--memory=2x"}, flags[1:]...), command...)...)
	for _, line := range []string{"#SBATCH --array=2,5%3", "#SBATCH --mem=200M", "#SBATCH --job-name=sizes-repair"} {
		if !strings.Contains(repair, line+"\n") {
			t.Errorf("the repair has no line %s: %s", line, repair)
		}
	}
	s.touch("go")
	s.Wait(t, s.sbatch(strings.Replace(again, "=2,5", "=2", 1)), s.sbatch("sbatch", "REPAIR"))
	if out, code := s.status("m/sizes", "--completions=6"); code != 0 {
		t.Errorf("not all is done: %s", out)
	}
}

// hostile: what a value holds reaches the command, or Slurm, as it is, and nothing else.
func hostile(t *testing.T, slurm *servers.Slurm) {
	s := newScene(t, slurm)
	words := []string{"-x", "--", "", " a  b ", "it's", `"$(touch CANARY)"`, "`touch CANARY`", "$HOME ${PATH} \\ \\n *", "a\n#SBATCH --comment=CANARY\n#SBATCH --array=7\nb", "#", "é\t\r", "!! ; & | > CANARY"}
	name := `-a "b" $(touch CANARY) 'c' \ # %j;`
	args := []string{"--name=" + name, "--completions=1", "--sbatch=comment=" + name + " --begin=now+1000", "--env=VALUE=" + words[8], "--digest-extra=" + words[5] + "\n'",
		"--done-exit-codes=0,3", "--markers=file://" + s.path("m") + "?create_dir=true", "--", "sh", "-c", `for w; do printf '[%s]' "$w"; done >` + s.path("out") + `; printf '%s' "$VALUE" >` + s.path("value"), "sh"}
	s.print("SCRIPT", append(args, words...)...)
	job := s.sbatch("sbatch", "-o", "out.log", "SCRIPT")
	s.Wait(t, job)
	if diff := cmp.Diff("["+strings.Join(words, "][")+"]", s.read("out")); diff != "" {
		t.Errorf("%s: %s", diff, s.read("out.log"))
	}
	if diff := cmp.Diff(words[8], s.read("value")); diff != "" {
		t.Error(diff)
	}
	shown := s.Do(t, "scontrol", "-o", "show", "job", job)
	for _, want := range []string{" JobName=" + name + " UserId", " Comment=" + name + " --begin=now+1000 ", " ArrayTaskId=0 "} {
		if !strings.Contains(shown, want) {
			t.Errorf("Slurm has no %q: %s", want, shown)
		}
	}
	if made, err := filepath.Glob(s.path("*CANARY*")); err != nil || len(made) > 0 {
		t.Errorf("%q was run: %v", made, err)
	}
	for _, args := range [][]string{
		{"--name=a\n#SBATCH --array=7"}, {"--name=a\r"}, {"--name=../a"},
		{"--name=a", "--sbatch=comment=a\n#SBATCH --array=7"}, {"--name=a", "--sbatch=comment=\xff"}, {"--name=a", "--sbatch=--array=7"}, {"--name=a", "--sbatch=array=7"}, {"--name=a", "--sbatch=a b=7"},
	} {
		out, stderr, code := program.Nth(t, nil, append(append([]string{"manifest", "--kind=slurm", "--completions=1"}, args...), "--", "true")...)
		if code != 64 || out != "" || strings.Count(strings.TrimSpace(stderr), "\n") > 0 {
			t.Errorf("%q: exit code %d: %s%s", args, code, out, stderr)
		}
	}
}

// workers: two of a queue, which know when their job ends though this Slurm doesn't tell it.
func workers(t *testing.T, slurm *servers.Slurm) {
	s := newScene(t, slurm)
	r := servers.StartRedis(t)
	for i := range 10 {
		r.Do(t, "RPUSH", "q", fmt.Sprint("task ", i))
	}
	s.print("SCRIPT", "--name=workers", "--parallelism=2", "--tasks=redis://"+r.Address+"/0?queue=q", "--sbatch=time=30", "--sbatch=mem=100M",
		"--markers=file://"+s.path("m")+"/<<.Job>>?create_dir=true", "--", "sh", "-c", "echo '<<.Task>>' >>"+s.path("ran"))
	job := s.sbatch("sbatch", "SCRIPT")
	s.Wait(t, job)
	if ran := strings.Count(s.read("ran"), "task"); ran != 10 {
		t.Errorf("%d tasks ran: %s", ran, s.read("workers-"+job+"_0.log"))
	}
	for _, n := range []string{"0", "1"} {
		log := s.read("workers-" + job + "_" + n + ".log")
		if !strings.Contains(log, "tasks are taken until shortly before the job's end: SLURM_JOB_END_TIME") {
			t.Errorf("%s doesn't know when its job ends: %s", n, log)
		}
	}
	// As a later Slurm tells it: what isn't begun by then is left for others.
	for i := range 3 {
		r.Do(t, "RPUSH", "q", fmt.Sprint("late ", i))
	}
	s.write("late", `#!/bin/sh
SLURM_JOB_END_TIME=$(($(date +%s) + 20)) exec NTH run --tasks 'redis://`+r.Address+`/0?queue=q' -- sleep 20
`)
	job = s.submit("--array=0", "late")
	s.Wait(t, job)
	left, err := redis.Int(r.Do(t, "LLEN", "q"), nil)
	if log := s.read(job + "_0.out"); err != nil || left != 2 || !strings.Contains(log, "no more tasks: SLURM_JOB_END_TIME") || s.Job(t, job+"_0")["JobState"] != "COMPLETED" {
		t.Errorf("%d tasks are left, %v: %s", left, err, log)
	}
}
