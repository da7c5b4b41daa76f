//go:build linux

// Package claims is about two pods of one index: only one works at a time.
package claims

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/harness"
	"nth/testdata/matrix"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// job is index 5 of a Job, and its pods.
type job struct {
	t     *testing.T
	place *matrix.Place
	base  string // where the store is asked
	dir   string // where all pods' commands work
	name  string

	script string
}

func newJob(t *testing.T, place *matrix.Place, name string) *job {
	return &job{t: t, place: place, base: place.Base(), dir: t.TempDir(), name: name, script: work}
}

// pod is one run of it.
type pod struct {
	*exec.Cmd
	stderr program.Buffer
}

// work says that it runs, waits for the file go, and has its effect.
const work = `echo "$NTH_ITEM_RUN_ID" >> running; while [ ! -e go ]; do sleep 0.05; done; echo "$NTH_ITEM_RUN_ID" >> ran`

func (j *job) start(flags ...string) *pod {
	j.t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		j.t.Fatal(err)
	}
	args := append([]string{"run", "--index=5", "--markers", j.place.URL(j.base, j.name)}, flags...)
	p := &pod{Cmd: exec.Command(nth, append(args, "--", "sh", "-c", j.script)...)}
	p.Dir, p.Stderr = j.dir, &p.stderr
	p.Env = append([]string{"PATH=" + os.Getenv("PATH")}, j.place.Env(j.base)...)
	if err := p.Start(); err != nil {
		j.t.Fatal(err)
	}
	j.t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// ends waits for a pod's end.
func (j *job) ends(p *pod, code int) {
	j.t.Helper()
	_ = p.Wait()
	if got := p.ProcessState.ExitCode(); got != code {
		j.t.Errorf("exit code %d, want %d:\n%s", got, code, &p.stderr)
	}
}

func (j *job) lines(name string) []string {
	body, _ := os.ReadFile(filepath.Join(j.dir, name))
	return strings.Fields(string(body))
}

// running waits until so many commands have begun.
func (j *job) running(n int) {
	j.t.Helper()
	harness.Await(j.t, func() bool { return len(j.lines("running")) == n }, func() string {
		return fmt.Sprintf("%d commands began, not %d", len(j.lines("running")), n)
	})
}

func (j *job) let() {
	j.t.Helper()
	if err := os.WriteFile(filepath.Join(j.dir, "go"), nil, 0o644); err != nil {
		j.t.Fatal(err)
	}
}

// lost checks that the lost lease is the recorded reason, and not the signal by which nth
// stopped the command.
func (j *job) lost() {
	j.t.Helper()
	stdout, stderr, _ := program.Nth(j.t, j.place.Env(j.base), "status", "--markers="+j.place.URL(j.base, j.name), "--completions=6")
	if !strings.Contains(stdout, "the lease was lost") || strings.Contains(stdout, "SIGTERM") {
		j.t.Errorf("the record says another reason: %s%s", stdout, stderr)
	}
}

// ran checks that the effect is there once, of the run that is recorded.
func (j *job) ran() {
	j.t.Helper()
	body, _, err := j.place.Open(j.t, j.name).Read(j.t.Context(), "done/5.json")
	if err != nil {
		j.t.Fatal(err)
	}
	m, err := marker.Decode(body, 5)
	if err != nil {
		j.t.Fatal(err)
	}
	if ran := j.lines("ran"); len(ran) != 1 || ran[0] != m.RunID {
		j.t.Errorf("the effect is of %q, and the marker of %s", ran, m.RunID)
	}
}

func eachStore(t *testing.T, test func(*testing.T, *matrix.Place)) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			t.Parallel()
			test(t, matrix.Start(t, row))
		})
	}
}

// Waits are without limit here, so that a slow machine fails nothing: what is to be soon
// has a short TTL, what must not happen by itself a long one: also who takes over.
const (
	short = "--claim=3s"
	long  = "--claim=1h"
)

func TestClaims(t *testing.T) {
	eachStore(t, func(t *testing.T, place *matrix.Place) {
		t.Run("the second waits", func(t *testing.T) {
			j := newJob(t, place, "waits")
			first := j.start(long)
			j.running(1)
			second := j.start(short)
			second.stderr.Await(t, "index 5 is claimed by "+j.lines("running")[0])
			j.let()
			j.ends(first, 0)
			j.ends(second, 0)
			if !strings.Contains(second.stderr.String(), "index 5 is done already") {
				t.Errorf("the second doesn't say why it ends: %s", &second.stderr)
			}
			j.ran()
		})
		t.Run("the first is killed outright", func(t *testing.T) {
			j := newJob(t, place, "killed")
			first := j.start(short)
			j.running(1)
			second := j.start(long)
			second.stderr.Await(t, "is claimed by")
			_ = first.Process.Kill()
			j.ends(first, -1)
			j.running(2)
			j.let()
			j.ends(second, 0)
			j.ran()
		})
		t.Run("the first is stopped", func(t *testing.T) {
			j := newJob(t, place, "stopped")
			first := j.start(long)
			j.running(1)
			_ = first.Process.Signal(syscall.SIGTERM)
			j.ends(first, 128+15)
			second := j.start(long) // an hour isn't waited
			j.running(2)
			j.let()
			j.ends(second, 0)
			j.ran()
		})
		t.Run("the first is killed, and somebody says so", func(t *testing.T) {
			j := newJob(t, place, "released")
			reset := func(code int, says string, flags ...string) {
				t.Helper()
				stdout, stderr, got := program.Nth(t, place.Env(j.base), append([]string{"reset", "--claims", "--indexes=5", "--markers=" + place.URL(j.base, j.name)}, flags...)...)
				if got != code || !strings.Contains(stdout+stderr, says) {
					t.Fatalf("%v: %d: %s%s", flags, got, stdout, stderr)
				}
			}
			first := j.start(long)
			j.running(1)
			_ = first.Process.Kill()
			j.ends(first, -1)
			second := j.start(long)
			second.stderr.Await(t, "is claimed by")
			reset(1, "a living run claims it: 5")
			reset(0, "would release 1 claim: 5", "--force", "--dry-run")
			reset(0, "released 1 claim: 5", "--force")
			j.running(2)
			reset(1, "a living run claims it: 5")
			j.let()
			j.ends(second, 0)
			reset(0, "no claim to release")
			j.ran()
		})
		t.Run("the first lives, and somebody says that it is dead", func(t *testing.T) {
			j := newJob(t, place, "voided")
			first := j.start(short)
			j.running(1)
			if stdout, stderr, code := program.Nth(t, place.Env(j.base), "reset", "--claims", "--indexes=5", "--force", "--markers="+place.URL(j.base, j.name)); code != 0 || stdout != "released 1 claim: 5\n" {
				t.Fatalf("%d: %s%s", code, stdout, stderr)
			}
			j.ends(first, 75)
			j.lost()
		})
		t.Run("the first is frozen", func(t *testing.T) {
			j := newJob(t, place, "frozen")
			first := j.start(short)
			j.running(1)
			_ = first.Process.Signal(syscall.SIGSTOP)
			second := j.start(long)
			j.running(2)
			_ = first.Process.Signal(syscall.SIGCONT)
			j.ends(first, 75)
			j.lost()
			j.let()
			j.ends(second, 0)
			j.ran()
		})
		t.Run("nobody is waited for any longer", func(t *testing.T) {
			j := newJob(t, place, "no longer")
			first := j.start(long)
			j.running(1)
			second := j.start(long, "--claim-wait=1ms")
			j.ends(second, 75)
			if !strings.Contains(second.stderr.String(), "claim index 5: it is still claimed by "+j.lines("running")[0]) {
				t.Errorf("it doesn't say by whom: %s", &second.stderr)
			}
			if there, err := place.Open(t, j.name).Exists(t.Context(), "failed/5.json"); there || err != nil {
				t.Errorf("a failure is recorded of an index at which another works (%v)", err)
			}
			j.let()
			j.ends(first, 0)
			j.ran()
		})
		t.Run("the item was done meanwhile", func(t *testing.T) { // between the look and the claim
			j := newJob(t, place, "meanwhile")
			first := j.start(long)
			j.running(1)
			j.let()
			j.ends(first, 0)
			if err := place.Open(t, j.name).Delete(t.Context(), "done/5.json"); err != nil {
				t.Fatal(err)
			}
			j.ends(j.start(long), 0) // the claim was released: it runs again
			if n := len(j.lines("ran")); n != 2 {
				t.Errorf("it ran %d times", n)
			}
		})
	})
}

// TestStoreGone: who can't renew the claim stops before another may begin.
func TestStoreGone(t *testing.T) {
	for row := range matrix.Stores {
		if !matrix.Stores[row].Server {
			continue
		}
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			t.Parallel()
			place := matrix.Start(t, row)
			door := matrix.NewDoor(t, place)
			j := newJob(t, place, "gone")
			j.base = door.URL()
			first := j.start(short)
			j.running(1)
			door.Close()
			j.ends(first, 75)
			if !strings.Contains(first.stderr.String(), "the lease was lost") {
				t.Error(&first.stderr)
			}
			door.Open()
			second := j.start(long)
			j.running(2)
			j.let()
			j.ends(second, 0)
			j.ran()
		})
	}
}

// TestRequests: a claim costs two requests, one before and one after.
func TestRequests(t *testing.T) {
	for row := range matrix.Stores {
		if !matrix.Stores[row].Server {
			continue
		}
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			t.Parallel()
			place := matrix.Start(t, row)
			count := func(name string, flags ...string) int64 {
				var n atomic.Int64
				proxy := place.Fault(t, func(int, *http.Request) servers.Action { n.Add(1); return nil })
				j := newJob(t, place, name)
				j.base = proxy.URL
				j.let()
				j.ends(j.start(flags...), 0)
				return n.Load()
			}
			without, with := count("without"), count("with", long)
			if with != without+2 {
				t.Errorf("%d requests with a claim, %d without", with, without)
			}
		})
	}
}

// TestHostileClaims: what stands there may be anything.
func TestHostileClaims(t *testing.T) {
	valid := `{"version": 1, "index": 5, "term": 7, "run_id": "other", "beat": 3, "ttl": 0.5}`
	for name, tt := range map[string]struct {
		body string
		code int
		says string
	}{
		"empty":             {"", 65, "not a claim"},
		"no JSON":           {"held\n", 65, "not a claim"},
		"half":              {valid[:40], 65, "not a claim"},
		"two":               {valid + valid, 65, "not a claim"},
		"of another index":  {strings.Replace(valid, `"index": 5`, `"index": 6`, 1), 65, "it is of index 6"},
		"no ttl":            {strings.Replace(valid, "0.5", "0", 1), 65, "not a claim"},
		"a ttl before time": {strings.Replace(valid, "0.5", "-5", 1), 65, "not a claim"},
		"a ttl of ages":     {strings.Replace(valid, "0.5", "1e300", 1), 75, "still claimed by other"},
		"no term":           {strings.Replace(valid, `"term": 7`, `"term": 0`, 1), 65, "not a claim"},
		"too large":         {strings.Repeat(" ", 17<<20) + valid, 65, "document"},
		"a later nth's":     {strings.Replace(valid, `"version": 1`, `"version": 9, "more": [1]`, 1), 0, "is claimed by other"},
		"a run that hides":  {strings.Replace(valid, "other", `other\u001b[2J\nnth: done`, 1), 0, "is claimed by other"},
		"released":          {strings.Replace(valid, `0.5`, `9e9, "released": true`, 1), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJob(t, matrix.Start(t, 0), "m")
			path := filepath.Join(j.place.Dir, "m", "claim", "5.json")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tt.body), 0o644); err != nil {
				t.Fatal(err)
			}
			j.let()
			wait := "--claim-wait=1h"
			if tt.code == 75 {
				wait = "--claim-wait=1ms"
			}
			p := j.start(long, wait)
			j.ends(p, tt.code)
			if log := p.stderr.String(); !strings.Contains(log, tt.says) || strings.Contains(log, "\x1b") {
				t.Errorf("it doesn't say %q: %s", tt.says, log)
			}
			if ran := len(j.lines("ran")) == 1; ran != (tt.code == 0) {
				t.Errorf("ran: %t", ran)
			}
			if body, err := os.ReadFile(path); tt.code != 0 && (err != nil || string(body) != tt.body) {
				t.Errorf("it was overwritten: %s", body)
			}
		})
	}
}

// TestDeletedClaim: somebody deletes the claim under a holder that works, who stops: another
// may have it by now.
func TestDeletedClaim(t *testing.T) {
	j := newJob(t, matrix.Start(t, 0), "m")
	p := j.start(short)
	j.running(1)
	s := j.place.Open(t, "m")
	if err := s.Delete(t.Context(), "claim/5.json"); err != nil {
		t.Fatal(err)
	}
	j.ends(p, 75)
	if _, _, err := s.Read(t.Context(), "claim/5.json"); store.Classify(err) != contract.Absent {
		t.Errorf("a claim that was taken away is there again: %v", err)
	}
}

// each says which item it is, and waits for the file go.
const each = `echo <<.Item>> >> running; while [ ! -e go ]; do sleep 0.05; done; echo <<.Item>> >> ran`

// TestShard: of two pods of one shard one works, and the next goes on where it stopped.
func TestShard(t *testing.T) {
	shard := []string{"--completions=6", "--items=24", "--each", "--jobs=2"} // 20 to 23
	t.Run("lost", func(t *testing.T) {
		j := newJob(t, matrix.Start(t, 0), "m")
		j.script = each
		first := j.start(append(shard, short)...)
		j.running(2)
		_ = first.Process.Signal(syscall.SIGSTOP)
		second := j.start(append(shard, short)...)
		j.running(4)
		_ = first.Process.Signal(syscall.SIGCONT)
		j.ends(first, 75)
		if log := first.stderr.String(); !strings.Contains(log, "the claim was lost when 0 of 4 were done") {
			t.Error(log)
		}
		j.lost()
		j.let()
		j.ends(second, 0)
		ran := j.lines("ran")
		slices.Sort(ran)
		if diff := cmp.Diff([]string{"20", "21", "22", "23"}, ran); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("lost, and the commands end well when they are told to stop", func(t *testing.T) {
		j := newJob(t, matrix.Start(t, 0), "m")
		j.script = `trap 'exit 0' TERM; ` + each
		p := j.start(append(shard, short)...)
		j.running(2)
		s := j.place.Open(t, "m")
		if err := s.Delete(t.Context(), "claim/5.json"); err != nil {
			t.Fatal(err)
		}
		j.ends(p, 75)
		if log := p.stderr.String(); !strings.Contains(log, "the claim was lost when 0 of 4 were done") {
			t.Error(log)
		}
		j.lost()
	})
	t.Run("given back", func(t *testing.T) {
		j := newJob(t, matrix.Start(t, 0), "m")
		j.script = each
		first := j.start(append(shard, long)...)
		j.running(2)
		second := j.start(append(shard, long)...)
		second.stderr.Await(t, "is claimed by")
		_ = first.Process.Signal(syscall.SIGTERM)
		j.ends(first, 128+15)
		j.running(4)
		j.let()
		j.ends(second, 0)
	})
}

// TestDoneIfAfterwards: who takes a claim over finds the result that the one before has made.
func TestDoneIfAfterwards(t *testing.T) {
	j := newJob(t, matrix.Start(t, 0), "m")
	out := filepath.Join(j.dir, "out")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	j.script = `echo x >> running; while [ ! -e go ]; do sleep 0.05; done; echo x > out/result; sleep 1000`
	doneIf := "--done-if=file://" + out + "/result"
	first := j.start(short, doneIf)
	j.running(1)
	second := j.start(short, doneIf)
	second.stderr.Await(t, "is claimed by")
	j.let()
	program.Appears(t, filepath.Join(out, "result"))
	_ = first.Process.Kill()
	_ = first.Wait()
	j.ends(second, 0)
	if n := len(j.lines("running")); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}
