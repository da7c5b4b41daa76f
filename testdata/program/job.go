package program

import (
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
	"nth/testdata/servers"
)

// Items is how many indexes a Job has.
const Items = 100

// Job is an Indexed Job of 100 indexes over 100 real text files in a bucket of a
// real S3 server: each index fetches its file, and writes its SHA-256. A third of
// its runs are killed at random moments.
type Job struct {
	*servers.S3
	Dir     string       // urls/ has an address for each file, out/ gets the results
	Markers string       // its URL
	Kills   atomic.Int64 // how many of its runs were killed
	want    map[int]string
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

// NewJob fills the bucket, and keeps the markers under a name.
func NewJob(t *testing.T, name string) *Job {
	t.Helper()
	j := &Job{S3: servers.StartS3(t), Dir: t.TempDir(), want: map[int]string{}}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	j.random = rand.New(rand.NewPCG(seed, 0))
	j.Bucket(t, "data")
	j.Markers = j.URL("data", "markers/"+name)
	for _, sub := range []string{"urls", "out", "started"} {
		if err := os.Mkdir(filepath.Join(j.Dir, sub), 0o755); err != nil {
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
		if err := os.WriteFile(filepath.Join(j.Dir, "urls", strconv.Itoa(i)), []byte(j.Presign(t, "data", key)+"\n"), 0o644); err != nil {
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
		if err == nil && strings.HasSuffix(path, ".go") && len(files) < Items {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) != Items {
		t.Fatalf("%d files under %s, %v", len(files), root, err)
	}
	return files
}

// Flags are those of nth, for a run that sees the job's folder under this name.
func (j *Job) Flags(dir string) []string {
	return []string{"--markers", j.Markers, "--done-exit-codes", "0", "--", "busybox", "sh", "-ec", "cd " + dir + "\n" + work, "sh",
		`<<file (printf "` + dir + `/urls/%d" .Index)>>`}
}

// Chance gives a random number below n.
func (j *Job) Chance(n int) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.random.IntN(n)
}

// check: 100 markers, 100 right results, each from the one run that was recorded.
func (j *Job) check(t *testing.T) {
	t.Helper()
	s, err := store.Open(t.Context(), j.Markers)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	markers := 0
	if err := s.List(t.Context(), "done/", func(string, int64, time.Time) error { markers++; return nil }); err != nil || markers != Items {
		t.Errorf("%d markers, want %d (%v)", markers, Items, err)
	}
	for i := range Items {
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
		got, err := os.ReadFile(filepath.Join(j.Dir, "out", strconv.Itoa(i)))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(j.want[i], string(got)); diff != "" {
			t.Errorf("index %d: %s", i, diff)
		}
	}
}

func (j *Job) started(t *testing.T, i int) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(j.Dir, "started", strconv.Itoa(i)))
	if err != nil {
		t.Error(err)
	}
	return string(body)
}

// Executions counts how often the command was started in all.
func (j *Job) Executions(t *testing.T) (n int) {
	t.Helper()
	for i := range Items {
		n += strings.Count(j.started(t, i), "\n")
	}
	return n
}

// Finish checks the results, and that no two runs of an index say that they were
// the one that was recorded.
func (j *Job) Finish(t *testing.T, logs string) {
	t.Helper()
	t.Logf("%d runs were killed, %d commands started", j.Kills.Load(), j.Executions(t))
	if j.Kills.Load() < Items/4 {
		t.Errorf("only %d runs were killed, which proves little", j.Kills.Load())
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
	if len(recorded) < Items-int(j.Kills.Load())-6 {
		t.Errorf("only %d indexes say that they were recorded:\n%s", len(recorded), logs)
	}
}
