package servers

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// debian writes the files of this machine's own packages and of all that they depend on, as
// an image of Debian has them: no registry is needed, and nothing is downloaded twice. What
// nobody reads in a container stays away.
func (l layer) debian(packages []string) error {
	names, err := dependencies(packages)
	if err != nil {
		return err
	}
	list, err := exec.Command("dpkg-query", append([]string{"-L"}, names...)...).Output()
	if err != nil {
		return err
	}
	tree := debianTree{layer: l, written: map[string]bool{}}
	paths := []string{"/bin", "/sbin", "/lib", "/lib64", "/tmp"} // links, since directories are merged
	for path := range strings.Lines(string(list)) {
		if path = strings.TrimSpace(path); strings.HasPrefix(path, "/") && !unread(path) {
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		if err := tree.write(path); err != nil {
			return err
		}
	}
	return tree.alternatives()
}

func unread(path string) bool {
	for _, dir := range []string{"/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/", "/usr/share/icons/", "/usr/include/", "/var/"} {
		if strings.HasPrefix(path, dir) {
			return true
		}
	}
	return strings.HasSuffix(path, ".a") || strings.HasSuffix(path, ".pod")
}

// dependencies gives packages and those that they need, of those that are installed.
func dependencies(packages []string) ([]string, error) {
	out, err := exec.Command("dpkg-query", "-W", "-f", "${db:Status-Status}\t${binary:Package}\t${Package}, ${Provides}\t${Pre-Depends}, ${Depends}\n").Output()
	if err != nil {
		return nil, err
	}
	provider, needs := map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if f[0] != "installed" {
			continue
		}
		needs[f[1]] = f[3]
		own, _, _ := strings.Cut(f[1], ":")
		for name := range strings.SplitSeq(f[2], ", ") {
			if name, _, _ = strings.Cut(name, " "); provider[name] == "" || name == own {
				provider[name] = f[1]
			}
		}
	}
	var found []string
	for wanted := packages; len(wanted) > 0; {
		name := provider[wanted[0]]
		wanted = wanted[1:]
		if name == "" || slices.Contains(found, name) { // of alternatives only one is installed
			continue
		}
		found = append(found, name)
		for _, n := range strings.FieldsFunc(needs[name], func(r rune) bool { return r == ',' || r == '|' }) {
			n, _, _ = strings.Cut(strings.TrimSpace(n), " ")
			n, _, _ = strings.Cut(n, ":")
			wanted = append(wanted, n)
		}
	}
	return found, nil
}

// debianTree writes files of this machine under the paths that they have once links are
// followed: a package's /lib/x is /usr/lib/x.
type debianTree struct {
	layer
	written map[string]bool
}

func (t *debianTree) write(path string) error {
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return nil // a package's path that this machine leaves out
	}
	path = filepath.Join(dir, filepath.Base(path))
	name := strings.TrimPrefix(path, "/")
	info, err := os.Lstat(path)
	if err != nil || name == "" || t.written[name] {
		return nil
	}
	t.written[name] = true
	switch {
	case info.IsDir():
		mode := int64(info.Mode().Perm())
		if info.Mode()&fs.ModeSticky != 0 {
			mode |= 0o1000
		}
		return t.dir(name, mode)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		if err := t.link(name, target); err != nil {
			return err
		}
		// What it leads to may belong to no package: R's settings are in /etc/R.
		if to, err := filepath.EvalSymlinks(path); err == nil {
			if info, err := os.Stat(to); err == nil && info.Mode().IsRegular() {
				return t.write(to)
			}
		}
		return nil
	case info.Mode().IsRegular():
		return t.file(name, path, int64(info.Mode().Perm()))
	}
	return nil
}

// alternatives writes links such as /usr/bin/java, which belong to no package.
func (t *debianTree) alternatives() error {
	const dir = "/var/lib/dpkg/alternatives"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		lines := strings.Split(string(body), "\n")
		target, err := filepath.EvalSymlinks(filepath.Join("/etc/alternatives", e.Name()))
		if err != nil || len(lines) < 2 || !t.written[strings.TrimPrefix(target, "/")] {
			continue
		}
		if err := t.link(strings.TrimPrefix(lines[1], "/"), target); err != nil {
			return err
		}
	}
	return nil
}
