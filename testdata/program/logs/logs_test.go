//go:build linux

package logs

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// logged is a run of nth with --logs that isn't waited for.
func logged(t *testing.T, url string, args ...string) *exec.Cmd {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(nth, append([]string{"run", "--index=5", "--logs", url}, args...)...)
	cmd.Env = append(servers.S3Env(), "PATH="+os.Getenv("PATH"))
	t.Cleanup(func() {
		if cmd.Process != nil && cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd
}

// inTurn writes to one output when nth has read the other, of which there is no order
// otherwise (FIONREAD, pipe(7)).
const inTurn = `$| = 1; sub says { my ($to, $word) = @_; syswrite $to, $word; my $left = pack "i", 1;
	while (unpack "i", $left) { select undef, undef, undef, 0.1; ioctl $to, 0x541b, $left or die $! } }
	says(*STDOUT, "out\n"); says(*STDERR, "err\n"); says(*STDOUT, "out\n")`

// TestLogs: what a command writes is kept byte for byte, and is passed on all the same.
func TestLogs(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		words        []string
		flags        []string
		code         int
		log, says    string
		none         bool // there is no log
	}{
		{name: "both outputs", words: []string{"perl", "-e", inTurn}, log: "out\nerr\nout\n", says: "err"},
		{name: "no output", script: `exit 0`},
		{name: "its exit code", script: `echo why >&2; exit 7`, code: 7, log: "why\n", says: "exit code 7"},
		{name: "a signal", script: `echo why; kill -9 $$`, code: 137, log: "why\n"},
		{name: "too long", script: `echo begun; sleep 100`, flags: []string{"--timeout=5s"}, code: 124, log: "begun\n"},
		{name: "bytes", script: `printf 'a\000\377\376\r\n\302b'`, log: "a\x00\xff\xfe\r\n\xc2b"},
		{name: "a secret", script: `printf 'the word is can'; sleep 0.1; printf 'ary-word'`, flags: []string{`--env=X=<<secret "TOKEN">>`}, log: "the word is ***"},
		{name: "what it leaves behind", script: `(sleep 100; echo late) & echo first`, log: "first\n"},
		{name: "who holds its outputs open", script: `setsid sleep 100 & echo done`, log: "done\n"},
		{name: "not found", words: []string{"/no/such/program"}, code: 127, none: true, says: "no such file"},
		{name: "a bad URL", flags: []string{"--logs=ftp://x/y"}, script: `echo ran`, code: 64, none: true, says: "there is no store"},
		{name: "a template", flags: []string{`--logs=file://<<env "DIR">>/logs`}, script: `echo ran`, log: "ran\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			url := "file://" + dir + "/logs"
			flags := append([]string{"run", "--index=5", "--logs", url, "--markers=file://" + dir + "/markers"}, tt.flags...)
			words := tt.words
			if words == nil {
				words = []string{"sh", "-c", tt.script}
			}
			stdout, stderr, code := program.Nth(t, []string{"TOKEN=canary-word", "DIR=" + dir}, append(append(flags, "--"), words...)...)
			if code != tt.code || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit code %d, want %d and %q: %s", code, tt.code, tt.says, stderr)
			}
			var log strings.Builder
			if n := program.CopyLog(t, url+"?create_dir=true", 5, &log); n != map[bool]int{false: 1, true: 0}[tt.none] {
				t.Fatalf("%d logs: %s", n, stderr)
			}
			if diff := cmp.Diff(tt.log, log.String()); diff != "" {
				t.Errorf("the log (-want +got):\n%s", diff)
			}
			plain := strings.ReplaceAll(tt.log, "***", "canary-word")
			for _, line := range strings.SplitAfter(plain, "\n") {
				if !strings.Contains(stdout, line) && !strings.Contains(stderr, line) {
					t.Errorf("%q wasn't passed on: %q %s", line, stdout, stderr)
				}
			}
			document := "done"
			if code != 0 {
				document = "failed"
			}
			body, _ := os.ReadFile(dir + "/markers/" + document + "/5.json")
			if named := bytes.Contains(body, []byte(`"log": "file://`+dir+`/logs/5/`)); named == tt.none {
				t.Errorf("the record names a log: %v: %s", named, body)
			}
		})
	}
}

// TestLogsGibibyte: all of it arrives, in the store and on stdout, in bounded memory.
func TestLogsGibibyte(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	for name, url := range map[string]string{"s3": s3.URL("bucket", "logs"), "file": "file://" + t.TempDir() + "/logs"} {
		t.Run(name, func(t *testing.T) {
			cmd := logged(t, url, "--log-level=warn", "--", "perl", "-e",
				`srand 7; $b .= chr int rand 256 for 1 .. 1048576; for $i (0 .. 1023) { print substr($b, $i), substr($b, 0, $i) }`)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			passed, kept := sha256.New(), sha256.New()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended, peak := make(chan struct{}), make(chan int64)
			go func() { peak <- harness.Peak(cmd.Process.Pid, ended) }()
			n, err := io.Copy(passed, out)
			if err != nil || n != 1<<30 {
				t.Errorf("%d bytes were passed on, %v", n, err)
			}
			err = cmd.Wait()
			close(ended)
			if err != nil || stderr.Len() > 0 {
				t.Errorf("%v: %s", err, &stderr)
			}
			took, most := time.Since(begun), <-peak>>20
			t.Logf("%.0f MB/s, %d MiB resident at most", float64(n)/1e6/took.Seconds(), most)
			if most == 0 || most > 96 {
				t.Errorf("nth took %d MiB", most)
			}
			if program.CopyLog(t, url, 5, kept); !bytes.Equal(passed.Sum(nil), kept.Sum(nil)) {
				t.Error("the log has other bytes")
			}
		})
	}
}

// TestLogsStalled: a store that takes connections and never answers changes nothing
// of the command and of what nth exits with.
func TestLogsStalled(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() }) // not before
		}
	}()
	dir := t.TempDir()
	stdout, stderr, code := program.Nth(t, servers.S3Env(), "run", "--index=5", "--logs=s3://bucket/logs?use_path_style=true&endpoint=http://"+l.Addr().String(),
		"--markers=file://"+dir+"/markers", "--done-exit-codes=3", "--", "sh", "-c", `head -c 100000000 /dev/zero; echo the end; echo finished >`+dir+`/finished; exit 3`)
	if code != 0 || len(stdout) != 100_000_000+len("the end\n") {
		t.Errorf("exit code %d, %d bytes: %s", code, len(stdout), stderr)
	}
	program.CheckFile(t, dir+"/finished", "finished\n")
	if _, err := os.Stat(dir + "/markers/done/5.json"); err != nil {
		t.Error(err)
	}
	if n := strings.Count(stderr, "keep the output: "); n != 1 {
		t.Errorf("warned %d times: %s", n, stderr)
	}
	if !strings.Contains(stderr, "the store doesn't have all of the output") {
		t.Errorf("the end isn't told: %s", stderr)
	}
}

// TestLogsStoreIsBack: what there is room for waits for the store.
func TestLogsStoreIsBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url := "file://" + dir + "/mount/logs"
	cmd := logged(t, url, "--", "sh", "-c", `echo before; until test -d `+dir+`/mount; do sleep 0.1; done; echo after`)
	var stdout, stderr program.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.AwaitText(t, "a failed upload", func() string { return stderr.String() }, "keep the output: ")
	if err := os.Mkdir(dir+"/mount", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr.String())
	}
	for name, got := range map[string]string{"stdout": stdout.String(), "log": program.Log(t, url, 5)} {
		if diff := cmp.Diff("before\nafter\n", got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestLogsKilled: an attempt that was killed outright leaves what it had written.
func TestLogsKilled(t *testing.T) {
	t.Parallel()
	s3 := servers.StartS3(t)
	s3.Bucket(t, "bucket")
	url := s3.URL("bucket", "logs")
	for _, last := range []string{"first attempt", "second attempt"} {
		cmd := logged(t, url, "--", "sh", "-c", `echo "$1: out"; echo "$1: err" >&2; sleep 1000`, "sh", last)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		program.AwaitText(t, "upload while it runs", func() string { return program.Log(t, url, 5) }, last)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		got := program.Log(t, url, 5)
		if !strings.Contains(got, last+": out\n") || !strings.Contains(got, last+": err\n") {
			t.Errorf("the log of a killed attempt is %q", got)
		}
	}
	if n := program.CopyLog(t, url, 5, io.Discard); n != 2 {
		t.Errorf("%d attempts have a log, want 2", n)
	}
}

// TestLogsReaderGone: to a command whose stdout nobody reads any more happens what
// would without --logs.
func TestLogsReaderGone(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		code         int
	}{
		{"SIGPIPE", `while echo line; do :; done`, 141},
		{"EPIPE", `trap '' PIPE; while echo line 2>/dev/null; do :; done; exit 9`, 9},
		{"it writes nothing more", `echo a line that is long enough to be waited for; sleep 0.2; exit 6`, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, flags := range [][]string{{"--log-level=info"}, {"--logs=file://" + t.TempDir()}} {
				cmd := logged(t, "file:///no/such/dir", append(flags, "--", "sh", "-c", tt.script)...)
				if flags[0] == "--log-level=info" {
					cmd.Args = slices.Delete(cmd.Args, 3, 5) // without --logs
				}
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(out, make([]byte, 20)); err != nil {
					t.Error(err)
				}
				out.Close()
				_ = cmd.Wait()
				if code := cmd.ProcessState.ExitCode(); code != tt.code {
					t.Errorf("%s: exit code %d, want %d", cmd.Args[3], code, tt.code)
				}
			}
		})
	}
}

// TestLogsTerminal: a terminal stays one.
func TestLogsTerminal(t *testing.T) {
	url := "file://" + t.TempDir()
	cmd := logged(t, url, "--log-format=json", "--", "sh", "-c", `test -t 1 && echo terminal; echo err >&2`)
	errs, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	cmd.Stderr = errs
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	s := &program.Buffer{}
	go func() { _, _ = io.Copy(s, terminal) }() // EIO: nobody has the other end open any more
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	s.Await(t, "terminal")
	if diff := cmp.Diff("err\n", program.Log(t, url, 5)); diff != "" {
		t.Error(diff)
	}
	if body, _ := os.ReadFile(errs.Name()); !bytes.Contains(body, []byte("keeps nothing of what goes to a terminal")) {
		t.Errorf("nothing is said: %s", body)
	}
}

// TestLogsOfTasks: each time that a worker takes a task has a log of its own.
func TestLogsOfTasks(t *testing.T) {
	r := servers.StartRedis(t)
	dir := t.TempDir()
	_, stderr, code := program.Nth(t, []string{"JOB_COMPLETION_INDEX=0"}, "run", "--tasks", program.QueueOf(t, r, "logs", "good", "bad"), "--max-attempts=2",
		"--markers=file://"+dir+"/markers", "--logs=file://"+dir+"/logs", "--", "sh", "-c", `echo "<<.Task>> <<.Attempt>>"; test "<<.Task>>" = good`)
	if code != 65 {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	var got []string
	files, _ := filepath.Glob(dir + "/logs/tasks/??/*/*-?.log")
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Error(err)
		}
		got = append(got, fmt.Sprint(f[len(f)-len("-1.log"):], " ", string(body)))
	}
	want := []string{"-1.log good 1\n", "-2.log bad 1\n", "-3.log bad 2\n"}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, stderr)
	}
}
