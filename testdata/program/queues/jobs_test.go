//go:build linux

package queues

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// inSlots is a command that has its slot to itself, and doesn't end before there were two at
// the same time.
const inSlots = `cd %s; mkdir "held/$NTH_ITEM_SLOT" || echo "two in $NTH_ITEM_SLOT" >>wrong
[ "$NTH_ITEM_SLOT" = "<<.Slot>>" ] || echo "<<.Slot>> is $NTH_ITEM_SLOT" >>wrong
until [ -e two ]; do set -- held/*; [ $# -lt 2 ] || touch two; sleep 0.01; done
[ "$(cat | wc -c)" -eq 0 ] || echo "stdin" >>wrong
rmdir "held/$NTH_ITEM_SLOT"; echo "$NTH_ITEM_SLOT" >>slots; echo "<<.Task>>" >>runs`

// TestJobs: a worker with --jobs does as many tasks of any queue at the same time, each once
// and in a slot of its own, over as many connections.
func TestJobs(t *testing.T) {
	for _, kind := range queueKinds {
		t.Run(kind.name, func(t *testing.T) {
			s := newScene(t, kind.start(t), "--jobs=4")
			var all []string
			for i := range cmp.Or(s.q.most/4, 200) {
				all = append(all, fmt.Sprint("task-", i))
			}
			s.q.fill(all...)
			if err := os.Mkdir(s.path("held"), 0o755); err != nil {
				t.Fatal(err)
			}
			s.start(0, []string{"sh", "-c", fmt.Sprintf(inSlots, s.dir)}, "--log-level=warn").ends(0)
			s.done(len(all))
			if wrong, _ := os.ReadFile(s.path("wrong")); len(wrong) > 0 {
				t.Errorf("%s", wrong)
			}
			runs := s.lines("runs")
			slices.Sort(runs)
			slices.Sort(all)
			if !slices.Equal(runs, all) {
				t.Errorf("%d tasks ran, want each of %d once", len(runs), len(all))
			}
			for _, slot := range s.lines("slots") {
				if slot < "0" || slot > "3" || len(slot) != 1 {
					t.Errorf("slot %q", slot)
				}
			}
		})
	}
}

func (s *scene) lines(name string) []string {
	body, _ := os.ReadFile(s.path(name))
	return strings.Fields(string(body))
}

// beside is a command of which each task leaves a trace, and goes its own way.
func (s *scene) beside(way string) []string {
	return []string{"sh", "-c", fmt.Sprintf(`cd %s; echo "<<.Task>>" >>runs; echo $$ >"pid.<<.Task>>"; touch "began.<<.Task>>"
await() { until [ -e "$1" ]; do sleep 0.02; done; }
%s`, s.dir, way)}
}

// TestJobsBeside: what becomes of a task changes nothing for those that run beside it.
func TestJobsBeside(t *testing.T) {
	r := servers.StartRedis(t)
	for _, tt := range []struct {
		name  string
		tasks []string
		way   string
		flags []string
		do    func(s *scene, p *pod) // while they run
		code  int
		says  string
		done  int    // markers
		left  int64  // tasks that are left
		runs  string // sorted
	}{
		{"one fails, and is run again", []string{"bad", "long"}, `case <<.Task>> in bad) [ -e failed ] && exec touch go; await began.long; touch failed; exit 9;; esac; await go`, nil, nil,
			0, "the task is delivered again", 2, 0, "bad bad long"},
		{"one stops the worker", []string{"bad", "long", "third"}, `case <<.Task>> in bad) await began.long; exit 9;; long) await go; sleep 0.5;; esac`, []string{"--on-failure=stop"}, func(s *scene, p *pod) {
			p.says("the task is delivered again") // and the worker stops
			s.touch("go")
		}, 9, "exit code 9", 1, 2, "bad long"},
		{"so many and no more", strings.Fields("a b c d e f g h i j k l"), "", []string{"--max-tasks=7", "--jobs=4"}, nil, 0, "--max-tasks", 7, 5, "a b c d e f g"},
		{"fewer than there are slots", strings.Fields("a b c d e"), "", []string{"--max-tasks=1", "--jobs=4"}, nil, 0, "--max-tasks", 1, 4, "a"},
		{"their work is ended", []string{"a", "b", "third"}, "await go", []string{"--drain=10m"}, func(s *scene, p *pod) {
			p.signal(syscall.SIGTERM)
			p.says("the command may go on for 10m0s")
			s.touch("go")
		}, 143, "task done", 2, 1, "a b"},
		{"they are stopped", []string{"a", "b", "third"}, "await never", nil, func(_ *scene, p *pod) { p.signal(syscall.SIGTERM) },
			143, "task given back", 0, 3, "a b"},
		{"they are stopped, and end with a code of their own", []string{"a", "b", "third"}, "trap 'exit 9' TERM; touch ready.<<.Task>>; await never", nil, func(s *scene, p *pod) {
			program.Appears(s.t, s.path("ready.a"))
			program.Appears(s.t, s.path("ready.b"))
			p.signal(syscall.SIGTERM)
		}, 9, "exit code 9", 0, 3, "a b"},
		{"the last one is stopped", []string{"a", "b", "third"}, "[ <<.Task>> = b ] || await never", []string{"--max-tasks=2"}, func(_ *scene, p *pod) {
			p.says("task done") // and no other is taken
			p.signal(syscall.SIGTERM)
		}, 143, "task given back", 1, 2, "a b"},
		{"the last one fails", []string{"a", "b", "third"}, "[ <<.Task>> = b ] || { await go; exit 9; }", []string{"--max-tasks=2", "--on-failure=stop"}, func(s *scene, p *pod) {
			p.says("task done")
			s.touch("go")
		}, 9, "exit code 9", 1, 2, "a b"},
		{"one is lost", []string{"a", "b"}, "await go", []string{"--lease=3s"}, func(s *scene, p *pod) {
			name := "{" + queueName(s) + "}:nth:"
			ids := r.Do(s.t, "HGETALL", name+"task").([]any)
			for i := 0; i < len(ids); i += 2 {
				if string(ids[i+1].([]byte)) == "a" { // as if another had taken it
					r.Do(s.t, "HDEL", name+"meta", ids[i])
				}
			}
			p.says("lease is lost")
			s.touch("go")
		}, 0, "task done", 2, 0, "a a b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			name := strings.NewReplacer(" ", "-", ",", "").Replace(tt.name)
			q := &filledQueue{flags: []string{"--tasks=" + program.QueueOf(t, r, name, tt.tasks...)}}
			s := newScene(t, q, append([]string{"--jobs=2"}, tt.flags...)...)
			p := s.start(0, s.beside(tt.way))
			if tt.do != nil {
				program.Appears(t, s.path("began."+tt.tasks[0]))
				program.Appears(t, s.path("began."+tt.tasks[1]))
				tt.do(s, p)
			}
			p.ends(tt.code, tt.says)
			runs := s.lines("runs")
			slices.Sort(runs)
			waiting, dead := program.Left(t, r, name)
			if n := program.Documents(t, s.markers, "done/tasks/"); n != tt.done || waiting != tt.left || dead != 0 || strings.Join(runs, " ") != tt.runs {
				t.Errorf("%d markers, want %d; %d left, want %d; %d dead; %s ran, want %s: %s", n, tt.done, waiting, tt.left, dead, runs, tt.runs, p.text())
			}
			if lost := strings.Count(p.text(), "lease is lost"); lost != strings.Count(tt.name, "is lost") {
				t.Errorf("%d leases are lost", lost)
			}
		})
	}
}

// queueName is that of a list on a Redis server.
func queueName(s *scene) string {
	_, name, _ := strings.Cut(s.flags[0], "queue=")
	return name
}

// TestJobsStray: a worker that was stopped ends what its commands have left behind, however long
// that takes, before it ends: its tasks are another's by then.
func TestJobsStray(t *testing.T) {
	r := servers.StartRedis(t)
	q := &filledQueue{flags: []string{"--tasks=" + program.QueueOf(t, r, "q", "a", "b")}}
	s := newScene(t, q, "--jobs=2", "--sweep-grace=3s", "--stop-grace=3s")
	p := s.start(0, s.beside(`(setsid env -i PATH="$PATH" sh -c 'trap "" TERM; echo $$ >"stray.<<.Task>>"; while [ -e runs ]; do sleep 0.1; done' &); await "stray.<<.Task>>"; touch "ready.<<.Task>>"; exec sleep 600`))
	for _, task := range []string{"a", "b"} {
		program.Appears(t, s.path("ready."+task))
	}
	p.signal(syscall.SIGTERM)
	p.ends(143, "task given back", "the command left processes behind; they were ended")
	if strings.Contains(p.text(), "doesn't return") {
		t.Errorf("it was given up: %s", p.text())
	}
}

// TestJobsKilled: when a worker is killed nothing is left of its commands, and all of its
// tasks come back.
func TestJobsKilled(t *testing.T) {
	r := servers.StartRedis(t)
	q := &filledQueue{flags: []string{"--tasks=" + program.QueueOf(t, r, "q", "a", "b", "c")}}
	s := newScene(t, q, "--jobs=3", "--lease=3s")
	p := s.start(0, s.beside("sleep 600 & sleep 600"))
	for _, task := range []string{"a", "b", "c"} {
		program.Appears(t, s.path("began."+task))
	}
	p.kill()
	for _, task := range []string{"a", "b", "c"} {
		pid := strings.TrimSpace(string(must(t, s.path("pid."+task))))
		harness.Await(t, func() bool {
			_, err := os.Stat(filepath.Join("/proc", pid))
			return err != nil
		}, func() string { return "the command of " + task + " is left" })
	}
	s.start(0, []string{"true"}).ends(0, "no task is left")
	if waiting, dead := program.Left(t, r, "q"); waiting+dead != 0 || program.Documents(t, s.markers, "done/tasks/") != 3 {
		t.Errorf("%d waiting, %d dead", waiting, dead)
	}
}

func must(t *testing.T, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
