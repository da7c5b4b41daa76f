//go:build linux

// Package slurm runs nth under a real Slurm.
package slurm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// Most of it waits for Slurm, which looks at time limits every 30 s.
func TestMain(m *testing.M) { program.MainAtOnce(m, 32) }

// TestSlurm is one cluster for all; what a test waits for, the others don't.
func TestSlurm(t *testing.T) {
	t.Parallel()
	s := servers.StartSlurm(t)
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *servers.Slurm)
	}{
		{"Identity", identity}, {"Array", array}, {"Signals", signals}, {"Plan", plan}, {"Manifest", printed}, {"Hostile", hostile}, {"Workers", workers}, {"Page", page},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t, s)
		})
	}
}

// scene is a directory with a script in it, from which jobs are submitted.
type scene struct {
	*testing.T
	*servers.Slurm
	dir, nth string
}

func newScene(t *testing.T, s *servers.Slurm) *scene {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	return &scene{t, s, t.TempDir(), nth}
}

// write writes a script, in which NTH and DIR stand for these.
func (s *scene) write(name, script string) {
	s.Helper()
	script = strings.NewReplacer("NTH", s.nth, "DIR", s.dir).Replace(script)
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(script), 0o755); err != nil {
		s.Fatal(err)
	}
}

// submit submits a script, and gives the array's ID. What it writes is in ID_TASK.out.
func (s *scene) submit(args ...string) string {
	s.Helper()
	cmd := s.Command("sbatch", append([]string{"--parsable", "--chdir=" + s.dir, "--output=%A_%a.out"}, args...)...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.Fatalf("sbatch %q: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (s *scene) path(name string) string { return filepath.Join(s.dir, name) }

func (s *scene) read(name string) string {
	body, _ := os.ReadFile(s.path(name))
	return string(body)
}

func (s *scene) touch(name string) {
	s.Helper()
	if err := os.WriteFile(s.path(name), nil, 0o644); err != nil {
		s.Fatal(err)
	}
}

// await waits until a file has a text.
func (s *scene) await(name, text string) {
	s.Helper()
	program.AwaitText(s, name, func() string { return s.read(name) }, text)
}

// status asks nth what it knows of the markers in a directory of the scene.
func (s *scene) status(markers string, args ...string) (stdout string, code int) {
	s.Helper()
	out, _, code := program.Nth(s.T, nil, append([]string{"status", "--markers=file://" + s.path(markers)}, args...)...)
	return out, code
}
