//go:build linux

package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestWorkersKilled: 8 workers, of which a third are killed again and again at random,
// and come back as Kubernetes starts them: every task is done and recorded, none lost.
func TestWorkersKilled(t *testing.T) {
	for _, kind := range queueKinds {
		t.Run(kind.name, func(t *testing.T) { killWorkers(t, kind.start(t)) })
	}
}

func killWorkers(t *testing.T, q *filledQueue) {
	const tasks, workers = 10_000, 8
	dir := t.TempDir()
	var all []string
	for i := range tasks {
		all = append(all, fmt.Sprint("task-", i))
	}
	first := all[:cmp.Or(q.most, tasks)]
	q.fill(first...)
	out := filepath.Join(dir, "out")
	var kills atomic.Int32
	var group sync.WaitGroup
	lease, longest := "--lease=2s", 500*time.Millisecond
	if q.patient { // its server is slow, and goes on working for who is dead
		lease, longest = "--lease=10s", 4*time.Second
	}
	for w := range workers {
		group.Go(func() {
			args := append([]string{lease, "--max-attempts=0", "--log-level=warn", "--markers=file://" + dir + "/markers"}, q.flags...)
			for workOnce(t, w, &kills, longest, append(args, "--", "sh", "-c", "echo <<.Task>> >>"+out)) {
			}
		})
	}
	ended := make(chan struct{})
	go func() { group.Wait(); close(ended) }()
	q.feed(all[len(first):], ended)
	<-ended
	body, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]int{}
	twice := 0
	for _, line := range strings.Fields(string(body)) {
		if runs[line]++; runs[line] == 2 {
			twice++
		}
	}
	for _, task := range all {
		if runs[task] == 0 {
			t.Errorf("%s was lost", task)
		}
	}
	if n := doneTasks(t, "file://"+dir+"/markers"); n != tasks || q.left() != 0 || len(runs) != tasks {
		t.Errorf("%d markers, %d left, %d tasks ran", n, q.left(), len(runs))
	}
	if kills.Load() == 0 {
		t.Error("nobody was killed")
	}
	t.Logf("%d tasks, %d kills, %d ran more than once", tasks, kills.Load(), twice)
}

// feed fills a queue further as it gets emptier, for as long as there are workers.
func (q *filledQueue) feed(tasks []string, ended <-chan struct{}) {
	for portion := range slices.Chunk(tasks, max(q.most/2, 1)) {
		for q.left() > q.most/2 {
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
		q.fill(portion...)
	}
}

// workOnce starts a worker and, for a third of them, kills it; it tells whether the
// worker must come back.
func workOnce(t *testing.T, w int, kills *atomic.Int32, longest time.Duration, args []string) (again bool) {
	cmd, log := workerProcess(t, w, args...)
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
