//go:build linux

package slurm

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nth/testdata/program"
	"nth/testdata/servers"
)

var blocks = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// page runs the commands of the page that need Slurm, one after the other.
func page(t *testing.T, slurm *servers.Slurm) {
	s := newScene(t, slurm)
	remove := func() { os.RemoveAll("/tmp/nth-slurm") }
	remove()
	t.Cleanup(remove)
	var said []string
	for _, m := range blocks.FindAllStringSubmatch(program.Page(t, "docs/slurm.md"), -1) {
		if strings.HasPrefix(m[1], "go run . ") {
			continue // testdata/program/docs runs it
		}
		cmd := s.Command("sh", "-ec", m[1])
		cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(s.nth)+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s: %s", err, m[1], out)
		}
		said = append(said, string(out))
		if job, is := strings.CutPrefix(strings.TrimSpace(string(out)), "Submitted batch job "); is {
			s.Wait(t, job)
		}
	}
	if len(said) != 2 || !strings.Contains(said[1], "done") || strings.Contains(said[1], "to run what is left") {
		t.Errorf("the page's commands say %q", said)
	}
	program.CheckFile(t, "/tmp/nth-slurm/square_9", "81\n")
}
