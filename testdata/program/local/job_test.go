package local

import (
	"nth/testdata/program"

	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nth/testdata/harness"
	"nth/testdata/servers"
)

// TestJobLocally runs the Job with nth local: the whole of it is killed once, and
// then a third of its runs: an nth, or a command where there is one nth for all.
func TestJobLocally(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jobLocally(t, nth, program.NewJob(t, strings.ReplaceAll(name, " ", "-")), way)
		})
	}
}

func jobLocally(t *testing.T, nth string, j *program.Job, way []string) {
	start := func() (*exec.Cmd, *bytes.Buffer) {
		args := slices.Concat([]string{"local", "--completions", strconv.Itoa(program.Items), "--parallelism", "6", "--backoff-limit-per-index", "50",
			"--retry-delay", "10ms", "--log-level", "info", "--log-format", "json"}, way, j.Flags(j.Dir))
		cmd := exec.Command(nth, args...)
		cmd.Env = append(os.Environ(), servers.S3Env()...)
		var log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &log, &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, &log
	}
	logs := ""
	first, log := start()
	for first.Process.Pid > 0 && len(children(first.Process.Pid)) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(time.Duration(500+j.Chance(500)) * time.Millisecond)
	_ = first.Process.Kill()
	_ = first.Wait()
	logs += log.String()

	second, log := start()
	ended := make(chan error, 1)
	go func() { ended <- second.Wait() }()
	for running := true; running; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			running = false
		case <-time.After(time.Duration(20+j.Chance(60)) * time.Millisecond):
			if runs := children(second.Process.Pid); len(runs) > 0 && j.Kills.Load() < program.Items/3 {
				if p, err := os.FindProcess(runs[j.Chance(len(runs))]); err == nil && p.Kill() == nil {
					j.Kills.Add(1)
				}
			}
		}
	}
	logs += log.String()
	j.Finish(t, logs)

	before := j.Executions(t)
	third, log := start()
	if err := third.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if after := j.Executions(t); after != before {
		t.Errorf("the second full run executed %d commands", after-before)
	}
}

// children gives the processes that a process has started (proc(5)).
func children(pid int) (list []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		body, _ := os.ReadFile(path)
		for _, f := range strings.Fields(string(body)) {
			if n, err := strconv.Atoi(f); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}
