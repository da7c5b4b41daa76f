package gridengine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestGridEngine is nth in the jobs of a real Grid Engine, where they are another user's than
// root's, as everywhere.
func TestGridEngine(t *testing.T) {
	g := servers.StartGridEngine(t)
	for name, test := range map[string]func(*testing.T, *servers.GridEngine){
		"array":       array,
		"no array":    noArray,
		"deleted":     deleted,
		"notified":    notified,
		"soft limit":  softLimit,
		"memory":      memory,
		"rescheduled": rescheduled,
		"exit codes":  exitCodes,
		"suspended":   suspended,
		"recipe":      recipe,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, g)
		})
	}
}

// job is one that was submitted.
type job struct {
	*servers.GridEngine
	t       *testing.T
	dir     string // its working directory, where its output is too
	id      string
	markers string // URL
}

// submit submits a script, in which $nth begins a run: exec $nth -- COMMAND.
func submit(t *testing.T, g *servers.GridEngine, script string, flags ...string) *job {
	t.Helper()
	dir, err := os.MkdirTemp(g.Dir, "job-")
	if err != nil {
		t.Fatal(err)
	}
	j := &job{GridEngine: g, t: t, dir: dir}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	run := "nth=\"" + nth + " run --record-start --log-level=warn --markers=file://" + dir + "/markers/<<.Job>>?create_dir=true\"\n"
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte(run+script+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	j.again(flags...)
	j.markers = "file://" + dir + "/markers/" + j.id
	return j
}

// again submits the script once more.
func (j *job) again(flags ...string) {
	j.t.Helper()
	if !slices.Contains(flags, "-q") {
		flags = append(flags, "-q", "all.q")
	}
	out := j.Run(j.t, j.dir, "qsub", append(append([]string{"-terse", "-cwd", "-j", "y", "-N", "job"}, flags...), "script")...)
	if out.Code != 0 {
		j.t.Fatalf("qsub: %+v", out)
	}
	j.id, _, _ = strings.Cut(strings.TrimSpace(out.Stdout), ".")
	j.t.Cleanup(func() { j.Manage(j.t, "qdel", "-f", j.id) })
}

// output is what the job's tasks have written so far.
func (j *job) output() string {
	files, _ := filepath.Glob(filepath.Join(j.dir, "job.o"+j.id+"*"))
	var all strings.Builder
	for _, f := range files {
		body, _ := os.ReadFile(f)
		all.Write(body)
	}
	return all.String()
}

// says waits until the job has written a text.
func (j *job) says(text string) {
	j.t.Helper()
	program.AwaitText(j.t, text, j.output, text)
}

// do has the cell's manager do something with the job.
func (j *job) do(name string, args ...string) {
	j.t.Helper()
	if out := j.Manage(j.t, name, append(args, j.id)...); out.Code != 0 {
		j.t.Fatalf("%s: %+v", name, out)
	}
}

// ends waits until the job has ended, and gives the exit codes of its tasks.
func (j *job) ends() (codes []string) {
	j.t.Helper()
	harness.Await(j.t, func() bool { return j.Manage(j.t, "qstat", "-j", j.id).Code != 0 }, func() string { return "it doesn't end: " + j.output() })
	return j.accounted(1)
}

// isKilled tells whether Grid Engine kills a job when its notice of five seconds is over. Now and
// then 8.1.9 never does, on a busy machine: execd sends the kill again each second, and all that
// its shepherd's trace has to say is "ignoring repeated KILL notification".
func (j *job) isKilled() bool {
	j.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if j.Manage(j.t, "qstat", "-j", j.id).Code != 0 {
			return true
		}
	}
	return false
}

// accounted waits until so many of the job's runs have ended, and gives their exit codes.
func (j *job) accounted(runs int) (codes []string) {
	j.t.Helper()
	harness.Await(j.t, func() bool {
		codes = nil
		for line := range strings.Lines(j.Manage(j.t, "qacct", "-j", j.id).Stdout) {
			if words := strings.Fields(line); len(words) > 1 && words[0] == "exit_status" {
				codes = append(codes, words[1])
			}
		}
		return len(codes) >= runs
	}, func() string { return "it isn't accounted: " + j.output() })
	return codes
}

// expect checks how the job's one task ended, and whether it is done.
func (j *job) expect(code string, done bool) {
	j.t.Helper()
	if got := j.ends(); !cmp.Equal(got, []string{code}) {
		j.t.Errorf("exit codes %v, want %s: %s", got, code, j.output())
	}
	if is := j.read("done", 1, &marker.Marker{}); is != done {
		j.t.Errorf("done: %v, want %v: %s", is, done, j.output())
	}
}

// read reads one of an index's documents and tells whether there is one.
func (j *job) read(dir string, index int64, into any) bool {
	j.t.Helper()
	body, err := os.ReadFile(filepath.Join(strings.TrimPrefix(j.markers, "file://"), filepath.FromSlash(marker.Key(dir, index))))
	if os.IsNotExist(err) {
		return false
	}
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		j.t.Fatal(err)
	}
	return true
}

// free waits until nobody holds a lock any more that the command had taken and all that it has
// started: then they have all ended.
func (j *job) free() {
	j.t.Helper()
	f, err := os.Open(filepath.Join(j.dir, "lock"))
	if err != nil {
		j.t.Fatal(err)
	}
	defer f.Close()
	harness.Await(j.t, func() bool { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil },
		func() string { return "something of the command runs on" })
}

// states gives a letter for each process in the job's folder, as ps shows them: nth, the command
// and what that has started.
func (j *job) states() (states string) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		if dir, err := os.Readlink(p + "/cwd"); err != nil || dir != j.dir {
			continue
		}
		stat, _ := os.ReadFile(p + "/stat") // 1 (name) S …; none: it has ended
		if at := strings.LastIndex(string(stat), ") "); at > 0 {
			states += string(stat[at+2])
		}
	}
	return states
}

// lives is a command that has started others, and waits for its end; each has the lock.
const lives = `exec 9>lock; flock -s 9; (trap "" USR1 USR2; while :; do sleep 60; done) & setsid sleep 6000 & echo ready; while :; do sleep 0.1; done`
