package data

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob"

	"nth/testdata/matrix"
)

// modes gives the permissions of all files of the folder.
func (p place) modes() map[string]string {
	p.t.Helper()
	all := map[string]string{}
	for name := range p.files() {
		info, err := os.Stat(filepath.Join(p.dir, name))
		if err != nil {
			p.t.Fatal(err)
		}
		all[name] = fmt.Sprintf("%o", info.Mode().Perm())
	}
	return all
}

// A program that one index has published is one that the next can run, from each store, in
// one request or in parts, by its name, below a directory or by a glob; so is a checkpoint.
func TestModes(t *testing.T) {
	for row, of := range matrix.Stores {
		t.Run(of.Name, func(t *testing.T) {
			at := matrix.Start(t, row)
			p := place{at.Open(t, ""), t, func(path string) string { return strings.ReplaceAll(at.Data("", path), "%2A", "*") }, t.TempDir(), at.Env(at.Base())}
			const make = `umask 022; mkdir -p w/d/sub
				printf '#!/bin/sh\necho I run\nexit\n' >w/tool && chmod 755 w/tool
				{ cat w/tool && head -c 20000000 /dev/zero; } >w/large && chmod 755 w/large
				cp -p w/tool w/d/sub/tool && echo secret >w/d/private && chmod 600 w/d/private && echo text >w/d/text && chmod 4777 w/d/sub/tool`
			p.run(0, "--markers", p.url("m"), "--output", "w/tool="+p.url("tool"), "--output", "w/large="+p.url("large"), "--output", "w/d/="+p.url("d/"), "--", "sh", "-c", make)
			for _, c := range []struct {
				from, to, run string
				want          map[string]string
			}{
				{"tool", "tool", "./tool", map[string]string{"tool": "755"}},
				{"large", "large", "./large", map[string]string{"large": "755"}},
				{"d/", "d/", "d/sub/tool", map[string]string{"d/sub/tool": "755", "d/private": "600", "d/text": "644"}},
				{"**/tool", "g/", "g/d/sub/tool", map[string]string{"g/tool": "755", "g/d/sub/tool": "755"}},
			} {
				p := p.in(t)
				p.contains(p.run(0, "--input", p.url(c.from)+"="+c.to, "--", c.run), "I run\n")
				if diff := cmp.Diff(c.want, p.modes()); diff != "" {
					t.Errorf("%s: %s", c.from, diff)
				}
			}
			state := []string{"--markers", p.url("m2"), "--checkpoint", "state=" + p.url("state"), "--", "sh", "-c"}
			cmd, out := p.begin(append(state, `cp -p w/tool state; : >begun; exec sleep 600`)...)
			waitFor(t, filepath.Join(p.dir, "begun"))
			_ = cmd.Process.Signal(syscall.SIGTERM)
			p.ends(cmd, out, 143)
			p.contains(p.in(t).run(0, append(state, `exec ./state`)...), "I run\n")
		})
	}
}

// What anybody has written down as a mode is no more than a file's permissions.
func TestHostileModes(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		if strings.HasPrefix(p.url(""), "file:") {
			p.write("x", "#!/bin/sh\n")
			dir := filepath.Dir(strings.TrimPrefix(strings.Split(p.url("x"), "?")[0], "file://"))
			if err := os.WriteFile(dir+"/x", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir+"/x", 0o777|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky); err != nil {
				t.Fatal(err)
			}
			p.run(0, "--input", p.url("x")+"=x", "--", "sh", "-c", `[ "$(stat -c %a x)" = 755 ]`)
			return
		}
		for text, want := range map[string]string{"107777": "755", "100000": "600", "100022": "600", "40755": "644", "rwxrwxrwx": "644", "-1": "644", "777777777777777777777": "644"} {
			if err := p.Bucket().Upload(t.Context(), "x", strings.NewReader("x"), &blob.WriterOptions{ContentType: "text/plain", Metadata: map[string]string{"mode": text}}); err != nil {
				t.Fatal(err)
			}
			p := p.in(t)
			p.run(0, "--input", p.url("x")+"=x", "--", "true")
			if diff := cmp.Diff(map[string]string{"x": want}, p.modes()); diff != "" {
				t.Errorf("%q: %s", text, diff)
			}
		}
	})
}
