// Package images runs nth in images of many kinds, each with the language that its users
// write their work in: the examples of docs/languages.md, and what that page says.
package images

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"nth/shim/marker"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

const (
	debianImage = "debian:with-languages"
	muslImage   = "alpine:3.20"
)

// bases are the images that the examples' Dockerfiles begin with. Here they are this
// machine's own Debian.
var bases = []string{"python:3.12-slim", "node:20-slim", "r-base:4.4.2", "perl:5.40-slim", "eclipse-temurin:17-jre"}

// TestImages is nth in images that were made for something else.
func TestImages(t *testing.T) {
	d := servers.StartDocker(t)
	importImages(t, d)
	for name, test := range map[string]func(*testing.T, *servers.Docker){
		"examples": examples,
		"page":     page,
		"facts":    facts,
		"musl":     musl,
		"zombies":  zombies,
		"memory":   memory,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

func importImages(t *testing.T, d *servers.Docker) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	d.Import(t, "nth", servers.Image{Files: map[string]string{"/nth": nth}})
	d.Import(t, debianImage, servers.Image{
		Files:  map[string]string{"/nth": nth},
		Debian: []string{"python3", "nodejs", "r-base-core", "perl", "default-jre-headless", "bash", "dash", "coreutils", "sed", "grep"},
	})
	for _, base := range bases {
		d.Output(t, "tag", debianImage, base)
	}
	users := filepath.Join(t.TempDir(), "passwd")
	write(t, users, "nonroot:x:65532:65532::/:/sbin/nologin\n")
	d.Import(t, "gcr.io/distroless/static-debian12:nonroot", servers.Image{Files: map[string]string{"/etc/passwd": users}, Changes: []string{"USER 65532"}})
	worker := build(t, "musl-gcc", "-o", "worker", "testdata/program/images/testdata/worker.c")
	d.Import(t, muslImage, servers.Image{Files: map[string]string{"/nth": nth, "/app/worker": worker, interpreter(t, worker): muslLibrary(t)}, Busybox: true})
}

// build compiles something in the repository's folder; the word behind -o becomes a path.
func build(t *testing.T, words ...string) (output string) {
	t.Helper()
	for i, w := range words[1:] {
		if words[i] == "-o" || words[i] == "-d" {
			output = filepath.Join(t.TempDir(), w)
			words[i+1] = output
		}
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env = harness.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return output
}

// interpreter gives the loader that a program names: /lib/ld-musl-x86_64.so.1, say.
func interpreter(t *testing.T, path string) string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			name := make([]byte, p.Filesz)
			if _, err := p.ReadAt(name, 0); err != nil {
				t.Fatal(err)
			}
			return strings.TrimRight(string(name), "\x00")
		}
	}
	t.Fatalf("%s is static", path)
	return ""
}

func muslLibrary(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*-linux-musl/libc.so")
	if err != nil || len(found) == 0 {
		t.Fatal("no libc.so of musl; apt-get install -y musl-tools: ", err)
	}
	return found[0]
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// box is where one container's index has its data, its markers and its results. What it
// runs in allows little: a read-only root, and a user of no name.
type box struct {
	*servers.Docker
	t                       *testing.T
	index                   int64
	data, markers, out, log string
}

func newBox(t *testing.T, d *servers.Docker, index int64) *box {
	dir := t.TempDir()
	b := &box{Docker: d, t: t, index: index, data: filepath.Join(dir, "data"), markers: filepath.Join(dir, "m"), out: filepath.Join(dir, "out"), log: filepath.Join(dir, "termination-log")}
	write(t, b.log, "")
	for _, dir := range []string{b.data, b.markers, b.out} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]os.FileMode{b.markers: 0o777, b.out: 0o777, b.log: 0o666} { // whatever the umask
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// words are those of `docker run`: flags of Docker's, the image, and what follows.
func (b *box) words(flags []string, image string, command ...string) []string {
	words := append([]string{"run", "--read-only", "--tmpfs", "/tmp", "--network", "none", "--cap-drop", "ALL",
		"-e", "JOB_COMPLETION_INDEX=" + strconv.FormatInt(b.index, 10), "-e", "NTH_MARKERS=file:///m",
		"-v", b.data + ":/data:ro", "-v", b.markers + ":/m", "-v", b.out + ":/out", "-v", b.log + ":/dev/termination-log"}, flags...)
	return append(append(words, image), command...)
}

// run runs a container to its end.
func (b *box) run(flags []string, image string, command ...string) servers.Outcome {
	b.t.Helper()
	return b.Run(b.t, b.words(append([]string{"--rm"}, flags...), image, command...)...)
}

// failure gives the record of the index's failure.
func (b *box) failure() (f marker.Failure) {
	b.t.Helper()
	body, err := os.ReadFile(filepath.Join(b.markers, filepath.FromSlash(marker.Key("failed", b.index))))
	if err == nil {
		err = json.Unmarshal(body, &f)
	}
	if err != nil {
		b.t.Error("no failure record: ", err)
	}
	return f
}

// done tells whether there is a marker.
func (b *box) done() bool {
	_, err := os.Stat(filepath.Join(b.markers, filepath.FromSlash(marker.Key("done", b.index))))
	return err == nil
}

// says checks the two places where a person looks for why: `nth status`, with the reason in
// a line of its own, and the termination message.
func (b *box) says(how, reason string) {
	b.t.Helper()
	stdout, stderr, _ := program.Nth(b.t, nil, "status", "--markers", "file://"+b.markers, "--completions", "10")
	if !strings.Contains(stdout, how) || reason != "" && !strings.Contains(stdout, " "+reason+"\n") {
		b.t.Errorf("nth status doesn't say %q and %q, but\n%s%s", how, reason, stdout, stderr)
	}
	body, err := os.ReadFile(b.log)
	if begin := "nth: index " + strconv.FormatInt(b.index, 10) + ": "; err != nil || !strings.HasPrefix(string(body), begin) || !strings.Contains(string(body), reason) {
		b.t.Errorf("the termination message doesn't say %q, but %q (%v)", reason, body, err)
	}
}
