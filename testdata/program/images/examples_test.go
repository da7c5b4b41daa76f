package images

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// user is whom the containers run as, where the image doesn't say so itself.
var user = []string{"--user", "12345:12345"}

// example is one of testdata/examples in three runs: index 0 succeeds, index 1 fails, and
// index 2 is stopped.
type example struct {
	language string
	made     func(t *testing.T) string // what the Dockerfile copies beside the sources
	data     map[string]string         // name, text; nothing: a pipe that nobody writes to
	flags    []string                  // of docker
	long     []string                  // and for a run that doesn't end by itself
	command  [3][]string               // instead of what the image has
	result   string                    // of index 0
	how      string                    // index 1 has failed
	reason   string
	ready    string // what index 2 says before it is stopped
	stopped  string // and after that
}

var all = []example{
	{
		language: "python", flags: user,
		data:   map[string]string{"games.jsonl": `{"dice": 2, "rolls": 1000}` + "\n" + `{"dice": "two", "rolls": 1000}` + "\n" + `{"dice": 2, "rolls": 1000000000000}` + "\n"},
		result: `{"rolls": 1000, "mean": `,
		how:    "exit code 1", reason: "TypeError: 'str' object cannot be interpreted as an integer",
		ready: "rolling 2 dice\n", stopped: "the table is cleared\n",
	},
	{
		language: "node", flags: user, long: []string{"-i"},
		data:    map[string]string{"orders_0.jsonl": `{"id":1,"customer":"Ann","cents":5}` + "\n" + `{"id":2,"customer":"Ann","cents":7}` + "\n", "orders_1.jsonl": `{"id":7,"customer":"Bob"}` + "\n"},
		command: [3][]string{2: {"--", "node", "/app/total.js"}},
		result:  `{"customer":"Ann","cents":12}` + "\n",
		how:     "exit code 1", reason: "Error: order 7 has no amount",
		ready: "reading\n", stopped: "stopped, and nothing is written\n",
	},
	{
		language: "r", flags: user, long: []string{"-e", "ROUNDS=1e9"},
		command: [3][]string{1: {"Rscript", "/app/bootstrap.R", "<<.Index>>", "mpgg", "/tmp/slope"}},
		result:  "-5.",
		how:     "exit code 1", reason: "Error in eval(predvars, data, env) : object 'mpgg' not found",
		ready: "sampling\n", stopped: "stopped, and nothing is written\n",
	},
	{
		language: "shell", flags: user,
		data:   map[string]string{"part_0/a": "text\n", "part_2/a": ""},
		result: "b9e68e1bea3e5b19ca6b2f98b73a54b73daafaa250484902e09982e07a12e733  a\n",
		how:    "exit code 2", reason: "/app/sums.sh: cd: line 16: can't cd to /data/part_1: No such file or directory",
		ready: "summing\n", stopped: "stopped, and nothing is written\n",
	},
	{
		language: "go", made: func(t *testing.T) string { return build(t, "go", "build", "-o", "primes", "./testdata/examples/go") },
		data:    map[string]string{"names.txt": "alpha\n"},
		command: [3][]string{2: {"-index", "0", "-size", "1000000000000000"}},
		result:  "alpha 168\n",
		how:     "exit code 2", reason: "panic: runtime error: index out of range [1] with length 1",
		ready: "counting alpha\n", stopped: "primes: stopped, and nothing is written\n",
	},
	{
		language: "java", flags: user,
		made: func(t *testing.T) string {
			return filepath.Join(build(t, "ecj", "-proc:none", "-source", "17", "-target", "17", "-d", "classes", "testdata/examples/java/Longest.java"), "Longest.class")
		},
		data:   map[string]string{"sonnet_0.txt": "a summer's day\n", "sonnet_2.txt": ""},
		result: "summer\n",
		how:    "exit code 1", reason: "Caused by: java.nio.file.NoSuchFileException: /data/sonnet_1.txt",
		ready: "reading\n", stopped: "stopped, and nothing is written\n",
	},
	{
		language: "perl", flags: user, long: []string{"-i"},
		data:    map[string]string{"sonnet_0.txt": "Anna\n", "sonnet_1.txt": "an\nÄnne\n"},
		command: [3][]string{2: {"--", "perl", "/app/letters.pl"}},
		result:  "a 2\nn 2\n",
		how:     "exit code 255", reason: "a letter that isn't ASCII at /app/letters.pl line 12, <STDIN> line 2.",
		ready: "reading\n", stopped: "stopped, and nothing is written\n",
	},
}

// examples runs them, in images that their own Dockerfiles make.
func examples(t *testing.T, d *servers.Docker) {
	for _, e := range all {
		t.Run(e.language, func(t *testing.T) {
			t.Parallel()
			image := "example-" + e.language
			d.Output(t, "build", "-t", image, e.context(t))
			t.Run("succeeds", func(t *testing.T) { e.succeeds(e.box(t, d, 0), image) })
			t.Run("fails", func(t *testing.T) { e.fails(e.box(t, d, 1), image) })
			t.Run("is stopped", func(t *testing.T) { e.isStopped(e.box(t, d, 2), image) })
		})
	}
}

// TestPage: the Dockerfile that docs/languages.md shows is the example's, and each example is
// on that page, with why it fails.
func TestPage(t *testing.T) {
	page := program.Page(t, "docs/languages.md")
	if !strings.Contains(page, "```dockerfile\n"+program.Page(t, "testdata/examples/python/Dockerfile")+"```\n") {
		t.Error("it shows another Dockerfile than testdata/examples/python/Dockerfile")
	}
	for _, e := range all {
		base, _, _ := strings.Cut(strings.SplitN(program.Page(t, "testdata/examples/"+e.language+"/Dockerfile"), "FROM ", 2)[1], "\n")
		if !strings.Contains(page, "(../testdata/examples/"+e.language+"/") || !strings.Contains(page, "`"+base+"`") && e.language != "go" {
			t.Errorf("it has no row for %s and %s", e.language, base)
		}
		if code := strings.TrimPrefix(e.how, "exit code "); !strings.Contains(page, code) {
			t.Errorf("it doesn't say that %s fails with %s", e.language, code)
		}
	}
	for _, language := range []string{"python", "node", "r", "go", "java"} {
		for _, e := range all {
			if e.language == language && !strings.Contains(page, "`"+e.reason+"`") {
				t.Errorf("it doesn't say %q", e.reason)
			}
		}
	}
}

// page runs the line of docs/languages.md as it is written, beside a folder that has what the
// page says.
func page(t *testing.T, d *servers.Docker) {
	dir := t.TempDir()
	for _, name := range []string{"data", "out"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "data", "games.jsonl"), all[0].data["games.jsonl"])
	d.Output(t, "build", "-t", "dice", (&example{language: "python"}).context(t))
	_, line, _ := strings.Cut(program.Page(t, "docs/languages.md"), "\ndocker run ")
	line, _, _ = strings.Cut(line, "\n")
	cmd := exec.Command("sh", "-c", `for w in `+line+`; do printf '%s\0' "$w"; done`)
	cmd.Dir = dir
	words, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if out := d.Run(t, append([]string{"run"}, strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00")...)...); out.Code != 0 {
		t.Fatalf("exit code %d\n%s", out.Code, out.Stderr)
	}
	if body, err := os.ReadFile(filepath.Join(dir, "out", "0")); err != nil || !strings.HasPrefix(string(body), all[0].result) {
		t.Errorf("the result is %q (%v), want %q", body, err, all[0].result)
	}
}

// context gives the folder that the image is built from.
func (e *example) context(t *testing.T) string {
	dir := t.TempDir()
	from := filepath.Join(harness.Root(), "testdata", "examples", e.language)
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if e.made != nil {
		made := e.made(t)
		if out, err := exec.Command("cp", made, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return dir
}

func (e *example) box(t *testing.T, d *servers.Docker, index int64) *box {
	b := newBox(t, d, index)
	for name, text := range e.data {
		path := filepath.Join(b.data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if text != "" {
			write(t, path, text)
		} else if err := syscall.Mkfifo(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// succeeds: the result is there, and the second run does nothing.
func (e *example) succeeds(b *box, image string) {
	for range 2 {
		if out := b.run(e.flags, image, e.command[0]...); out.Code != 0 || !b.done() {
			b.t.Fatalf("exit code %d, a marker: %v\n%s", out.Code, b.done(), out.Stderr)
		}
	}
	body, err := os.ReadFile(filepath.Join(b.out, "0"))
	if err != nil || !strings.HasPrefix(string(body), e.result) {
		b.t.Errorf("the result is %q (%v), want %q", body, err, e.result)
	}
}

// fails: no marker, no result, and the reason is told.
func (e *example) fails(b *box, image string) {
	out := b.run(e.flags, image, e.command[1]...)
	if want := strings.TrimPrefix(e.how, "exit code "); strconv.Itoa(out.Code) != want || b.done() {
		b.t.Errorf("exit code %d, a marker: %v; want %s\n%s", out.Code, b.done(), want, out.Stderr)
	}
	if _, err := os.Stat(filepath.Join(b.out, "1")); err == nil {
		b.t.Error("it has a result")
	}
	b.says(e.how, e.reason)
}

// isStopped: docker stop reaches the program, which cleans up, and nothing is done.
func (e *example) isStopped(b *box, image string) {
	id := b.Output(b.t, b.words(slices.Concat([]string{"-d"}, e.flags, e.long), image, e.command[2]...)...)
	shown := func() string {
		logs := b.Run(b.t, "logs", id)
		return logs.Stdout + logs.Stderr
	}
	program.AwaitText(b.t, "text", shown, e.ready)
	b.Output(b.t, "stop", "-t", "120", id)
	if code := b.Output(b.t, "wait", id); code != "143" || b.done() {
		b.t.Errorf("exit code %s, a marker: %v; want 143\n%s", code, b.done(), shown())
	}
	if !strings.Contains(shown(), e.stopped) {
		b.t.Errorf("it didn't clean up:\n%s", shown())
	}
	if f := b.failure(); f.StopSignal != "SIGTERM" || f.Signal != "" {
		b.t.Errorf("stopped by %q, ended by %q: want SIGTERM, and by itself", f.StopSignal, f.Signal)
	}
}
