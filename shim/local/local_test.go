package local

import (
	"bytes"
	"fmt"
	"nth/shim/policy"
	"nth/shim/proc/tree"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// result is a run with its output.
type result struct {
	Summary
	out, err string
}

// files gives two files and a function that reads what was written to them.
func files(t *testing.T) (stdout, stderr *os.File, read func() (string, string)) {
	t.Helper()
	dir := t.TempDir()
	open := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	stdout, stderr = open("out"), open("err")
	return stdout, stderr, func() (string, string) {
		o, _ := os.ReadFile(stdout.Name())
		e, _ := os.ReadFile(stderr.Name())
		return string(o), string(e)
	}
}

// run runs the behaviour and checks that no temporary file is left.
func run(t *testing.T, o Options, behaviour ...string) result {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o.Self, o.Args = self, append([]string{"child"}, behaviour...)
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	var read func() (string, string)
	o.Stdout, o.Stderr, read = files(t)
	s, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	out, errs := read()
	return result{s, out, errs}
}

// counts is what most tests compare.
type counts struct{ Done, Failed, Unfinished, Code int }

func (r result) counts() counts {
	return counts{int(r.Done), int(r.Failed), int(r.Unfinished), r.ExitCode()}
}

func sortedLines(s string) []string {
	l := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	slices.Sort(l)
	return l
}

func TestPrefixes(t *testing.T) {
	r := run(t, Options{Completions: 11, Parallelism: 3}, "hello")
	var out, errs []string
	for i := range 11 {
		out = append(out, fmt.Sprintf("[%2d] out %d", i, i))
		errs = append(errs, fmt.Sprintf("[%2d] err %d", i, i))
	}
	slices.Sort(out)
	slices.Sort(errs)
	if d := cmp.Diff(out, sortedLines(r.out)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(errs, sortedLines(r.err)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(counts{Done: 11}, r.counts()); d != "" {
		t.Error(d)
	}
}

func TestOnlySomeIndexes(t *testing.T) {
	r := run(t, Options{Completions: 1000, Indexes: []int64{7, 42, 999}, Parallelism: 1}, "hello")
	if d := cmp.Diff("[  7] out 7\n[ 42] out 42\n[999] out 999\n", r.out); d != "" {
		t.Error(d)
	}
}

// fakeClock moves only when somebody waits.
type fakeClock struct {
	mu    sync.Mutex
	t     time.Time
	waits []time.Duration
}

func (c *fakeClock) clock() clock {
	return clock{
		now: func() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t },
		after: func(d time.Duration) <-chan time.Time {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.t = c.t.Add(d)
			c.waits = append(c.waits, d)
			ch := make(chan time.Time, 1)
			ch <- c.t
			return ch
		},
	}
}

func TestRetries(t *testing.T) {
	tests := []struct {
		name      string
		limit     int
		behaviour []string
		want      counts
		waits     []time.Duration
	}{
		{"the last attempt succeeds", 5, []string{"flaky", "6"}, counts{Done: 1},
			[]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}},
		{"one too few", 2, []string{"flaky", "4"}, counts{Failed: 1, Code: 1}, []time.Duration{time.Second, 2 * time.Second}},
		{"no retries", 0, []string{"flaky", "2"}, counts{Failed: 1, Code: 1}, nil},
		{"a lost pod is retried", 1, []string{"suicide"}, counts{Failed: 1, Code: 1}, []time.Duration{time.Second}},
		{"65 is not retried", 3, []string{"codes", "0=65"}, counts{Failed: 1, Code: 1}, nil},
		{"66 is not retried", 3, []string{"codes", "0=66"}, counts{Failed: 1, Code: 1}, nil},
		{"69 is retried", 1, []string{"codes", "0=69"}, counts{Failed: 1, Code: 1}, []time.Duration{time.Second}},
		{"64 ends the Job", 3, []string{"codes", "0=64"}, counts{Failed: 1, Code: 64}, nil},
		{"78 ends the Job", 3, []string{"codes", "0=78"}, counts{Failed: 1, Code: 78}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &fakeClock{t: time.Unix(0, 0)}
			r := run(t, Options{Completions: 1, BackoffLimit: tt.limit, RetryDelayMax: 5 * time.Second, clock: c.clock()}, tt.behaviour...)
			if d := cmp.Diff(tt.want, r.counts()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.waits, c.waits); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSummaryShowsReasons(t *testing.T) {
	c := &fakeClock{t: time.Unix(0, 0)}
	r := run(t, Options{Completions: 12, Parallelism: 2, BackoffLimit: 1, clock: c.clock()}, "codes", "3=66", "4=1", "5=137", "11=66")
	r.Wall = 2 * time.Second
	want := `nth local: 8 of 12 succeeded, 4 failed, in 2s
nth local: failed indexes: 3-5,11
   3  exit 66             1 attempt   nth: index 3: because
   4  exit 1              2 attempts  nth: index 4: because
   5  exit 137 (SIGKILL)  2 attempts  nth: index 5: because
  11  exit 66             1 attempt   nth: index 11: because
`
	if d := cmp.Diff(want, r.String()); d != "" {
		t.Error(d)
	}
	if !strings.Contains(r.err, "[ 4] nth local: exit 1, attempt 1 of 2, again in 1s\n") {
		t.Errorf("the retry isn't told:\n%s", r.err)
	}
}

func TestKilledNth(t *testing.T) {
	r := run(t, Options{Completions: 1}, "suicide")
	want := []Failure{{Index: 0, Attempts: 1, Code: 137, Signal: syscall.SIGKILL}}
	if d := cmp.Diff(want, r.Failures); d != "" {
		t.Error(d)
	}
	if got := r.Failures[0].How(); got != "killed by SIGKILL" {
		t.Error(got)
	}
}

func TestFailJobStopsTheOthers(t *testing.T) {
	dir := t.TempDir()
	r := run(t, Options{Completions: 50, Parallelism: 2}, "mixed", dir, "78")
	if d := cmp.Diff(counts{Failed: 1, Unfinished: 49, Code: 78}, r.counts()); d != "" {
		t.Error(d)
	}
	if !strings.Contains(r.String(), "ended by index 0: exit 78") {
		t.Error(r.String())
	}
}

func TestTooManyFailed(t *testing.T) {
	var codes []string
	for i := range 100 {
		codes = append(codes, strconv.Itoa(i)+"=66")
	}
	limit, err := policy.ParseMaxFailed("3")
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{Completions: 100, Parallelism: 1, MaxFailed: limit}, append([]string{"codes"}, codes...)...)
	if d := cmp.Diff(counts{Failed: 4, Unfinished: 96, Code: 1}, r.counts()); d != "" {
		t.Error(d)
	}
	if !strings.Contains(r.String(), "more than 3 indexes failed") {
		t.Error(r.String())
	}
}

func TestEnvironment(t *testing.T) {
	r := run(t, Options{Completions: 3, Indexes: []int64{2}, Remove: []string{"SLURM_ARRAY_TASK_ID"},
		Environ: []string{"A=1", "SLURM_ARRAY_TASK_ID=9", "JOB_COMPLETION_INDEX=8", "NTH_INDEX=7", "NTH_MARKERS=m", "NTH_INDEX_FAILURES=5"}}, "env")
	want := []string{"[2] A=1", "[2] JOB_COMPLETION_INDEX=2", "[2] NTH_COMPLETIONS=3", "[2] NTH_COOKIE", "[2] NTH_INDEX_FAILURES=0", "[2] NTH_MARKERS=m", "[2] NTH_SLOT=0", "[2] stdin: EOF"}
	if d := cmp.Diff(want, sortedLines(r.out)); d != "" {
		t.Error(d)
	}
}

func TestLines(t *testing.T) {
	x := strings.Repeat("x", maxLine)
	binary := make([]byte, 200_000)
	for i := range binary {
		binary[i] = byte(i)
	}
	tests := []struct{ behaviour, want string }{
		{"partial", "[0] a\n[0] no end 0\n"},
		{"long", "[0] " + x + "\n[0] " + x + "\n[0] " + x + "\n[0] after\n"},
	}
	for _, tt := range tests {
		t.Run(tt.behaviour, func(t *testing.T) {
			r := run(t, Options{Completions: 1}, tt.behaviour)
			if d := cmp.Diff(tt.want, r.out); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("binary", func(t *testing.T) {
		r := run(t, Options{Completions: 1}, "binary")
		var got []byte
		for l := range strings.Lines(r.out) {
			rest, ok := strings.CutPrefix(l, "[0] ")
			if !ok {
				t.Fatalf("a line without its prefix: %.40q", l)
			}
			got = append(got, rest...)
		}
		if !bytes.Equal(bytes.TrimSuffix(got, []byte("\n")), bytes.TrimSuffix(binary, []byte("\n"))) {
			t.Error("bytes were lost or changed")
		}
	})
}

func TestNoInterleaving(t *testing.T) {
	r := run(t, Options{Completions: 8, Parallelism: 8}, "chatty")
	next := map[string]int{}
	for l := range strings.Lines(r.out) {
		var index string
		if _, err := fmt.Sscanf(l, "[%1s]", &index); err != nil {
			t.Fatalf("%q: %v", l, err)
		}
		i := next[index]
		next[index]++
		if want := fmt.Sprintf("[%s] %s:%d:%s\n", index, index, i, strings.Repeat(index, i%50)); l != want {
			t.Fatalf("got %q, want %q", l, want)
		}
	}
	for i := range 8 {
		if n := next[strconv.Itoa(i)]; n != 2000 {
			t.Errorf("index %d: %d lines", i, n)
		}
	}
}

// TestHeldPipe: what a child has left behind holds nobody, for it is ended.
func TestHeldPipe(t *testing.T) {
	dir := t.TempDir()
	r := run(t, Options{Completions: 1}, "daemon", dir)
	if d := cmp.Diff("[0] gone\n", r.out); d != "" {
		t.Error(d)
	}
	pid := waitPid(t, filepath.Join(dir, "daemon"))
	if p, ok := tree.Read(pid); ok && !p.Ended {
		t.Errorf("%+v is still there", p)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"no completions":   {},
		"index too large":  {Completions: 3, Indexes: []int64{3}},
		"index twice":      {Completions: 3, Indexes: []int64{1, 1}},
		"negative retries": {Completions: 3, BackoffLimit: -1},
	} {
		if _, err := Run(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	_, err := Run(t.Context(), Options{Completions: 3, Self: "/nowhere/nth"})
	if err == nil || err.Error() != "start nth for index 0: /nowhere/nth: no such file or directory" {
		t.Error(err)
	}
}
