package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPackage: dpkg installs the package into a root of its own, finds each file as the
// package says, and takes it away again; the program is the release's.
func TestPackage(t *testing.T) {
	dir, root := released(t), t.TempDir()
	for _, name := range []string{"info", "updates", "triggers"} {
		if err := os.MkdirAll(filepath.Join(root, "var/lib/dpkg", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dpkg := func(words ...string) string {
		t.Helper()
		return output(t, dir, append([]string{"dpkg", "--root=" + root, "--log=/dev/null"}, words...)...)
	}
	dpkg("--install", "nth_0.9.0+5.gabcdef0_amd64.deb")
	if out := dpkg("--verify", "nth"); out != "" {
		t.Errorf("dpkg --verify: %s", out)
	}
	if got, want := output(t, dir, filepath.Join(root, "usr/bin/nth"), "version"), "nth "+version+" (commit "+commit; !strings.HasPrefix(got, want) {
		t.Errorf("it printed %q", got)
	}
	list := dpkg("--listfiles", "nth")
	for _, want := range []string{"/usr/bin/nth", "/usr/share/man/man1/nth-plan.1.gz", "/usr/share/man/man7/nth-items.7.gz", "/usr/share/doc/nth/copyright",
		"/usr/share/bash-completion/completions/nth", "/usr/share/zsh/vendor-completions/_nth", "/usr/share/fish/vendor_completions.d/nth.fish"} {
		if !strings.Contains(list, want+"\n") {
			t.Errorf("there is no %s in\n%s", want, list)
		}
	}
	if got := output(t, dir, "dpkg-deb", "--field", "nth_0.9.0+5.gabcdef0_arm64.deb", "Package", "Version", "Architecture"); got != "Package: nth\nVersion: 0.9.0+5.gabcdef0\nArchitecture: arm64\n" {
		t.Errorf("the other one says %q", got)
	}
	dpkg("--purge", "nth")
	if _, err := os.Lstat(filepath.Join(root, "usr/bin/nth")); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestDebianVersion: dpkg sorts the versions of packages as git does tags and what comes
// after them.
func TestDebianVersion(t *testing.T) {
	last := ""
	for _, tt := range []struct{ version, want string }{
		{"abcdef0", "0~20231114221321.abcdef0"}, {"v1.2.0-rc.1", "1.2.0~rc.1"}, {"v1.2.0-rc.1-3-gabcdef0", "1.2.0~rc.1+3.gabcdef0"}, {"v1.2.0-rc.2", "1.2.0~rc.2"}, {"v1.2.0", "1.2.0"},
		{"v1.2.0-5-gabcdef0", "1.2.0+5.gabcdef0"}, {"1.2.0-5-gabcdef0-dirty", "1.2.0+5.gabcdef0.dirty"}, {"v1.2.1", "1.2.1"},
	} {
		got := (&release{version: tt.version, at: time.Unix(1700000001, 0).UTC()}).debianVersion()
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.version, got, tt.want)
		}
		if last != "" {
			output(t, ".", "dpkg", "--compare-versions", last, "lt", got)
		}
		last = got
	}
}
