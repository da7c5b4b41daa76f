//go:build linux

package objects

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nth/testdata/harness"
	"nth/testdata/matrix"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// s3 is the row of matrix.Stores.
const s3 = 1

// TestRequests: of 100,000 objects the first reader asks for the pages of the listing and
// next to nothing else; everyone else reads the list's document and one part of it, and
// then, as the first too, looks at the object. Whether all inputs are there nth plan finds
// out by the pages alone.
func TestRequests(t *testing.T) {
	const many = 100_000
	server := servers.StartS3(t)
	server.Bucket(t, "bucket")
	dir := server.Dir + "/bucket/in/" // to write them through the server would take minutes
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for k := range many {
		if err := os.WriteFile(fmt.Sprintf("%ssample-%06d.fastq.gz", dir, k), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	asked := map[string]int{}
	fault := servers.StartFault(t, server.Address, func(_ int, r *http.Request) servers.Action {
		mu.Lock()
		defer mu.Unlock()
		what := r.Method
		switch {
		case r.URL.Query().Has("list-type"):
			what = "LIST"
		case strings.Contains(r.URL.Path, "/manifest/"):
			what += " list"
		case strings.Contains(r.URL.Path, "/m/"):
			what += " marker"
		}
		asked[what]++
		return nil
	})
	run := func(index int) (requests int) {
		t.Helper()
		mu.Lock()
		clear(asked)
		mu.Unlock()
		stdout, stderr, code := program.Nth(t, servers.S3Env(), "run", "--index="+strconv.Itoa(index), "--store-wait=10m", "--store-timeout=10m",
			"--tasks=s3://bucket/in/*.gz?endpoint="+fault.URL, "--markers=s3://bucket/m?endpoint="+fault.URL, "--", "echo", "<<.Task.key>>")
		if want := fmt.Sprintf("in/sample-%06d.fastq.gz\n", index); code != 0 || stdout != want {
			t.Fatalf("index %d: %d, %q: %s", index, code, stdout, stderr)
		}
		mu.Lock()
		defer mu.Unlock()
		for what, n := range asked {
			if !strings.HasSuffix(what, "marker") {
				requests += n
			}
		}
		t.Logf("index %d: %v", index, asked)
		return requests - asked["HEAD"] // of the object itself
	}
	if n := run(77_777); n > 110 {
		t.Errorf("the first reader made %d requests", n)
	}
	for _, index := range []int{0, 42_424, many - 1} {
		if n := run(index); n > 2 {
			t.Errorf("a later reader made %d requests", n)
		}
	}
	mu.Lock()
	clear(asked)
	mu.Unlock()
	_, stderr, code := program.Nth(t, servers.S3Env(), "plan", "--completions="+strconv.Itoa(many), "--store-wait=10m", "--store-timeout=10m",
		"--require=s3://bucket/in/sample-<<pad 6 .Index>>.fastq.gz?endpoint="+fault.URL, "--markers=s3://bucket/m?endpoint="+fault.URL, "--", "echo", "<<.Index>>")
	if code != 0 || stderr != "nth: plan: all 100000 inputs are there\n" {
		t.Errorf("plan: %d: %s", code, stderr)
	}
	mu.Lock()
	defer mu.Unlock()
	n := 0
	for _, of := range asked {
		n += of
	}
	if t.Logf("plan: %v", asked); n > 110 {
		t.Errorf("to look for all inputs took %d requests: %v", n, asked)
	}
}

// grows is what many more objects may add to the memory of who lists them, in bytes:
// where the collector happens to be, and no more.
const grows = 16 << 20

// TestMemory: the objects of a listing are not held, neither by who makes the list nor by who
// reads it: a million, of which the list has 170 MB, take no more than a hundred thousand.
func TestMemory(t *testing.T) {
	server := servers.StartS3(t)
	server.Bucket(t, "markers")
	var first, second [2]int64
	pinned := []int{5, 21} // the document, asked for and created, a part of it, and the pieces of 8 MiB
	for i, n := range []int{100_000, 1_000_000} {
		e := servers.StartEndless(t, server.Address, n)
		markers := fmt.Sprintf("--markers=s3://markers/%d?use_path_style=true&endpoint=%s", n, e.URL)
		first[i] = peak(t, servers.S3Env(), e.Key(n/2), "--tasks="+e.Tasks(), markers, "--index="+strconv.Itoa(n/2))
		if asked := e.Asked(); asked[servers.Listing] != n/1000 || asked[servers.Pinned] != pinned[i] {
			t.Errorf("the first reader of %d: %v", n, asked)
		}
		second[i] = peak(t, servers.S3Env(), e.Key(n-1), "--tasks="+e.Tasks(), markers, "--index="+strconv.Itoa(n-1))
		if asked := e.Asked(); asked[servers.Listing] != 0 || asked[servers.Pinned] != 2 {
			t.Errorf("another reader of %d: %v", n, asked)
		}
	}
	if first[1] > first[0]+grows || second[1] > second[0]+grows {
		t.Errorf("bytes at 100,000 and at a million: the first %d, another %d", first, second)
	}
}

// TestMemoryOfDirectory: nor are the names of a directory. They are long here, so that there
// need not be a million.
func TestMemoryOfDirectory(t *testing.T) {
	var first [2]int64
	for i, n := range []int{20_000, 60_000} {
		dir := t.TempDir()
		if err := os.Mkdir(dir+"/in", 0o777); err != nil {
			t.Fatal(err)
		}
		name := func(k int) string { return fmt.Sprintf("%s/in/%06d%s", dir, k, strings.Repeat("x", 240)) }
		for k := range n {
			err := os.Link(name(0), name(k)) // a file may have 65,000 names
			if k == 0 {
				err = os.WriteFile(name(k), nil, 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		first[i] = peak(t, nil, name(n/2), "--tasks=file://"+dir+"/in/", "--markers=file://"+dir+"/m", "--index="+strconv.Itoa(n/2))
		os.RemoveAll(dir + "/in")
	}
	if first[1] > first[0]+grows {
		t.Errorf("bytes at 20,000 files and at 60,000: %d", first)
	}
}

// peak is the most memory of a run, in bytes, which tells the key of its object.
func peak(t *testing.T, env []string, key string, flags ...string) int64 {
	t.Helper()
	path, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append(append([]string{"run", "--store-wait=10m", "--store-timeout=10m"}, flags...), "--", "echo", "<<.Task.key>>")...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, most := make(chan struct{}), make(chan int64, 1)
	go func() { most <- harness.Peak(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	close(ended)
	if err != nil || out.String() != key+"\n" {
		t.Fatalf("%v, %q: %s", err, out.String(), errs.String())
	}
	n := <-most
	if n == 0 {
		t.Fatal("no memory was measured")
	}
	t.Logf("%s: %d MB", flags, n>>20)
	return n
}

// TestFirstReaders: of many that begin at the same time, while objects come, one makes the
// list that all have.
func TestFirstReaders(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			tr := plant(t, row)
			const readers = 12
			stop := make(chan struct{})
			var coming, running sync.WaitGroup
			coming.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
						tr.put(fmt.Sprintf("0/%05d", n), "x") // before all others
					}
				}
			})
			told := make([]string, readers)
			for i := range readers {
				running.Go(func() {
					told[i], _ = tr.run("m", "", i%6, 0, "--on-change=rerun", "--digest-extra="+strconv.Itoa(i))
				})
			}
			running.Wait()
			close(stop)
			coming.Wait()
			seen := map[string]int{}
			for i, key := range told {
				if other, ok := seen[key]; ok && other != i%6 || told[i%6] != key {
					t.Errorf("indexes %d and %d: %q and %q", i%6, other, key, told[i%6])
				}
				seen[key] = i % 6
			}
			lists := 0
			err := tr.s.List(t.Context(), "m/manifest/", func(key string, _ int64, _ time.Time) error {
				if strings.HasSuffix(key, ".json") {
					lists++
				}
				return nil
			})
			if err != nil || lists != 1 {
				t.Errorf("%d lists are there: %v", lists, err)
			}
		})
	}
}

// TestStopped: a list may take minutes, and a stop signal ends it at once, as a stop.
func TestStopped(t *testing.T) {
	place := matrix.Start(t, s3)
	place.Open(t, "in").Put(t.Context(), "x", nil)
	listing := make(chan bool, 1)
	fault := place.Fault(t, func(_ int, r *http.Request) servers.Action {
		if r.URL.Query().Has("list-type") {
			listing <- true
			return servers.Stall
		}
		return nil
	})
	path, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range [][]string{nil, {"--each", "--completions=1"}} {
		cmd := exec.Command(path, append(append([]string{"run", "--index=0"}, more...), "--tasks="+strings.Replace(place.URL(fault.URL, "in"), "/in", "/in/", 1), "--markers="+place.URL(fault.URL, "m"), "--", "echo")...)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, place.Env(place.Base())...)
		var errs strings.Builder
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-listing
		cmd.Process.Signal(syscall.SIGTERM)
		if cmd.Wait(); cmd.ProcessState.ExitCode() != 143 || !strings.Contains(errs.String(), "nothing was run") {
			t.Errorf("%v: %v: %s", more, cmd.ProcessState, errs.String())
		}
	}
}
