//go:build linux

package shards

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"nth/testdata/harness"
)

// TestEachKilled: a run that is killed again and again at any moment, and comes back as
// Kubernetes starts it, beside a duplicate of its index: every item runs, and none that
// was recorded as done runs again. The duplicates don't undo each other's records.
func TestEachKilled(t *testing.T) {
	for name, pods := range map[string]int{"alone": 1, "beside a duplicate": 2} {
		t.Run(name, func(t *testing.T) { killEach(t, pods) })
	}
}

func killEach(t *testing.T, pods int) {
	const items = 600
	dir := t.TempDir()
	markers := "file://" + dir + "/markers"
	if err := os.Mkdir(dir+"/markers", 0o777); err != nil {
		t.Fatal(err)
	}
	kills := 0
	var mu sync.Mutex // nobody starts while the records are compared
	var group sync.WaitGroup
	for pod := range pods {
		group.Go(func() {
			for try := 0; ; try++ {
				mu.Lock()
				done := recorded(t, markers)
				out := fmt.Sprintf("%s/out-%d-%d", dir, pod, try)
				cmd, log := eachProcess(t, "--items", strconv.Itoa(items), "--jobs=2", "--markers="+markers, "--", "sh", "-c", `echo <<.Item>> >>"$OUT"; exec sleep 0.005`)
				cmd.Env = append(cmd.Env, "OUT="+out)
				if err := cmd.Start(); err != nil {
					t.Error(err)
				}
				mu.Unlock()
				var killer *time.Timer
				if try < 3 {
					killer = time.AfterFunc(time.Duration(500+rand.IntN(1500))*time.Millisecond, func() { _ = cmd.Process.Kill() })
				}
				err := cmd.Wait()
				if killer != nil {
					killer.Stop()
				}
				again := ran(t, out)
				for item := range again {
					if done.Contains(item) {
						t.Errorf("item %d was recorded as done, and has run again", item)
					}
				}
				if err == nil {
					return
				}
				if cmd.ProcessState.ExitCode() != -1 {
					t.Errorf("%v: %s", err, log)
					return
				}
				mu.Lock()
				kills++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	runs, files := map[int64]int{}, 0
	all, err := filepath.Glob(dir + "/out-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range all {
		files++
		for item, n := range ran(t, out) {
			runs[item] += n
			if n != 1 {
				t.Errorf("one run has run item %d %d times", item, n)
			}
		}
	}
	twice := 0
	for i := range int64(items) {
		if runs[i] == 0 {
			t.Errorf("item %d was lost", i)
		}
		if runs[i] > 1 {
			twice++
		}
	}
	if kills == 0 || len(runs) != items {
		t.Errorf("%d kills, %d items", kills, len(runs))
	}
	if found, err := filepath.Glob(dir + "/markers/done/*"); len(found) != 1 || err != nil {
		t.Errorf("%v %v", found, err)
	}
	t.Logf("%d runs, %d kills, %d of %d items ran more than once", files, kills, twice, items)
}

// TestEachStopped: what had ended before a stop signal is recorded at once, and the next
// run does the rest.
func TestEachStopped(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--items=40", "--jobs=2", "--markers=file://" + dir + "/markers", "--", "sh", "-c",
		// Of those before, none has ended so short a time ago that the signal may have been why.
		"test <<.Item>> -lt 20 || test -e " + dir + "/go || sleep 2; echo <<.Item>> >>" + dir + "/begun; test <<.Item>> -lt 20 || test -e " + dir + "/go || exec sleep 600; echo <<.Item>> >>" + dir + "/done"}
	cmd, log := eachProcess(t, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begun := func() int { return len(ran(t, dir+"/begun")) }
	harness.Await(t, func() bool { return begun() >= 22 }, func() string { return fmt.Sprintf("only %d began: %s", begun(), log) })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 143 {
		t.Fatalf("%v: %s", err, log)
	}
	if got := recorded(t, "file://"+dir+"/markers").String(); got != "0-19" {
		t.Errorf("recorded are %s", got)
	}
	if err := os.WriteFile(dir+"/go", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd, log = eachProcess(t, args...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	runs := ran(t, dir+"/done")
	for i := range int64(40) {
		if runs[i] != 1 {
			t.Errorf("item %d has run %d times", i, runs[i])
		}
	}
}
