package servers

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// Image is a container image of one layer.
type Image struct {
	Files   map[string]string // path in the image, of an executable on this machine
	Busybox bool              // busybox in /bin, with a link for each of its programs
	Debian  []string          // packages, as they are installed on this machine, with what they need
	Changes []string          // Dockerfile instructions: ENTRYPOINT, ENV
	fill    func(layer) error
}

// Import makes an image without a registry.
func (d *Docker) Import(t testing.TB, tag string, image Image) {
	t.Helper()
	read := image.archive()
	out := d.RunInput(t, read, image.words(tag)...)
	read.Close()
	if out.Code != 0 {
		t.Fatalf("import the image %s: %s", tag, out.Stderr)
	}
}

// archive gives the layer as a tar file; who has read it closes it.
func (image Image) archive() io.ReadCloser {
	read, write := io.Pipe()
	go func() {
		w := tar.NewWriter(write)
		err := image.write(layer{w})
		if err == nil {
			err = w.Close()
		}
		write.CloseWithError(err)
	}()
	return read
}

// words are those of docker import, and podman's, that make the image of an archive on stdin.
func (image Image) words(tag string) []string {
	args := []string{"import"}
	for _, c := range image.Changes {
		args = append(args, "--change", c)
	}
	return append(args, "-", tag)
}

// GoImage makes the base image of the Dockerfile from this machine's own Go, with
// the modules that the program needs, so that building needs no network.
func (d *Docker) GoImage(t testing.TB) {
	t.Helper()
	goroot := goEnv(t, "GOROOT")
	modules := filepath.Join(t.TempDir(), "modules")
	download := exec.Command("go", "mod", "download")
	download.Dir = harness.Root()
	download.Env = append(os.Environ(), "GOMODCACHE="+modules, "GOFLAGS=-modcacherw",
		"GOPROXY=file://"+filepath.Join(goEnv(t, "GOMODCACHE"), "cache", "download")+","+goEnv(t, "GOPROXY"))
	if out, err := download.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", download, err, out)
	}
	d.Import(t, "golang:1.26", Image{
		Busybox: true,
		Changes: []string{"ENV PATH=/go/bin:/usr/local/go/bin:/bin GOPATH=/go GOTOOLCHAIN=local GOPROXY=file:///modules"},
		fill: func(l layer) error {
			for _, part := range []string{"bin", "lib", "pkg", "src", "VERSION", "go.env"} {
				if err := l.tree("usr/local/go/"+part, filepath.Join(goroot, part)); err != nil {
					return err
				}
			}
			return l.tree("modules", filepath.Join(modules, "cache", "download"))
		},
	})
}

func goEnv(t testing.TB, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatalf("go env %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

func (i Image) write(l layer) error {
	for path, from := range i.Files {
		if err := l.file(strings.TrimPrefix(path, "/"), from, 0o755); err != nil {
			return err
		}
	}
	if i.Busybox {
		if err := l.busybox(); err != nil {
			return err
		}
	}
	if len(i.Debian) > 0 {
		if err := l.debian(i.Debian); err != nil {
			return err
		}
	}
	if i.fill == nil {
		return nil
	}
	return i.fill(l)
}

// layer writes the files of an image.
type layer struct{ *tar.Writer }

func (l layer) file(name, from string, mode int64) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	err = l.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: info.Size(), Mode: mode, ModTime: info.ModTime()})
	if err != nil {
		return err
	}
	_, err = io.Copy(l, f)
	return err
}

func (l layer) dir(name string, mode int64) error {
	return l.WriteHeader(&tar.Header{Name: name + "/", Typeflag: tar.TypeDir, Mode: mode})
}

func (l layer) link(name, target string) error {
	return l.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777})
}

// tree writes a file or folder of this machine with all that is in it.
func (l layer) tree(name, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		to := filepath.ToSlash(filepath.Join(name, rel))
		switch {
		case entry.IsDir():
			return l.dir(to, 0o755)
		case entry.Type().IsRegular():
			info, err := entry.Info()
			if err != nil {
				return err
			}
			return l.file(to, path, int64(info.Mode().Perm()))
		default: // Debian's Go has links into /usr/share
			path, err := filepath.EvalSymlinks(path)
			if err != nil {
				return err
			}
			return l.tree(to, path)
		}
	})
}

// busybox writes what the image of that name has: its programs, /tmp and root.
func (l layer) busybox() error {
	path, err := exec.LookPath("busybox")
	if err != nil {
		return fmt.Errorf("%w; apt-get install -y busybox-static", err)
	}
	programs, err := exec.Command(path, "--list").Output()
	if err != nil {
		return err
	}
	if err := l.dir("tmp", 0o1777); err != nil {
		return err
	}
	if err := l.file("bin/busybox", path, 0o755); err != nil {
		return err
	}
	for _, p := range strings.Fields(string(programs)) {
		if p == "busybox" {
			continue
		}
		if err := l.link("bin/"+p, "busybox"); err != nil {
			return err
		}
	}
	return nil
}
