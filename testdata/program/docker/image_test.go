package docker

import (
	"archive/tar"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// dockerImage builds the Dockerfile and looks into what comes out.
func dockerImage(t *testing.T, d *servers.Docker) {
	d.GoImage(t)
	// The first is the README's; it needs no network, for the modules are in the image.
	d.Output(t, readmeCommand(t, "docker build -t nth .")...)
	inspect := struct {
		Architecture, Os string
		Config           struct {
			Entrypoint, Cmd, Env []string
			User                 string
			Labels               map[string]string
		}
		RootFS struct{ Layers []string }
		Size   int64
	}{}
	if err := json.Unmarshal([]byte(d.Output(t, "inspect", "--format", "{{json .}}", "nth")), &inspect); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/nth", "run"}, inspect.Config.Entrypoint); diff != "" {
		t.Errorf("entrypoint: %s", diff)
	}
	for label, want := range map[string]string{"title": "nth", "version": "dev", "revision": "unknown"} {
		if got := inspect.Config.Labels["org.opencontainers.image."+label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
	if inspect.Config.Labels["org.opencontainers.image.description"] == "" {
		t.Error("the label description is empty")
	}
	if files := layerFiles(t, d, "nth"); len(inspect.RootFS.Layers) != 1 || len(files) != 1 || files["nth"] != inspect.Size {
		t.Errorf("%d layers with %v, %d bytes; want one layer with /nth alone", len(inspect.RootFS.Layers), files, inspect.Size)
	}
	for _, tt := range []struct {
		name   string
		args   []string
		code   int
		stdout string
	}{
		{"the README's", readmeCommand(t, "docker run --rm -e JOB_COMPLETION_INDEX=2"), 0, "nth dev (commit unknown, go1.26"},
		{"no subcommand of ours", []string{"run", "--rm", "-e", "JOB_COMPLETION_INDEX=2", "nth", "version"}, 127, ""},
		{"no shell", []string{"run", "--rm", "-e", "JOB_COMPLETION_INDEX=2", "nth", "--", "sh"}, 127, ""},
		{"the README's, the input isn't there", strings.Fields("run --rm -e JOB_COMPLETION_INDEX=7 nth --require /data/<<.Index>> -- /nth version"), 66, ""},
	} {
		if out := d.Run(t, tt.args...); out.Code != tt.code || !strings.Contains(out.Stdout, tt.stdout) {
			t.Errorf("%s: %+v, want exit code %d and %q", tt.name, out, tt.code, tt.stdout)
		}
	}
	copyFrom(t, d)
	checkELF(t, d, "nth", elfHere(t))
	// Another platform, as BuildKit does it, and what a release says of itself.
	d.BuildKit(t, "--network", "none", "--platform", "linux/arm64", "--build-arg", "VERSION=v1.2.3", "-t", "nth-arm64", ".")
	if got := d.Output(t, "inspect", "--format", `{{.Architecture}} {{index .Config.Labels "org.opencontainers.image.version"}}`, "nth-arm64"); got != "arm64 v1.2.3" {
		t.Errorf("the image for another platform is %q", got)
	}
	checkELF(t, d, "nth-arm64", elf.EM_AARCH64)
}

// checkELF checks that /nth of an image is for the machine, and static.
func checkELF(t *testing.T, d *servers.Docker, image string, machine elf.Machine) {
	t.Helper()
	id := d.Output(t, "create", image)
	file := filepath.Join(t.TempDir(), "nth")
	d.Output(t, "cp", id+":/nth", file)
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != machine {
		t.Errorf("%s is for %v, want %v", image, f.Machine, machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s is not static: %v", image, p.Type)
		}
	}
}

// elfHere gives the machine of the test's own binary.
func elfHere(t *testing.T) elf.Machine {
	t.Helper()
	f, err := elf.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Machine
}

// copyFrom builds the README's image that takes /nth from ours.
func copyFrom(t *testing.T, d *servers.Docker) {
	_, rest, ok := strings.Cut(program.Page(t, "README.md"), "```dockerfile\n")
	file, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("README.md has no Dockerfile")
	}
	if out := d.RunInput(t, strings.NewReader(file), "build", "-t", "users", "-"); out.Code != 0 {
		t.Fatalf("build the README's Dockerfile: %s", out.Stderr)
	}
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "file_5.txt"), []byte("five\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const sum = "ac169f9fb7cb48d431466d7b3bf2dc3e1d2e7ad6630f6b767a1ac1801c496b35  /data/file_5.txt"
	got := d.Output(t, "run", "--rm", "-e", "JOB_COMPLETION_INDEX=5", "-v", data+":/data:ro", "users")
	if got != sum {
		t.Errorf("it printed %q, want %q", got, sum)
	}
}

// layerFiles gives the files of an image of one layer, with their sizes.
func layerFiles(t *testing.T, d *servers.Docker, image string) map[string]int64 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image.tar")
	d.Output(t, "save", "--output", file, image)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := map[string]int64{}
	for outer := tar.NewReader(f); ; {
		h, err := outer.Next()
		if errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || filepath.Base(h.Name) != "layer.tar" && !isTar(h) {
			continue
		}
		for inner := tar.NewReader(outer); ; {
			h, err := inner.Next()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			files[h.Name] = h.Size
		}
	}
}

// isTar tells a layer of the newer layout, where every file is a blob, from the
// documents beside it: those are small.
func isTar(h *tar.Header) bool { return strings.HasPrefix(h.Name, "blobs/") && h.Size > 1<<20 }

// dockerInstall hands nth to an image that knows nothing of it, as an init
// container does.
func dockerInstall(t *testing.T, d *servers.Docker) {
	d.Output(t, "volume", "create", "shared")
	for range 2 { // an init container may be started again
		d.Output(t, "run", "--rm", "-v", "shared:/shared", "--entrypoint", "/nth", scratchImage, "install", "/shared")
	}
	c := newContainer(t, d)
	out := d.Run(t, "run", "--rm", "--read-only", "--user", "12345", "-v", "shared:/shared:ro", "-v", c.markers+":/m",
		"-e", "JOB_COMPLETION_INDEX=5", "busybox", "/shared/nth", "run", "--markers", "file:///m", "--", "sh", "-c", "ls -l /shared; echo item <<.Index>>")
	c.expect(out, 0)
	if !strings.Contains(out.Stdout, "item 5\n") || strings.Count(out.Stdout, "-r-xr-xr-x") != 1 || strings.Count(out.Stdout, "\n") != 3 {
		t.Errorf("want one file, /shared/nth, of mode 0555, and item 5: %s", out.Stdout)
	}
}

func dockerMessage(t *testing.T, d *servers.Docker) {
	tests := []struct {
		name    string
		command []string
		before  string
		code    int
		want    string // begins with
	}{
		{"a bad mapping", []string{"--require", "/data/file_<<add .Index 100>>.txt", "--", "/actor", "exit", "0"}, "", 66, "nth: index 5: "},
		{"the command's failure", []string{"--", "/actor", "exit", "3"}, "", 3, "nth: index 5: run /actor: exit code 3"},
		{"the command's own words stay", []string{"--", "/actor", "exit", "3"}, "disk full\n", 3, "disk full\n"},
		{"success", []string{"--", "/actor", "exit", "0"}, "", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newContainer(t, d)
			log := filepath.Join(t.TempDir(), "termination-log")
			if err := os.WriteFile(log, []byte(tt.before), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(log, 0o666); err != nil { // as the kubelet makes it, whatever the umask
				t.Fatal(err)
			}
			flags := []string{"--rm", "--read-only", "--user", "12345", "-v", log + ":/dev/termination-log"}
			c.expect(d.Run(t, c.words(flags, scratchImage, tt.command...)...), tt.code)
			body, err := os.ReadFile(log)
			if err != nil || !strings.HasPrefix(string(body), tt.want) || (tt.want == "" || tt.before != "") && string(body) != tt.want {
				t.Errorf("termination message %q (%v), want %q", body, err, tt.want)
			}
			if tt.code == 66 && !strings.Contains(string(body), "/data/file_105.txt") {
				t.Errorf("termination message %q doesn't name the file", body)
			}
		})
	}
}

// readmeCommand gives the words after "docker" of the README's line that begins so.
func readmeCommand(t *testing.T, begins string) []string {
	t.Helper()
	for line := range strings.Lines(program.Page(t, "README.md")) {
		if strings.HasPrefix(line, begins) {
			return words(t, strings.TrimSpace(line))[1:]
		}
	}
	t.Fatalf("README.md has no line %q", begins)
	return nil
}

// words splits a line as a shell does, in the repository's folder.
func words(t *testing.T, line string) []string {
	t.Helper()
	cmd := exec.Command("sh", "-c", `for w in `+line+`; do printf '%s\0' "$w"; done`)
	cmd.Dir = harness.Root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}
