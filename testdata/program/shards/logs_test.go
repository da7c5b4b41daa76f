//go:build linux

package shards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEachLogs: what all items write is in the shard's log, and passed through.
func TestEachLogs(t *testing.T) {
	const items = 200
	dir := t.TempDir()
	cmd, log := eachProcess(t, fmt.Sprint("--items=", items), "--jobs=4", "--markers=file://"+dir+"/markers", "--logs=file://"+dir+"/logs",
		"--", "sh", "-c", `echo out <<.Item>>; echo err <<.Item>> <<secret "TOKEN">> >&2`)
	cmd.Env = append(cmd.Env, "TOKEN=s3cr3t-canary")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	for _, sub := range []string{"markers", "logs"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	var out, both []string
	for i := range items {
		out = append(out, fmt.Sprint("out ", i))
		both = append(both, fmt.Sprint("out ", i), fmt.Sprint("err ", i, " ***"))
	}
	sorted := func(text []byte) []string {
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		slices.Sort(lines)
		return lines
	}
	slices.Sort(out)
	slices.Sort(both)
	if diff := cmp.Diff(out, sorted(stdout.Bytes())); diff != "" {
		t.Error(diff)
	}
	kept, err := filepath.Glob(dir + "/logs/0/*.log")
	if err != nil || len(kept) != 1 {
		t.Fatalf("logs: %v, %v", kept, err)
	}
	text, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(both, sorted(text)); diff != "" {
		t.Error(diff)
	}
	body, err := os.ReadFile(dir + "/markers/done/0.json")
	if err != nil {
		t.Fatal(err)
	}
	var marker struct{ Log string }
	if err := json.Unmarshal(body, &marker); err != nil || !strings.HasSuffix(marker.Log, kept[0]) {
		t.Errorf("the marker's log is %q, and the file %s (%v)", marker.Log, kept[0], err)
	}
}

// TestEachStdoutGone: nobody reads stdout any more, and the commands are told so as
// without --logs.
func TestEachStdoutGone(t *testing.T) {
	for name, more := range map[string][]string{"with": {"--logs=file://" + t.TempDir()}, "without": nil} {
		t.Run(name+" logs", func(t *testing.T) {
			cmd, log := eachProcess(t, append(append([]string{"--items=3"}, more...), "--", "sh", "-c", "for i in 1 2 3 4 5; do echo x; sleep 0.1; done")...)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			cmd.Stdout = w
			_ = cmd.Run()
			w.Close()
			if code := cmd.ProcessState.ExitCode(); code != 141 {
				t.Errorf("exit code %d: %s", code, log)
			}
		})
	}
}
