//go:build linux

package queues

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nth/testdata/harness"
	"nth/testdata/program"
)

// TestWorkersKilled: 8 workers, of which a third are killed again and again at random,
// and come back as Kubernetes starts them: every task is done and recorded, none lost.
func TestWorkersKilled(t *testing.T) {
	for _, kind := range queueKinds {
		if kind.name != "sqs" {
			t.Run(kind.name, func(t *testing.T) { killWorkers(t, kind.start(t)) })
		}
		if kind.name == "redis" {
			t.Run(kind.name+", three at a time", func(t *testing.T) { killWorkers(t, kind.start(t), "--jobs=3") })
		}
	}
}

// TestWorkersKilledSQS waits for its server, which does one thing at a time.
func TestWorkersKilledSQS(t *testing.T) {
	t.Parallel()
	for _, kind := range queueKinds {
		if kind.name == "sqs" {
			killWorkers(t, kind.start(t))
		}
	}
}

func killWorkers(t *testing.T, q *filledQueue, flags ...string) {
	const workers = 8
	tasks := harness.Soak(3000, 10_000)
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
			args := append([]string{lease, "--max-attempts=0", "--log-level=warn", "--markers=file://" + dir + "/markers"}, slices.Concat(q.flags, flags)...)
			for program.WorkOnce(t, w, &kills, longest, append(args, "--", "sh", "-c", "echo <<.Task>> >>"+out)) {
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
	if n := program.Documents(t, "file://"+dir+"/markers", "done/tasks/"); n != tasks || q.left() != 0 || len(runs) != tasks {
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
