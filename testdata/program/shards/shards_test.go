//go:build linux

package shards

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

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
	documents, err := marker.ReadProgress(context.Background(), s, store.Policy{}, 0, nil)
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

// TestEachChanged: what was done by another command isn't counted, and said.
func TestEachChanged(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		word string
		code int
		says string
	}{
		{"exit $(( <<.Item>> == 3 ))", 1, "1 of 5 failed: 3"},
		{"exit $(( <<.Item>> == 4 ))", 1, "of another command, file of rows or part of the items, and isn't counted"},
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

// TestEachDigest: the marker of a part vouches for the templates, what they read from
// elsewhere, the items and the bounds, and for no secret's value.
func TestEachDigest(t *testing.T) {
	markers := "--markers=file://" + t.TempDir() + "/markers"
	for _, tt := range []struct {
		name  string
		flags []string
		env   string
		code  int
		says  string
	}{
		{"at first", nil, "WIDTH=100 TOKEN=s3cr3t", 0, ""},
		{"again", nil, "WIDTH=100 TOKEN=s3cr3t", 0, ""},
		{"another secret's value", nil, "WIDTH=100 TOKEN=another", 0, ""},
		{"another --env", []string{"--env=HEIGHT=100"}, "WIDTH=100 TOKEN=s3cr3t", 65, "--env, --digest-extra, or a URL of --input"},
		{"a variable that --env reads", nil, "WIDTH=200 TOKEN=s3cr3t", 65, "--env, --digest-extra, or a URL of --input"},
		{"--digest-extra", []string{"--digest-extra=v2"}, "WIDTH=100 TOKEN=s3cr3t", 65, "--env, --digest-extra, or a URL of --input"},
		{"more items", []string{"--items=6"}, "WIDTH=100 TOKEN=s3cr3t", 65, "it was of items 0 to before 5 of 5"},
		{"fewer of the same items", []string{"--completions=2"}, "WIDTH=100 TOKEN=s3cr3t", 65, "this index is of items 0 to before 3 of 5"},
		{"as many of more items", []string{"--items=10", "--completions=2"}, "WIDTH=100 TOKEN=s3cr3t", 65, "this index is of items 0 to before 5 of 10"},
	} {
		flags := append([]string{"--items=5", markers, `--env=WIDTH=<<env "WIDTH">>`, `--env=TOKEN=<<secret "TOKEN">>`}, tt.flags...)
		cmd, log := eachProcess(t, append(flags, "--", "true", "<<.Item>>")...)
		cmd.Env = append(cmd.Env, strings.Fields(tt.env)...)
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(log.String(), tt.says) {
			t.Errorf("%s: exit code %d, want %d, saying %q: %s", tt.name, code, tt.code, tt.says, log)
		}
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
	documents, err := marker.ReadProgress(t.Context(), s, store.Policy{}, 0, nil)
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
