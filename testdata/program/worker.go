package program

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"nth/testdata/harness"
	"nth/testdata/servers"
)

// Secrets are what the queues' workers know, and nobody must see.
var Secrets = append([]string{"TOKEN=token-canary"}, servers.S3Env()...)

// QueueOf fills a list on a server, and gives its URL.
func QueueOf(t *testing.T, r *servers.Redis, name string, payloads ...string) string {
	t.Helper()
	r.Each(t, payloads, "RPUSH", name)
	return "redis://" + r.Address + "/0?queue=" + name
}

// Left counts what a list has in whatever state, and what was put aside.
func Left(t *testing.T, r *servers.Redis, name string) (waiting, dead int64) {
	t.Helper()
	n := func(command, key string) int64 { return r.Do(t, command, key).(int64) }
	return n("LLEN", name) + n("HLEN", "{"+name+"}:nth:task"), n("HLEN", "{"+name+"}:nth:dead")
}

// Worker starts a worker under an index, whose log is whole when it has ended.
func Worker(t testing.TB, index int, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	return workerIn(t, "", index, args...)
}

func workerIn(t testing.TB, dir string, index int, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	path, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"run"}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), fmt.Sprint("JOB_COMPLETION_INDEX=", index)}, Secrets...)
	cmd.Dir = dir
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &log
}

// WorkOnce starts a worker and, for a third of them, kills it; it tells whether the
// worker must come back.
func WorkOnce(t *testing.T, w int, kills *atomic.Int32, longest time.Duration, args []string) (again bool) {
	return WorkOnceIn(t, "", w, kills, longest, args)
}

// WorkOnceIn is WorkOnce, in a directory.
func WorkOnceIn(t *testing.T, dir string, w int, kills *atomic.Int32, longest time.Duration, args []string) (again bool) {
	cmd, log := workerIn(t, dir, w, args...)
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	if w%3 == 0 {
		select {
		case <-ended:
		case <-time.After(longest/5 + rand.N(longest*4/5)):
			if cmd.Process.Kill() == nil {
				kills.Add(1)
			}
		}
	}
	<-ended
	switch code := cmd.ProcessState.ExitCode(); code {
	case 0:
		return false
	case -1: // killed
		return true
	default:
		t.Errorf("worker %d: exit code %d: %s", w, code, log)
		return false
	}
}
