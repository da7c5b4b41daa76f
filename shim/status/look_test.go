package status

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/identity"
	"nth/shim/marker"
)

func encode(t testing.TB, doc any) string {
	t.Helper()
	body, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func header(index int64) marker.Header {
	return marker.Header{Version: 1, Index: index, RunID: fmt.Sprintf("run-%d", index), Attempt: 2, Hostname: fmt.Sprintf("pod-%d", index), Node: "n1", Command: []string{"work", fmt.Sprint(index)}}
}

func usageOf(seconds float64, memory int64) marker.Usage {
	end := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	return marker.Usage{Started: end.Add(-time.Second), Finished: end, DurationS: seconds, MaxRSSBytes: memory, UserS: seconds / 2}
}

// taskFailure is a record of a task, under the name of one whose key is that letter.
func taskFailure(key, id string) marker.Failure {
	three := 3
	h := header(3)
	h.Task = &marker.Task{Key: strings.Repeat(key, 64), ID: id, Source: "redis", Queue: "jobs", Attempt: 2}
	return marker.Failure{Header: h, Usage: usageOf(1, 1e6), ExitCode: 3, CommandCode: &three, Failures: 2, Stderr: "disk full\n"}
}

// TestLook is a whole report, for programs and for people.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	three := 3
	for i := range int64(20) {
		put(t, s, marker.Key("done", i), encode(t, marker.Marker{Header: header(i), Usage: usageOf(float64(i+1), 1e6*(i+1)), Source: marker.SourceRun, Outcome: marker.Done}))
	}
	put(t, s, "skipped/4.json", "{}")
	put(t, s, "done/40.json", "{}")
	hostile := "\x1b[2Jlast\nno space left on /scratch/%d\x1b]0;title\a\n\n"
	for i := int64(20); i < 25; i++ {
		put(t, s, marker.Key("failed", i), encode(t, marker.Failure{Header: header(i), Usage: usageOf(1, 2e9), ExitCode: 3, CommandCode: &three, Failures: 2, Stderr: fmt.Sprintf(hostile, i)}))
	}
	put(t, s, "failed/25.json", encode(t, marker.Failure{Header: header(25), ExitCode: 66, Failures: 1, Message: "nth: index 25: require /in/25: missing"}))
	put(t, s, "failed/26.json", "{")
	put(t, s, "failed/27.json", encode(t, marker.Failure{Header: header(2), ExitCode: 1}))
	put(t, s, "failed/28.json", encode(t, marker.Failure{Header: header(28), ExitCode: 137, Signal: "SIGKILL", OOMKilled: true, Failures: 4}))
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "failed", "28.json"), old, old); err != nil {
		t.Fatal(err)
	}
	put(t, s, "started/28.json", "{}") // again
	put(t, s, "done/tasks/"+strings.Repeat("a", 64)+".json", "{}")
	put(t, s, "failed/tasks/"+strings.Repeat("b", 64)+".json", encode(t, taskFailure("b", "resize\x1b[2J 1")))
	put(t, s, "failed/tasks/"+strings.Repeat("c", 64)+".json", encode(t, taskFailure("b", "of another")))
	own := taskFailure("d", "order-7")
	own.Dead = true
	own.CommandCode, own.ExitCode, own.Message = nil, 65, `nth: index 3: task "order-7": expand --env X: there is no field .x`
	put(t, s, "failed/tasks/"+strings.Repeat("d", 64)+".json", encode(t, own))
	put(t, s, "failed/tasks/"+strings.Repeat("a", 64)+".json", "done since")
	items := marker.Progress{Version: 1, Index: 29, RunID: "a", Items: 3000, Start: 2900, End: 3000, Updated: time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)}
	for i := int64(2900); i < 2950; i++ {
		items.Done.Add(i, 100)
	}
	items.Skipped.Add(2900, 100)
	items.Failed.Add(2960, 100)
	put(t, s, marker.ProgressKey(29, "a"), encode(t, items))

	r, _, err := Look(t.Context(), Options{Store: s, Of: identity.Whole(31), Policy: once, Nth: "v1", Job: "resize", Read: maxRead, Used: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Lists{Done: "0-3,5-19", Skipped: "4", Failed: "20-27", Started: "28,29", Missing: "30", Others: "40"}, r.Lists); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Counts{Done: 19, Skipped: 1, Failed: 8, Started: 2, Missing: 1, Others: 1}, r.Counts); diff != "" {
		t.Error(diff)
	}
	got := []string{}
	for _, f := range r.Failures {
		got = append(got, fmt.Sprintf("%d %s|%s|%s|%d|%v", f.Index, f.Reason, f.Text, f.Last, f.Failures, f.Again))
	}
	want := []string{}
	for i := 20; i < 25; i++ {
		want = append(want, fmt.Sprintf("%d exit-3|exit code 3|no space left on /scratch/%d|2|false", i, i))
	}
	want = append(want, "25 nth-66|nth's exit code 66|require /in/25: missing|1|false",
		"26 unreadable|its record can't be read|unexpected end of JSON input|0|false", "27 unreadable|its record can't be read|it speaks of index 2|0|false",
		"28 oom|killed by SIGKILL: out of memory||4|true")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if f := r.Failures[0]; f.Pod != "pod-20" || f.Node != "n1" || f.RunID != "run-20" || f.Memory != 2e9 || !strings.Contains(f.Stderr, "\x1b") {
		t.Errorf("%+v", f)
	}
	if diff := cmp.Diff(&Tasks{Done: 1, Failed: 3, Dead: 1}, r.Tasks); diff != "" {
		t.Error(diff)
	}
	got = nil
	for _, f := range r.TaskFailures {
		got = append(got, fmt.Sprintf("%s|%s|%d|%s|%s|%d", f.Task, f.Queue, f.Attempt, f.Reason, f.Last, f.Index))
	}
	want = []string{strings.Repeat("c", 64) + "||0|unreadable|it is of another task|0",
		`order-7|jobs|2|nth-65|expand --env X: there is no field .x|3`, "resize\x1b[2J 1|jobs|2|exit-3|disk full|3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Shard{{Index: 29, Items: 100, Done: 49, Skipped: 1, Failed: 1, Updated: items.Updated}}, r.Shards); diff != "" {
		t.Error(diff)
	}
	if r.Used.Read != 20 || r.Used.Of != 20 || len(r.Used.Each) != 20 || r.Used.Each[19].Memory != 20e6 {
		t.Errorf("%+v", r.Used)
	}
	if back := (Report{}); json.Unmarshal([]byte(encode(t, r)), &back) != nil || !cmp.Equal(*r, back) {
		t.Errorf("JSON loses something: %s", cmp.Diff(*r, back))
	}
	r.At, r.Rate, r.Markers = time.Date(2026, 11, 25, 10, 5, 0, 0, time.UTC), 0.01, "s3://bucket/m/"
	r.Failures[6].At, r.Failures[7].At = time.Time{}, time.Time{}
	r.Failures[5].At, r.Failures[8].At = r.At.Add(-3*time.Hour), r.At.Add(-72*time.Hour)
	var b strings.Builder
	if err := r.WriteText(&b, 110); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantText, b.String()); diff != "" {
		t.Error(diff)
	}
}

const wantText = `markers s3://bucket/m/
job     resize
20 of 31 settled (64%), 0.6/min, ETA 5m0s

done     19  0-3,5-19
skipped   1  4  (settled as bad)
failed    8  20-27
started   2  28,29  (running, or ended without a trace)
missing   1  30
others    1  40  (markers of other indexes)

failed, by reason
     5  exit code 3: no space left on …  --reason exit-3
        20-24
     1  nth's exit code 66: require /in/25: missing  --reason nth-66
        25
     1  its record can't be read: unexpected end of JSON input  --reason unreadable
        26
     1  its record can't be read: it speaks of index 2  --reason unreadable
        27

index  how                                      failures  when                       where
   20  exit code 3                                     2  2026-11-25 10:00Z, 5m ago  pod-20 on n1
       no space left on /scratch/20
   21  exit code 3                                     2  2026-11-25 10:00Z, 5m ago  pod-21 on n1
       no space left on /scratch/21
   22  exit code 3                                     2  2026-11-25 10:00Z, 5m ago  pod-22 on n1
       no space left on /scratch/22
   23  exit code 3                                     2  2026-11-25 10:00Z, 5m ago  pod-23 on n1
       no space left on /scratch/23
   24  exit code 3                                     2  2026-11-25 10:00Z, 5m ago  pod-24 on n1
       no space left on /scratch/24
   25  nth's exit code 66                              1  2026-11-25 07:05Z, 3h ago  pod-25 on n1
       require /in/25: missing
   26  its record can't be read
       unexpected end of JSON input
   27  its record can't be read
       it speaks of index 2
   28  killed by SIGKILL: out of memory, again         4  2026-11-22 10:05Z, 3d ago  pod-28 on n1

tasks of a queue: 1 done, 0 skipped, 3 failed, 1 of them put aside

task                                      how                            delivery  when                      …
ccccccccccccccccccccccccccccccccccccccc…  its record can't be read
                                          it is of another task
order-7                                   nth's exit code 65, put aside         2  2026-11-25 10:00Z, 5m ago …
                                          expand --env X: there is no field .x
resize 1                                  exit code 3                           2  2026-11-25 10:00Z, 5m ago …
                                          disk full

items of 1 shard: 49 of 100 done, 1 skipped, 1 failed
   shard       items        done     skipped      failed  updated
      29         100          49           1           1  2026-11-25 10:00Z, 5m ago

what 20 done items took (20 of 20 markers read)      median         p99        most
  time                                                  11s         20s         20s
  CPU time                                             5.5s         10s         10s
  CPUs at work                                         0.50        0.50        0.50
  memory                                            11.0 MB     20.0 MB     20.0 MB
suggests --requests cpu=500m,memory=55Mi --limits memory=55Mi
  memory: the most of one process and a fifth more, and 32 MiB for nth; CPU: what 99 of 100 items kept busy
`

// TestReadIsBounded: no more documents are read than are wanted, evenly spread, and
// what wasn't is told.
func TestReadIsBounded(t *testing.T) {
	s := open(t, "mem://")
	for i := range int64(100) {
		put(t, s, marker.Key("failed", i), encode(t, marker.Failure{Header: header(i), ExitCode: 1}))
		put(t, s, marker.Key("done", 100+i), encode(t, marker.Marker{Header: header(100 + i), Source: marker.SourceRun, Outcome: marker.Done}))
	}
	for read, want := range map[int64]string{0: "", 4: "24,49,74,99", 100: "0-99", 1000: "0-99"} {
		r, _, err := Look(t.Context(), Options{Store: s, Of: identity.Whole(200), Policy: once, Read: read, Used: true})
		if err != nil {
			t.Fatal(err)
		}
		var indexes, used []int64
		for _, f := range r.Failures {
			indexes = append(indexes, f.Index)
		}
		for _, u := range r.Used.Each {
			used = append(used, u.Index-100)
		}
		if identity.FormatList(indexes) != want || identity.FormatList(used) != want || r.Unread != 100-int64(len(indexes)) || r.Counts.Failed != 100 || r.Used.Of != 100 {
			t.Errorf("%d: %v, %v, %d unread", read, indexes, used, r.Unread)
		}
	}
}

// TestMarked: who has marked an index by hand, and why, is told, and nothing that nobody did.
func TestMarked(t *testing.T) {
	s := open(t, "mem://")
	h := header(3)
	h.Attempt, h.Command = 0, nil
	why := "the input is empty, as the sensor at the station was switched off that week for its repair"
	put(t, s, "done/3.json", encode(t, marker.Marker{Header: h, Usage: marker.Usage{Finished: usageOf(1, 1).Finished}, Source: marker.SourceMark, Outcome: marker.Done, MarkedBy: "alice", Reason: why}))
	item, err := LookAt(t.Context(), Options{Store: s, Policy: once}, 3)
	if err != nil {
		t.Fatal(err)
	}
	item.At = time.Date(2026, 11, 25, 10, 1, 0, 0, time.UTC)
	var b strings.Builder
	if err := item.WriteText(&b, 0); err != nil {
		t.Fatal(err)
	}
	want := `index 3: done
marker   done: 2026-11-25 10:00Z, 1m ago, by hand by alice
         reason: ` + why + `
         run run-3, pod-3 on n1
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// TestItem is what is told of one index.
func TestItem(t *testing.T) {
	s := open(t, "mem://")
	code := 3
	failed := header(7)
	failed.Command = []string{"work", "7", "two words", ""}
	put(t, s, "failed/7.json", encode(t, marker.Failure{Header: failed, Usage: usageOf(1.5, 2e6), ExitCode: 3, CommandCode: &code, Failures: 2, Stderr: "one\n\x1b[31mtwo\n"}))
	put(t, s, "started/7.json", encode(t, struct {
		marker.Header
		Log string `json:"log"`
	}{header(7), "s3://bucket/logs/7/run-7.log"}))
	put(t, s, "claim/7.json", `{"run_id": "run-8", "ttl": "30s", "released": true}`)
	put(t, s, "skipped/7.json", `{`)
	put(t, s, "done/70.json", "{}") // another's
	item, err := LookAt(t.Context(), Options{Store: s, Policy: once}, 7)
	if err != nil {
		t.Fatal(err)
	}
	if item.State != "started" || item.Settled() || item.Marker != nil || item.logsURL() != "s3://bucket/logs" {
		t.Errorf("%+v", item)
	}
	p := parsed{Config: Config{Store: config.Store{Markers: "s3://b/<<.Job>>?endpoint=http://h&region=r"}}}
	if diff := cmp.Diff("s3://bucket/logs?endpoint=http://h&region=r", p.withParameters(item.logsURL())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("file:///logs", p.withParameters("file:///logs")); diff != "" {
		t.Error(diff)
	}
	item.At = time.Date(2026, 11, 25, 10, 1, 0, 0, time.UTC)
	item.Logs = []ItemLog{{"run-7", item.At.Add(-time.Minute), 1234}}
	item.Pods = []Pod{{Name: "p", Phase: "Failed", Reason: "OOMKilled", ExitCode: 137, Node: "n1"}}
	var b strings.Builder
	if err := item.WriteText(&b, 80); err != nil {
		t.Fatal(err)
	}
	want := `index 7: started
failure  exit code 3 (--reason exit-3)
         2 so far, the last one 2026-11-25 10:00Z, 1m ago
         took 1.5s, CPU 0.8s, memory 2.0 MB
         attempt 2, run run-7, pod-7 on n1
         command: work 7 'two words' ''
         | one
         | two
started
         attempt 2, run run-7, pod-7 on n1
         command: work 7
claim    by run run-8, released
pod      p: Failed: OOMKilled, exit code 137, on n1
broken   mem:/skipped/7.json is no JSON document
log      run-7: 1.2 kB, 2026-11-25 10:00Z, 1m ago
         --logs prints them
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
