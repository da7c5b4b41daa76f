package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nth/shim/commands"
	"nth/testdata/harness"
	"nth/testdata/program"
)

// TestHelpExamples: what the help shows as an example can be typed as it stands, one after
// the other, and each ends well.
func TestHelpExamples(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	shell := func(line string) string {
		t.Helper()
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(line, "/tmp/", dir+"/"))
		cmd.Env = []string{"PATH=" + filepath.Dir(nth) + string(os.PathListSeparator) + os.Getenv("PATH")}
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		return string(out)
	}
	screen, _, _ := program.Nth(t, nil)
	_, first, _ := strings.Cut(screen, "\n  nth ")
	first, _, _ = strings.Cut(first, "\n")
	if said := strings.Fields(shell("nth " + first)); len(said) != 9 { // [0] item 0 and so on, in any order
		t.Errorf("nth %s prints %q", first, said)
	}
	if said := shell("nth " + first); said != "" {
		t.Errorf("again, nth %s prints %q", first, said)
	}
	for _, c := range commands.Table("") {
		shell(c.Example)
	}
	if _, err := os.Stat(dir + "/markers/done/4.json"); err != nil {
		t.Errorf("the examples did nothing: %v", err)
	}
}
