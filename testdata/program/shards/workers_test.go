//go:build linux

package shards

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nth/shim/marker"
	"nth/testdata/harness"
	"nth/testdata/program"
)

// TestShardsKilled: as TestWorkersKilled, for work that isn't taken from a queue: of 8
// indexes with a part each, a third are killed again and again.
func TestShardsKilled(t *testing.T) {
	items := int64(harness.Soak(10_000, 100_000))
	for name, flags := range map[string]func(dir string) []string{
		"numbers": func(string) []string { return []string{fmt.Sprint("--items=", items)} },
		"manifest": func(dir string) []string {
			var rows strings.Builder
			for i := range items {
				fmt.Fprintf(&rows, "{\"number\": %d, \"text\": \"row %d\"}\n", i, i)
			}
			if err := os.WriteFile(dir+"/rows.jsonl", []byte(rows.String()), 0o666); err != nil {
				t.Fatal(err)
			}
			return []string{"--tasks=file://" + dir + "/rows.jsonl"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			killShards(t, dir, items, flags(dir))
		})
	}
}

func killShards(t *testing.T, dir string, items int64, flags []string) {
	const workers = 8
	if err := os.Mkdir(dir+"/markers", 0o777); err != nil {
		t.Fatal(err)
	}
	word := "<<.Item>>"
	if strings.HasPrefix(flags[0], "--tasks") {
		word = "<<.Task.number>>"
	}
	var kills atomic.Int32
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			args := append([]string{fmt.Sprint("--completions=", workers), "--each", "--log-level=warn", "--markers=file://" + dir + "/markers"}, flags...)
			for program.WorkOnce(t, w, &kills, 3*time.Second, append(args, "--", "sh", "-c", "echo "+word+" >>"+dir+"/out")) {
			}
		})
	}
	group.Wait()
	runs, twice, settled := ran(t, dir+"/out"), 0, int64(0)
	for i := range items {
		switch {
		case runs[i] == 0:
			t.Errorf("item %d was lost", i)
		case runs[i] > 1:
			twice++
		}
	}
	for w := range workers {
		var m marker.Marker
		body, err := os.ReadFile(fmt.Sprintf("%s/markers/done/%d.json", dir, w))
		if err != nil || json.Unmarshal(body, &m) != nil || m.Shard == nil || m.Shard.Start != settled {
			t.Fatalf("the marker of index %d, whose part begins with %d: %v %s", w, settled, err, body)
		}
		settled = m.Shard.End
	}
	if settled != items || len(runs) != int(items) || kills.Load() == 0 {
		t.Errorf("%d items are recorded, %d have run, %d kills", settled, len(runs), kills.Load())
	}
	t.Logf("%d items, %d kills, %d ran more than once", items, kills.Load(), twice)
}
