package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

const e2eItems = 100

// job is an Indexed Job of 100 indexes over 100 real text files in a bucket of a
// real S3 server: each index fetches its file, and writes its SHA-256. A third of
// its runs are killed at random moments.
type job struct {
	*servers.S3
	dir     string // urls/ has an address for each file, out/ gets the results
	markers string // its URL
	want    map[int]string
	kills   atomic.Int64
	random  *rand.Rand
	mu      sync.Mutex // of random
}

// work is the command of every index. What it logs at its start tells how often
// it ran; the pause gives the killer its moment.
const work = `set -o pipefail
echo "$NTH_ITEM_RUN_ID" >> started/<<.Index>>
busybox sleep 0.1
busybox wget -q -O - "$1" | busybox sha256sum > out/<<.Index>>.$NTH_ITEM_RUN_ID
busybox sleep 0.05
busybox mv out/<<.Index>>.$NTH_ITEM_RUN_ID out/<<.Index>>`

func newJob(t *testing.T, name string) *job {
	t.Helper()
	j := &job{S3: servers.StartS3(t), dir: t.TempDir(), want: map[int]string{}}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	j.random = rand.New(rand.NewPCG(seed, 0))
	j.Bucket(t, "data")
	j.markers = j.URL("data", "markers/"+name)
	for _, sub := range []string{"urls", "out", "started"} {
		if err := os.Mkdir(filepath.Join(j.dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for i, path := range textFiles(t) {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		key := fmt.Sprintf("in/file_%d.txt", i)
		j.Put(t, "data", key, body)
		j.want[i] = fmt.Sprintf("%x  -\n", sha256.Sum256(body))
		if err := os.WriteFile(filepath.Join(j.dir, "urls", strconv.Itoa(i)), []byte(j.Presign(t, "data", key)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// textFiles gives 100 real files: Go's own source.
func textFiles(t *testing.T) (files []string) {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(goroot)), "src", "net")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && len(files) < e2eItems {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) != e2eItems {
		t.Fatalf("%d files under %s, %v", len(files), root, err)
	}
	return files
}

// flags are those of nth, for a run that sees the job's folder under this name.
func (j *job) flags(dir string) []string {
	return []string{"--markers", j.markers, "--done-exit-codes", "0", "--", "busybox", "sh", "-ec", "cd " + dir + "\n" + work, "sh",
		`<<file (printf "` + dir + `/urls/%d" .Index)>>`}
}

func (j *job) chance(n int) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.random.IntN(n)
}

// check: 100 markers, 100 right results, each from the one run that was recorded.
func (j *job) check(t *testing.T) {
	t.Helper()
	s, err := store.Open(t.Context(), j.markers)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	markers := 0
	if err := s.List(t.Context(), "done/", func(string, int64, time.Time) error { markers++; return nil }); err != nil || markers != e2eItems {
		t.Errorf("%d markers, want %d (%v)", markers, e2eItems, err)
	}
	for i := range e2eItems {
		body, _, err := s.Read(t.Context(), marker.Key("done", int64(i)))
		if err != nil {
			t.Errorf("index %d: %v", i, err)
			continue
		}
		m, err := marker.Decode(body, int64(i))
		if err != nil || m.Outcome != marker.Done || m.ExitCode != 0 {
			t.Errorf("index %d: %+v %v", i, m, err)
			continue
		}
		if starts := j.started(t, i); !strings.Contains(starts, m.RunID+"\n") {
			t.Errorf("index %d: the marker is of run %s, and these have started: %s", i, m.RunID, starts)
		}
		got, err := os.ReadFile(filepath.Join(j.dir, "out", strconv.Itoa(i)))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(j.want[i], string(got)); diff != "" {
			t.Errorf("index %d: %s", i, diff)
		}
	}
}

func (j *job) started(t *testing.T, i int) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(j.dir, "started", strconv.Itoa(i)))
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

// executions counts how often the command was started in all.
func (j *job) executions(t *testing.T) (n int) {
	t.Helper()
	for i := range e2eItems {
		n += strings.Count(j.started(t, i), "\n")
	}
	return n
}

// TestJobLocally runs the Job with nth local: the whole of it is killed once, and
// then a third of its runs.
func TestJobLocally(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	j := newJob(t, "local")
	start := func() (*exec.Cmd, *bytes.Buffer) {
		args := append([]string{"local", "--completions", strconv.Itoa(e2eItems), "--parallelism", "6", "--backoff-limit-per-index", "50",
			"--retry-delay", "10ms", "--log-level", "info", "--log-format", "json"}, j.flags(j.dir)...)
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
	time.Sleep(time.Duration(500+j.chance(500)) * time.Millisecond)
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
		case <-time.After(time.Duration(20+j.chance(60)) * time.Millisecond):
			if runs := children(second.Process.Pid); len(runs) > 0 && j.kills.Load() < e2eItems/3 {
				if p, err := os.FindProcess(runs[j.chance(len(runs))]); err == nil && p.Kill() == nil {
					j.kills.Add(1)
				}
			}
		}
	}
	logs += log.String()
	j.finish(t, logs)

	before := j.executions(t)
	third, log := start()
	if err := third.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if after := j.executions(t); after != before {
		t.Errorf("the second full run executed %d commands", after-before)
	}
}

// finish checks the results, and that no two runs of an index say that they were
// the one that was recorded.
func (j *job) finish(t *testing.T, logs string) {
	t.Helper()
	t.Logf("%d runs were killed, %d commands started", j.kills.Load(), j.executions(t))
	if j.kills.Load() < e2eItems/4 {
		t.Errorf("only %d runs were killed, which proves little", j.kills.Load())
	}
	j.check(t)
	recorded := map[int]int{}
	for line := range strings.Lines(logs) {
		_, body, _ := strings.Cut(line, "{")
		var l struct {
			Index   int
			Message string
		}
		if json.Unmarshal([]byte("{"+body), &l) == nil && strings.Contains(l.Message, "is recorded as done") {
			recorded[l.Index]++
		}
	}
	for i, n := range recorded {
		if n > 1 {
			t.Errorf("index %d was recorded %d times", i, n)
		}
	}
	// A run that is killed between its marker and its log line tells nothing.
	if len(recorded) < e2eItems-int(j.kills.Load())-6 {
		t.Errorf("only %d indexes say that they were recorded:\n%s", len(recorded), logs)
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

// dockerJob runs the Job in containers, as many times as it takes for each index:
// a third of them are killed.
func dockerJob(t *testing.T, d *servers.Docker) {
	j := newJob(t, "docker")
	var logs safeBuffer
	pod := func(i, attempt int, kill bool) int {
		name := fmt.Sprintf("job-%d-%d", i, attempt)
		words := []string{"run", "--name", name, "--network", "host", "-e", "JOB_COMPLETION_INDEX=" + strconv.Itoa(i), "-v", j.dir + ":/job"}
		for _, e := range servers.S3Env() {
			words = append(words, "-e", e)
		}
		cmd := d.Command(append(append(words, shellImage), j.flags("/job")...)...)
		cmd.Stdout, cmd.Stderr = &logs, &logs
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return 0
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if kill {
			after := time.Duration(100+j.chance(900)) * time.Millisecond
			go func() {
				select {
				case <-time.After(after):
					if d.Command("kill", "--signal", "KILL", name).Run() == nil {
						j.kills.Add(1)
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
		for i := range e2eItems {
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				for attempt := 1; ; attempt++ {
					kill := mayKill && j.kills.Load() < e2eItems/3 && (attempt == 1 || j.chance(3) == 0)
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
	j.finish(t, logs.String())
	before := j.executions(t)
	all(false)
	if after := j.executions(t); after != before {
		t.Errorf("the second full run executed %d commands", after-before)
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
