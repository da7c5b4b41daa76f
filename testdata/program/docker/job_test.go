package docker

import (
	"nth/testdata/program"

	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"nth/testdata/servers"
)

// dockerJob runs the Job in containers, as many times as it takes for each index:
// a third of them are killed.
func dockerJob(t *testing.T, d *servers.Docker) {
	j := program.NewJob(t, "docker")
	var logs program.Buffer
	pod := func(i, attempt int, kill bool) int {
		name := fmt.Sprintf("job-%d-%d", i, attempt)
		words := []string{"run", "--name", name, "--network", "host", "-e", "JOB_COMPLETION_INDEX=" + strconv.Itoa(i), "-v", j.Dir + ":/job"}
		for _, e := range servers.S3Env() {
			words = append(words, "-e", e)
		}
		cmd := d.Command(append(append(words, shellImage), j.Flags("/job")...)...)
		cmd.Stdout, cmd.Stderr = &logs, &logs
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return 0
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if kill {
			after := time.Duration(100+j.Chance(900)) * time.Millisecond
			go func() {
				select {
				case <-time.After(after):
					if d.Command("kill", "--signal", "KILL", name).Run() == nil {
						j.Kills.Add(1)
					}
				case <-ctx.Done():
				}
			}()
		}
		_ = cmd.Wait()
		return cmd.ProcessState.ExitCode()
	}
	all := func(mayKill bool) {
		var group sync.WaitGroup
		slots := make(chan struct{}, 6)
		for i := range program.Items {
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				for attempt := 1; ; attempt++ {
					kill := mayKill && j.Kills.Load() < program.Items/3 && (attempt == 1 || j.Chance(3) == 0)
					code := pod(i, attempt+map[bool]int{true: 0, false: 1000}[mayKill], kill)
					if code == 0 {
						return
					}
					if code != 137 || attempt > 50 {
						t.Errorf("index %d: exit code %d at attempt %d", i, code, attempt)
						return
					}
				}
			})
		}
		group.Wait()
	}
	all(true)
	j.Finish(t, logs.String())
	before := j.Executions(t)
	all(false)
	if after := j.Executions(t); after != before {
		t.Errorf("the second full run executed %d commands", after-before)
	}
}
