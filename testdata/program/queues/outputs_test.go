//go:build linux

package queues

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nth/testdata/harness"
	"nth/testdata/program"
)

// publishes is a command that adds to what it finds in its output, a directory that a
// worker's tasks share: its task, and its run.
const publishes = `echo "<<.Task>> $NTH_ITEM_RUN_ID" >>one; echo "<<.Task>> $NTH_ITEM_RUN_ID" >>"tree/of-<<.Task>>"; echo <<.Task>> >>%s`

// publishing gives the arguments of a worker whose tasks have outputs, and their places.
func publishing(dir string, q *filledQueue) []string {
	url := "file://" + dir
	args := append([]string{"--lease=2s", "--max-attempts=0", "--markers=" + url + "/markers", "--output=one=" + url + "/one/<<.Task>>",
		"--output=tree/=" + url + "/trees/<<.Task>>/?create_dir=true"}, q.flags...)
	return append(args, "--", "sh", "-c", fmt.Sprintf(publishes, filepath.Join(dir, "runs")))
}

// TestWorkersPublish: workers whose tasks have outputs, at the same paths, and that are
// killed again and again: each task's outputs are in the end those of one run, and nothing of
// another task's is among them; nothing stays staged but what was killed has left.
func TestWorkersPublish(t *testing.T) {
	q, dir := queueKinds[0].start(t), t.TempDir()
	const tasks = 300
	var all []string
	for n := range tasks {
		all = append(all, fmt.Sprint("task-", n))
	}
	q.fill(all...)
	var kills atomic.Int32
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for program.WorkOnceIn(t, t.TempDir(), w, &kills, 500*time.Millisecond, publishing(dir, q)) {
			}
		})
	}
	group.Wait()
	if kills.Load() == 0 {
		t.Error("nobody was killed")
	}
	for _, task := range all {
		published(t, dir, task)
	}
	if n := program.Documents(t, "file://"+dir+"/markers", "done/tasks/"); n != tasks || q.left() != 0 {
		t.Errorf("%d markers, %d left", n, q.left())
	}
	notes := program.Documents(t, "file://"+dir+"/markers", "staging/")
	if notes > int(kills.Load()) {
		t.Errorf("%d runs say that they have staged something, and %d were killed", notes, kills.Load())
	}
	runs, err := os.ReadFile(filepath.Join(dir, "runs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tasks, %d kills, %d commands, %d notes of what was staged", tasks, kills.Load(), strings.Count(string(runs), "\n"), notes)
}

// published: a task has one file and a tree of one, both of the same run.
func published(t *testing.T, dir, task string) {
	t.Helper()
	one, err := os.ReadFile(filepath.Join(dir, "one", task))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(one), "\n") != 1 || !strings.HasPrefix(string(one), task+" ") {
		t.Errorf("%s has published %q", task, one)
	}
	var tree []string
	err = filepath.WalkDir(filepath.Join(dir, "trees", task), func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() && d.Name() == ".nth" {
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), ".nth-tmp-") {
			tree = append(tree, d.Name())
			program.CheckFile(t, path, string(one))
		}
		return err
	})
	if err != nil || len(tree) != 1 || tree[0] != "of-"+task {
		t.Errorf("the tree of %s: %q (%v)", task, tree, err)
	}
}

// over tells whether it has ended.
func (p *pod) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// TestPublishedTwice: a task is delivered a second time while its first worker is paused; when
// that goes on, its output isn't published, and what is, stays.
func TestPublishedTwice(t *testing.T) {
	s := newScene(t, queueKinds[0].start(t), "--lease=3s", "--max-attempts=0")
	s.flags = append(s.flags, "--output="+s.path("w/<<.Index>>")+"=file://"+s.path("out")+"/<<.Task>>?create_dir=true")
	command := s.slow()
	command[2] += "\n" + `echo "$NTH_ITEM_INDEX" >>"w/$NTH_ITEM_INDEX"; touch "wrote.$NTH_ITEM_INDEX"`
	s.q.fill("task")
	paused := s.start(0, command)
	program.Appears(t, s.path("began.0"))
	paused.signal(syscall.SIGSTOP)
	var next *pod
	harness.Await(t, func() bool { // it leaves until the lease has ended
		if next == nil || next.over() {
			next = s.start(1, command)
		}
		_, err := os.Stat(s.path("began.1"))
		return err == nil
	}, func() string { return next.text() })
	s.touch("go")
	next.ends(0, "task done")
	program.Appears(t, s.path("wrote.0"))
	paused.signal(syscall.SIGCONT)
	paused.ends(0)
	program.CheckFile(t, s.path("out/task"), "1\n")
	s.settled(1, "0", "1")
	for _, dir := range []string{"markers/staging", "out/.nth"} {
		if left, _ := filepath.Glob(s.path(dir + "/*/*")); len(left) > 0 {
			t.Errorf("there still is %q", left)
		}
	}
}
