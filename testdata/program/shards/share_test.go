//go:build linux

package shards

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// sharers are how many workers share.
const sharers = 4

// sharing is a Job whose items are shared.
type sharing struct {
	t       *testing.T
	dir     string // of the commands
	markers string
	items   int64
	flags   []string
	number  string // a shell's word for the item's number, by the item itself
	slow    string // a shell's text that takes its time for some items, or at some worker
	killed  func() // while worker 1 is killed
	script  string // of one item

	mu   sync.Mutex
	lost [sharers]int // how often a worker was killed, or has lost what it had taken
}

// worker prepares a run of an index.
func (s *sharing) worker(index int) (*exec.Cmd, *bytes.Buffer) {
	s.t.Helper()
	args := append([]string{fmt.Sprint("--completions=", sharers), "--each", "--share", "--log-level=warn", "--lease=2s", "--markers=" + s.markers}, s.flags...)
	return program.Worker(s.t, index, append(args, "--", "sh", "-c", s.script)...)
}

// stopped is the exit code of a run that SIGTERM has ended.
const stopped = 128 + int(syscall.SIGTERM)

// live runs an index as a platform does, until it exits 0.
func (s *sharing) live(index int, fate func(cmd *exec.Cmd, ended func() bool)) {
	for {
		cmd, log := s.worker(index)
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		if fate != nil {
			fate(cmd, func() bool {
				select {
				case <-ended:
					return true
				default:
					return false
				}
			})
		}
		<-ended
		switch code := cmd.ProcessState.ExitCode(); code {
		case 0:
			return
		case -1, 75: // killed, or it stood still for too long
			s.mu.Lock()
			s.lost[index]++
			s.mu.Unlock()
		case stopped:
			s.create("stopped")
		default:
			s.t.Errorf("worker %d: exit code %d: %s", index, code, log)
			for _, name := range []string{"met-0", "met-1", "met-2", "go"} { // nobody waits for more than is to come
				s.create(name)
			}
			return
		}
	}
}

// create makes a file that commands wait for.
func (s *sharing) create(name string) {
	if err := os.WriteFile(s.dir+"/"+name, nil, 0o666); err != nil {
		s.t.Error(err)
	}
}

// ran gives which indexes have finished each item, in order.
func (s *sharing) ran() map[int64][]string {
	body, err := os.ReadFile(s.dir + "/out")
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	runs := map[int64][]string{}
	for line := range strings.Lines(string(body)) {
		var item int64
		var by string
		if _, err := fmt.Sscan(line, &item, &by); err != nil {
			s.t.Fatalf("%q: %v", line, err)
		}
		runs[item] = append(runs[item], by)
	}
	return runs
}

// check holds what is recorded against what ran: each item once, and every block by a
// marker of its own.
func (s *sharing) check() {
	s.t.Helper()
	at, err := store.Open(s.t.Context(), s.markers)
	if err != nil {
		s.t.Fatal(err)
	}
	defer at.Close()
	next := int64(0)
	for index := range int64(sharers) {
		body, _, err := at.Read(s.t.Context(), marker.Key("done", index))
		var m marker.Marker
		if err != nil || json.Unmarshal(body, &m) != nil || m.Shard == nil || m.Shard.Start != next {
			s.t.Fatalf("the marker of index %d, whose part begins with %d: %v %s", index, next, err, body)
		}
		next = m.Shard.End
		documents, err := marker.ReadProgress(context.Background(), at, store.Policy{}, index, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		last, _ := marker.Latest(documents)
		if want := identity.Span(m.Shard.Start, m.Shard.End).String(); last.Done.String() != want {
			s.t.Errorf("of index %d %s is recorded, want %s", index, last.Done, want)
		}
	}
	if next != s.items {
		s.t.Errorf("the markers are of %d items, want %d", next, s.items)
	}
}

// TestShare: four workers, of which one is killed outright, one stands still for longer than
// its items are kept for it, and one is stopped, while the last one's items take longest: none
// is lost, and none runs twice but those of who couldn't tell what it had done.
func TestShare(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "share")
	for name, markers := range map[string]string{"file": "file://" + t.TempDir() + "/m?create_dir=true", "s3": s3.URL("share", "x")} {
		for kind, flags := range map[string]func(dir string) []string{
			"numbers": func(string) []string { return []string{"--items=80"} },
			"rows": func(dir string) []string {
				var rows strings.Builder
				for i := range 80 {
					fmt.Fprintf(&rows, "{\"number\": %d}\n", i)
				}
				if err := os.WriteFile(dir+"/rows.jsonl", []byte(rows.String()), 0o666); err != nil {
					t.Fatal(err)
				}
				return []string{"--tasks=file://" + dir + "/rows.jsonl", "--jobs=2"}
			},
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				s := &sharing{t: t, dir: dir, markers: strings.Replace(markers, "/m?", "/"+kind+"?", 1), items: 80, flags: flags(dir),
					number: "<<.Item>>", slow: "if [ $n -ge 60 ]; then sleep 0.2; fi"}
				if kind == "rows" {
					s.number = "<<.Task.number>>"
				}
				if name == "s3" {
					s.markers = s3.URL("share", kind)
				}
				s.fates()
			})
		}
	}
}

// fates: worker 3 takes long, worker 1 is killed with an item of its own, worker 2 is frozen
// with one of its own, and worker 0 is stopped with one.
func (s *sharing) fates() {
	// Nobody takes an item of these three before they have come to theirs, the sixth or one
	// behind it. When worker 0 is stopped, all that it does at the same time stands still, and
	// none has ended so short a time ago that the signal may have been why.
	jobs := 1
	if slices.Contains(s.flags, "--jobs=2") {
		jobs = 2
	}
	s.script = `cd ` + s.dir + `; n=` + s.number + `; test $n = <<.Item>> || n=99<<.Item>>; i=$JOB_COMPLETION_INDEX
if [ $((n / 20)) = $i ] && [ $((n % 20)) -ge 5 ]; then
	if [ $i = 0 ] && ! [ -e stopped ]; then
		: >at-$n; until [ $(ls | grep -c '^at-') -ge ` + fmt.Sprint(jobs) + ` ]; do sleep 0.05; done; sleep 1; : >met-0; exec sleep 600
	fi
	: >met-$i
fi
if [ $((n % 20)) -gt 5 ] || [ $n -ge 60 ]; then until [ -e met-0 ] && [ -e met-1 ] && [ -e met-2 ]; do sleep 0.05; done; fi
` + s.slow + `
if [ $n = 25 ] || [ $n = 45 ]; then until test -e go; do sleep 0.05; done; fi
echo $n $JOB_COMPLETION_INDEX >>out`
	come := func(index int) bool {
		_, err := os.Stat(fmt.Sprintf("%s/met-%d", s.dir, index))
		return err == nil
	}
	var all sync.WaitGroup
	var met [sharers]bool // its fate
	for index := range sharers {
		all.Go(func() {
			s.live(index, func(cmd *exec.Cmd, ended func() bool) {
				if index != 3 && !met[index] { // a slow machine may lose what it has taken before
					harness.Await(s.t, func() bool { return come(index) || ended() }, func() string { return fmt.Sprintf("worker %d doesn't come to its item", index) })
					met[index] = cmd.Process.Signal([]os.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGSTOP}[index]) == nil
					if index == 1 && met[index] && s.killed != nil {
						s.killed()
					}
				}
				if index == 2 && met[index] {
					all.Go(func() { s.thaw(cmd) })
				}
			})
		})
	}
	all.Wait()
	s.check()
	helped := 0
	for item, by := range s.ran() {
		for _, index := range by {
			if index != fmt.Sprint(item/20) {
				helped++
			}
		}
		for _, index := range by[:len(by)-1] {
			if s.lost[index[0]-'0'] == 0 {
				s.t.Errorf("item %d was run by %v", item, by)
			}
		}
	}
	if n := len(s.ran()); n != int(s.items) || helped == 0 {
		s.t.Errorf("%d items ran, %d of them at another's worker", n, helped)
	}
	if _, err := os.Stat(s.dir + "/stopped"); err != nil || s.lost[1] == 0 {
		s.t.Errorf("worker 0 was to be stopped, and worker 1 to be killed: %v %d", err, s.lost)
	}
	out, log, _ := program.Nth(s.t, servers.S3Env(), "status", "--markers="+s.markers, "--completions=4")
	if !strings.Contains(out, "80 of 80 done, ") || !strings.Contains(out, "by workers that helped") {
		s.t.Errorf("status doesn't tell of them: %s%s", out, log)
	}
}

// thaw wakes the frozen worker when the others have done what it couldn't have.
func (s *sharing) thaw(cmd *exec.Cmd) {
	harness.Await(s.t, func() bool {
		done := 0
		for item := range s.ran() {
			if item < 20 || item >= 60 {
				done++
			}
		}
		return done == 20+20 || s.t.Failed()
	}, func() string { return fmt.Sprintf("the others don't do the rest: %v", s.ran()) })
	s.create("go")
	_ = cmd.Process.Signal(syscall.SIGCONT)
}

// TestShareRequests: of the requests that --share costs there are at most two for each
// chunk of items.
func TestShareRequests(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "requests")
	count := func(name string, flags ...string) (requests, chunks int) {
		var n, claims atomic.Int64
		proxy := servers.StartFault(t, s3.Address, func(_ int, r *http.Request) servers.Action {
			n.Add(1)
			if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/share/") {
				claims.Add(1)
			}
			return nil
		})
		dir := t.TempDir()
		var all sync.WaitGroup
		for index := range sharers {
			all.Go(func() {
				url := strings.Replace(s3.URL("requests", name), s3.Address, strings.TrimPrefix(proxy.URL, "http://"), 1)
				args := append([]string{"--completions=4", "--items=200", "--each", "--log-level=warn", "--markers=" + url}, flags...)
				cmd, log := program.Worker(t, index, append(args, "--", "sh", "-c", "if [ <<.Item>> -ge 180 ]; then sleep 0.2; fi; echo <<.Item>> >>"+dir+"/out")...)
				if err := cmd.Wait(); err != nil {
					t.Errorf("worker %d: %v: %s", index, err, log)
				}
			})
		}
		all.Wait()
		for item, k := range ran(t, dir+"/out") {
			if k != 1 {
				t.Errorf("item %d has run %d times", item, k)
			}
		}
		return int(n.Load()), int(claims.Load())
	}
	without, _ := count("without")
	with, claims := count("with", "--share")
	t.Logf("%d requests without --share, %d with it, of which %d took chunks or tried to", without, with, claims)
	if beyond := with - without; beyond > 2*claims || claims < 100 {
		t.Errorf("%d requests more for %d chunks", beyond, claims)
	}
}

// TestShareStalled: while the store lets a claim wait, what has ended has ended, and is none
// that took too long.
func TestShareStalled(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "stalled")
	var claims atomic.Int64
	proxy := servers.StartFault(t, s3.Address, func(_ int, r *http.Request) servers.Action {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/share/") && claims.Add(1) == 2 {
			return servers.Delay(15 * time.Second)
		}
		return nil
	})
	url := strings.Replace(s3.URL("stalled", "m"), s3.Address, strings.TrimPrefix(proxy.URL, "http://"), 1)
	cmd, log := program.Worker(t, 0, "--completions=2", "--items=40", "--each", "--share", "--jobs=2", "--timeout=10s", "--log-level=warn", "--markers="+url,
		"--", "sh", "-c", "test <<.Item>> -ne 1 || sleep 0.5")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, log)
	}
}

// TestShareOthers: claims that an earlier command has left keep nobody from helping.
func TestShareOthers(t *testing.T) {
	dir := t.TempDir()
	args := func(script string) []string {
		return []string{"--completions=2", "--items=12", "--each", "--share", "--lease=1s", "--log-level=warn", "--markers=file://" + dir + "/m?create_dir=true", "--", "sh", "-c", script}
	}
	for index := range 2 {
		cmd, log := program.Worker(t, index, args("exit 1")...)
		if err := cmd.Wait(); err == nil {
			t.Fatalf("worker %d: %s", index, log)
		}
	}
	time.Sleep(3 * time.Second) // so long those may be at work
	cmd, log := program.Worker(t, 0, args("echo <<.Item>> >>"+dir+"/out")...)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, log)
	}
	if got := len(ran(t, dir+"/out")); got != 12 {
		t.Errorf("%d of 12 items have run: %s", got, log)
	}
}

// TestShareFailed: an item that has failed at another's worker is given back, and the part's
// own worker does it; the other hasn't failed for that.
func TestShareFailed(t *testing.T) {
	dir := t.TempDir()
	s := &sharing{t: t, dir: dir, markers: "file://" + dir + "/m?create_dir=true", items: 40, flags: []string{"--items=40", "--jobs=2"},
		script: `test <<.Item>> -lt 30 || sleep 0.1
if [ <<.Item>> -ge 30 ] && [ $JOB_COMPLETION_INDEX != 3 ]; then : >` + dir + `/failed; exit 3; fi
echo <<.Item>> $JOB_COMPLETION_INDEX >>` + dir + `/out`}
	var all sync.WaitGroup
	for index := range sharers {
		all.Go(func() { s.live(index, nil) })
	}
	all.Wait()
	s.check()
	for item, by := range s.ran() {
		if len(by) != 1 || item >= 30 && by[0] != "3" {
			t.Errorf("item %d was done by %v", item, by)
		}
	}
	if _, err := os.Stat(dir + "/failed"); err != nil {
		t.Error("no item has failed at another's worker")
	}
}

// TestShareUnfit: a store that can't replace on condition is told.
func TestShareUnfit(t *testing.T) {
	cmd, log := eachProcess(t, "--share", "--items=4", "--markers=mem://x", "--", "true")
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 78 || !strings.Contains(log.String(), "--share needs") {
		t.Errorf("exit code %d: %s", code, log)
	}
}
