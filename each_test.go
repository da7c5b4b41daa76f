//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nth/shim/identity"
	"nth/shim/marker"
	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// eachProcess prepares a run of index 0, which has every item.
func eachProcess(t *testing.T, args ...string) (*exec.Cmd, *strings.Builder) {
	t.Helper()
	path, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"run", "--index=0", "--completions=1", "--each", "--log-level=warn"}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, servers.S3Env()...)
	log := &strings.Builder{}
	cmd.Stderr = log
	return cmd, log
}

// ran gives how often each item has run, by a file of their numbers.
func ran(t *testing.T, path string) map[int64]int {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	runs := map[int64]int{}
	for _, word := range strings.Fields(string(body)) {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		runs[n]++
	}
	return runs
}

// recorded gives the items that the progress documents have as done.
func recorded(t *testing.T, markers string) identity.List {
	t.Helper()
	s, err := store.Open(t.Context(), markers)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	documents, err := marker.ReadProgress(context.Background(), s, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents {
		if d.Broken != nil {
			t.Error(d.Broken)
		}
	}
	last, _ := marker.Latest(documents)
	return last.Done
}

// TestEach: many items, several at a time: each runs once.
func TestEach(t *testing.T) {
	dir := t.TempDir()
	const items = 5000
	cmd, log := eachProcess(t, "--items", strconv.Itoa(items), "--jobs=8", "--markers=file://"+dir+"/markers", "--", "sh", "-c", "echo <<.Item>> >>"+dir+"/out")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	runs := ran(t, dir+"/out")
	for i := range int64(items) {
		if runs[i] != 1 {
			t.Errorf("item %d has run %d times", i, runs[i])
		}
	}
	if got := recorded(t, "file://"+dir+"/markers").String(); got != fmt.Sprintf("0-%d", items-1) || len(runs) != items {
		t.Errorf("%d have run, and recorded are %s", len(runs), got)
	}
}

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
		"echo <<.Item>> >>" + dir + "/begun; test <<.Item>> -lt 20 || test -e " + dir + "/go || exec sleep 600; echo <<.Item>> >>" + dir + "/done"}
	cmd, log := eachProcess(t, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); len(ran(t, dir+"/begun")) < 22; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("only %d began: %s", len(ran(t, dir+"/begun")), log)
		}
	}
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

// TestEachChanged: what was done by another command isn't counted, and said.
func TestEachChanged(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		word string
		code int
		says string
	}{
		{"exit $(( <<.Item>> == 3 ))", 1, "1 of 5 failed: 3"},
		{"exit $(( <<.Item>> == 4 ))", 1, "of another command, manifest or part of the items, and isn't counted"},
		{"exit $(( <<.Item>> == 9 ))", 0, "isn't counted"},
	} {
		cmd, log := eachProcess(t, "--items=5", "--keep-going", "--markers=file://"+dir+"/markers", "--", "sh", "-c", tt.word)
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != tt.code || !strings.Contains(log.String(), tt.says) {
			t.Errorf("%s: %v, want code %d; it should say %q: %s", tt.word, err, tt.code, tt.says, log)
		}
		if err := os.WriteFile(dir+"/markers/progress/0/broken.json", []byte("{"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEachManifest: the rows of a manifest are shared out, on files and on a real S3
// server, and one that is replaced is other work.
func TestEachManifest(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "each")
	for name, place := range map[string]string{"file": "file://" + t.TempDir() + "/x?create_dir=true", "s3": s3.URL("each", "x")} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := store.Open(t.Context(), place)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			// Of more than 64 KiB, so that an index of it is kept.
			var text strings.Builder
			text.WriteString("id,name,fill\n")
			const rows = 2503
			for i := range rows {
				fmt.Fprintf(&text, "%d,\"n, %d\",%s\n", i, i, strings.Repeat("x", 30))
			}
			if err := s.Put(t.Context(), "items.csv", []byte(text.String())); err != nil {
				t.Fatal(err)
			}
			run := func(index, completions, code int, says string, flags ...string) {
				t.Helper()
				manifest := strings.Replace(place, "/x?", "/x/items.csv?", 1)
				args := append([]string{"--index=" + strconv.Itoa(index), "--completions=" + strconv.Itoa(completions), "--jobs=2", "--markers=" + place, "--tasks=" + manifest}, flags...)
				cmd, log := eachProcess(t, append(args, "--", "sh", "-c", `test "<<.Task.name>>" = "n, <<.Item>>" && echo <<.Task.id>> >>`+dir+"/out")...)
				if err := cmd.Run(); cmd.ProcessState.ExitCode() != code || !strings.Contains(log.String(), says) {
					t.Fatalf("%v, want code %d; it should say %q: %s", err, code, says, log)
				}
			}
			for index := range 3 {
				run(index, 3, 0, "")
			}
			run(0, 3, 0, "") // is done already
			runs := ran(t, dir+"/out")
			for i := range int64(rows) {
				if runs[i] != 1 {
					t.Errorf("row %d has run %d times", i, runs[i])
				}
			}
			if len(runs) != rows {
				t.Errorf("%d rows have run", len(runs))
			}
			if err := s.Put(t.Context(), "items.csv", []byte(text.String()+"9999,x,y\n")); err != nil {
				t.Fatal(err)
			}
			run(0, 3, 65, "of another command")
		})
	}
}

// TestEachOutage: a store that goes away while items run holds none of them, and what they
// did is recorded when it is back.
func TestEachOutage(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "each")
	dir := t.TempDir()
	cmd, _ := eachProcess(t, "--items=3", "--markers="+s3.URL("each", "x"), "--", "sh", "-c",
		"echo <<.Item>> >>"+dir+"/out; until test -e "+dir+"/go-<<.Item>>; do sleep 0.02; done")
	log, err := os.Create(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	wait := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("never: %s: %s", what, read(t, dir+"/log"))
			}
		}
	}
	free := func(item int) {
		t.Helper()
		if err := os.WriteFile(fmt.Sprintf("%s/go-%d", dir, item), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	free(0)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait("item 0 is recorded", func() bool { return recorded(t, s3.URL("each", "x")).String() == "0" })
	s3.Stop()
	free(1)
	wait("item 2 runs", func() bool { return ran(t, dir+"/out")[2] == 1 })
	wait("a warning", func() bool { return strings.Contains(read(t, dir+"/log"), "record the progress: ") })
	if err := s3.Start(); err != nil {
		t.Fatal(err)
	}
	free(2)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, read(t, dir+"/log"))
	}
	if got := recorded(t, s3.URL("each", "x")).String(); got != "0-2" || documents(t, s3.URL("each", "x"), "done/") != 1 {
		t.Errorf("recorded are %s: %s", got, read(t, dir+"/log"))
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestReadmeEach: the README's commands do every item once, and nothing the second time.
func TestReadmeEach(t *testing.T) {
	const dir = "/tmp/nth-each"
	os.RemoveAll(dir)
	t.Cleanup(func() { os.RemoveAll(dir) })
	found := 0
	for _, block := range blocks(t, "sh") {
		if !strings.Contains(block, "--each") {
			continue
		}
		found++
		for _, want := range []int{1, 0} {
			out := shell(t, block, "GOFLAGS=-buildvcs=false")
			for i := range 20 {
				if n := strings.Count(out, fmt.Sprintf("item %d of 20\n", i)); n != want {
					t.Errorf("item %d was done %d times, want %d:\n%s", i, n, want, out)
				}
			}
			for i, name := range []string{"Ann", "Bob", "Carol", "Dave, Jr.", "Eve"} {
				if n := strings.Count(out, fmt.Sprintf("row %d is %s\n", i, name)); n != want {
					t.Errorf("row %d was done %d times, want %d:\n%s", i, n, want, out)
				}
			}
		}
	}
	if found != 1 {
		t.Errorf("%d blocks have --each", found)
	}
}

// TestEachFirst: what is wrong for every item is found before one runs.
func TestEachFirst(t *testing.T) {
	dir := t.TempDir()
	for word, code := range map[string]int{`<<env "NOT_SET">>`: 78, "<<.Item.x>>": 64, "<<.Task>>": 78, "<<.Item>><<.JobUID>>": 78} {
		cmd, log := eachProcess(t, "--items=5", "--", "sh", "-c", "echo 1 >>"+dir+"/out #"+word)
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != code {
			t.Errorf("%s: %v, want code %d: %s", word, err, code, log)
		}
	}
	if runs := ran(t, dir+"/out"); len(runs) > 0 {
		t.Error("something ran")
	}
}

// TestEachMemory: what nth holds of a shard doesn't grow with it: here with a thousand
// million items, of which earlier runs have done nearly all.
func TestEachMemory(t *testing.T) {
	const items, left = 1_000_000_000, 2000
	dir := t.TempDir()
	run := func(items int64) (peak int64, log string) {
		t.Helper()
		cmd, said := eachProcess(t, "--items", strconv.FormatInt(items, 10), "--jobs=2", "--markers=file://"+dir+"/"+strconv.FormatInt(items, 10)+"?create_dir=true",
			"--", "test", "-e", dir+"/go", "-a", "<<.Item>>", "-ge", "0")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait() // the marker tells
			close(ended)
		}()
		return harness.Peak(cmd.Process.Pid, ended), said.String()
	}
	run(items) // which fails, and leaves the record that is then made to say how far it came
	markers := fmt.Sprintf("file://%s/%d", dir, items)
	s, err := store.Open(t.Context(), markers)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	documents, err := marker.ReadProgress(t.Context(), s, 0)
	if err != nil || len(documents) != 1 {
		t.Fatal(documents, err)
	}
	p := documents[0]
	p.RunID = "earlier"
	if p.Done, err = identity.ParseList(fmt.Sprintf("%d-%d", left, items-1)); err != nil {
		t.Fatal(err)
	}
	body, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), marker.ProgressKey(0, p.RunID), body); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/go", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	small, log := run(50)
	large, log2 := run(items)
	for _, n := range []int64{50, items} {
		if _, err := os.Stat(fmt.Sprintf("%s/%d/done/0.json", dir, n)); err != nil {
			t.Errorf("%d items: %v: %s%s", n, err, log, log2)
		}
	}
	if small == 0 || large > small+16<<20 || large > 64<<20 {
		t.Errorf("the peak is %d MB with 50 items, and %d MB with %d", small>>20, large>>20, items)
	}
	t.Logf("the peak is %d KiB with 50 items, and %d KiB with %d", small>>10, large>>10, items)
}
