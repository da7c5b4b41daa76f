package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
)

// What the releases of these tests say of themselves.
const (
	version = "v0.9.0-5-gabcdef0"
	commit  = "abcdef0123456789abcdef0123456789abcdef01"
	epoch   = "1700000001"
)

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(kept)
	os.Exit(code)
}

var kept string // the folder of what all tests look into

// made gives the folder of a release for two platforms, which is made once.
var made = sync.OnceValues(func() (string, error) {
	var err error
	if kept, err = os.MkdirTemp("", "nth-release-"); err != nil {
		return "", err
	}
	dir := filepath.Join(kept, "first")
	out, err := releaseIn(harness.Root(), dir).CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return dir, nil
})

func releaseIn(root, dir string, env ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(root, ".ci", "release"), dir)
	cmd.Env = append(append(os.Environ(), "PLATFORMS=linux/amd64 linux/arm64", "VERSION="+version, "COMMIT="+commit, "SOURCE_DATE_EPOCH="+epoch), env...)
	return cmd
}

func released(t *testing.T) string {
	t.Helper()
	dir, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func output(t *testing.T, dir string, words ...string) string {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func listed(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestFiles: a release has these files, and no other.
func TestFiles(t *testing.T) {
	want := []string{"LICENSES.txt", "NOTES.md", "SHA256SUMS", "nth-image.tar",
		"nth-linux-amd64", "nth-linux-amd64.cdx.json", "nth-linux-arm64", "nth-linux-arm64.cdx.json", "nth-share.tar.gz",
		"nth_0.9.0+5.gabcdef0_amd64.deb", "nth_0.9.0+5.gabcdef0_arm64.deb"}
	if diff := cmp.Diff(want, listed(t, released(t))); diff != "" {
		t.Error(diff)
	}
	out := output(t, released(t), "sha256sum", "--check", "--strict", sumsFile)
	if n := strings.Count(out, ": OK\n"); n != len(want)-1 {
		t.Errorf("%d files have a checksum, of %d:\n%s", n, len(want)-1, out)
	}
}

// TestReproducible: who makes the release of the same commit again, in another folder, of
// other times, by other rules of who may read and in another zone, gets the same bytes. With
// NTH_TEST_SOAK=1 nothing that was compiled before is taken.
func TestReproducible(t *testing.T) {
	first := released(t)
	root := filepath.Join(t.TempDir(), "a folder of another name")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	output(t, harness.Root(), "sh", "-c", `tar -cf - --exclude=.git . | tar -xmf - -C "$0"`, root)
	env := []string{"TZ=Asia/Kathmandu", "LC_ALL=C"}
	if harness.Soak(0, 1) == 1 {
		env = append(env, "GOCACHE="+filepath.Join(t.TempDir(), "cache"))
	}
	second := filepath.Join(t.TempDir(), "second")
	make := releaseIn(root, second, env...)
	make.Args = append([]string{"sh", "-c", `umask 077; exec "$0" "$@"`}, make.Args...)
	make.Path = "/bin/sh"
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", make, err, out)
	}
	if diff := cmp.Diff(listed(t, first), listed(t, second)); diff != "" {
		t.Fatal(diff)
	}
	for _, name := range listed(t, first) {
		if !bytes.Equal(contents(t, filepath.Join(first, name)), contents(t, filepath.Join(second, name))) {
			t.Errorf("%s has other bytes", name)
		}
	}
}

// TestRefused: a release isn't mixed with what is there already.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := releaseIn(harness.Root(), dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "isn't empty") || len(listed(t, dir)) != 1 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestNotes(t *testing.T) {
	const changelog = "# Changelog\n\n## [Unreleased]\n\n- new\n\n## [1.2.0] - 2026-11-01\n\n### Added\n\n- old\n\n## [1.1.0]\n\n"
	for version, want := range map[string]string{
		"v1.2.0": "### Added\n\n- old", "1.2.0": "### Added\n\n- old", "v1.2.0-3-gabcdef0": "- new", "v1.2.0-dirty": "- new",
		"abcdef0": "- new", "dev": "- new",
		"v1.3.0": "error: CHANGELOG.md has no section ## [1.3.0]", "v1.2.0-rc.1": "error: CHANGELOG.md has no section ## [1.2.0-rc.1]",
		"v1.1.0": "error: CHANGELOG.md says nothing in its section ## [1.1.0]",
	} {
		got, err := notes(changelog, version)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
	if body := string(contents(t, filepath.Join(released(t), "NOTES.md"))); !strings.HasPrefix(body, "# nth "+version+"\n\n### Added\n") {
		t.Errorf("the notes are %.200q", body)
	}
}
