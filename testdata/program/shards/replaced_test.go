package shards

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nth/testdata/program"
)

// TestEachReplaced: a file of rows that is replaced while they are worked on has other rows
// now, none of which runs under the number of an old one.
func TestEachReplaced(t *testing.T) {
	dir := t.TempDir()
	rows := filepath.Join(dir, "rows.txt")
	fill := func(word string) { // as many as are read ahead, several times
		t.Helper()
		var text strings.Builder
		for i := range 20 {
			fmt.Fprintf(&text, "%s %d %s\n", word, i, strings.Repeat("x", 1<<20))
		}
		if err := os.WriteFile(rows+".new", []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(rows+".new", rows); err != nil {
			t.Fatal(err)
		}
	}
	fill("old")
	cmd, log := eachProcess(t, "--tasks=file://"+rows, "--markers=file://"+dir+"/markers", "--", "sh", "-c",
		`cut -c 1-3 "$NTH_ITEM_TASK_FILE" >>`+dir+`/ran; until test -e `+dir+`/go; do sleep 0.05; done`)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program.Appears(t, dir+"/ran")
	fill("new")
	if err := os.WriteFile(dir+"/go", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	ran := read(t, dir+"/ran")
	if code := cmd.ProcessState.ExitCode(); code != 69 || !strings.Contains(log.String(), "replaced while its rows were worked on") || strings.Contains(ran, "new") {
		t.Errorf("exit code %d, %q ran: %s", code, strings.Fields(ran), log)
	}
}
