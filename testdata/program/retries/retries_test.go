//go:build linux

// Package retries tests --retries: a command that has failed is run again in the same run.
package retries

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/claim"
	"nth/shim/marker"
	"nth/testdata/harness"
	"nth/testdata/program"
)

// tries leaves a trace of each try, and goes a way that may differ by its number, n, from 0.
func tries(dir, way string) []string {
	return []string{"sh", "-c", fmt.Sprintf(`cd %s; of=$NTH_ITEM_INDEX${NTH_ITEM_NUMBER:+.$NTH_ITEM_NUMBER}
n=$(cat "n.$of" 2>/dev/null || echo 0); echo $((n+1)) >"n.$of"; echo "$of $n ${NTH_ITEM_RETRY-unset}" >>tries; echo "try $n" >&2
%s`, dir, way)}
}

// run is one whose command is to leave these tries.
type run struct {
	name  string
	flags []string
	way   string
	code  int
	tries string // as "index try NTH_ITEM_RETRY", one after the other
	says  string // in what nth says
}

var runs = []run{
	{"off", nil, "exit 3", 3, "0 0 unset", "exit code 3\""},
	{"well at once", []string{"--retries=2"}, "true", 0, "0 0 0", ""},
	{"well at last", []string{"--retries=2"}, "[ $n = 1 ] || exit 3", 0, "0 0 0,0 1 1", `"retry":1,"of":2`},
	{"never well", []string{"--retries=1"}, "exit 3", 3, "0 0 0,0 1 1", "exit code 3, after 1 retry"},
	{"the last counts", []string{"--retries=1"}, "exit $((n+7))", 8, "0 0 0,0 1 1", "exit code 8, after 1 retry"},
	{"killed", []string{"--retries=1"}, "[ $n = 1 ] || kill -KILL $$", 0, "0 0 0,0 1 1", "killed by SIGKILL; running it again in 1s"},
	{"timed out", []string{"--retries=1", "--timeout=10s"}, "[ $n = 1 ] || exec sleep 1000", 0, "0 0 0,0 1 1", "stopped after 10s"},
	{"what ends the index", []string{"--retries=2"}, "exit 65", 65, "0 0 0", "exit code 65\""},
	{"what only seems to", []string{"--retries=2", "--reserve-exit-codes"}, "[ $n = 1 ] || exit 65", 0, "0 0 0,0 1 1", "exit code 65 (nth exits 1 instead: --reserve-exit-codes); running it again"},
	{"bad for good", []string{"--retries=2", "--skip-exit-codes=9"}, "exit 9", 0, "0 0 0", "skipped"},
	{"0 is failure", []string{"--retries=1", "--done-exit-codes=4"}, "[ $n = 0 ] || exit 4", 0, "0 0 0,0 1 1", "which --done-exit-codes doesn't name"},
	{"no output", []string{"--retries=1", "--output=DIR/out=file://DIR/published"}, "[ $n = 0 ] || echo A >out", 0, "0 0 0,0 1 1", "collect the output"},
	{"env wins", []string{"--retries=1", "--env=NTH_ITEM_RETRY=mine"}, "[ $n = 1 ] || exit 3", 0, "0 0 mine,0 1 mine", ""},
	{"negative", []string{"--retries=-1"}, "true", 64, "", "it is negative"},
}

// TestTries: what is run again, and what isn't, by nth run and by both ways of nth local.
func TestTries(t *testing.T) {
	for _, how := range []struct {
		name string
		args []string
	}{
		{"run", []string{"run", "--index=0"}},
		{"local", []string{"local", "--completions=1", "--backoff-limit-per-index=0", "--reserve-exit-codes=false", "--log-format=json", "--log-level=info"}},
		{"isolated", []string{"local", "--isolated", "--completions=1", "--backoff-limit-per-index=0", "--reserve-exit-codes=false", "--log-format=json", "--log-level=info"}},
	} {
		for _, r := range runs {
			t.Run(how.name+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				args := append(append([]string{}, how.args...), "--markers=file://"+dir+"/m?create_dir=true")
				for _, f := range r.flags {
					args = append(args, strings.ReplaceAll(f, "DIR", dir))
				}
				_, said, code := program.Nth(t, nil, append(append(args, "--"), tries(dir, r.way)...)...)
				want := r.code
				if how.name != "run" && want != 0 && want != 64 {
					want = 1 // as for a Job of which an index has failed
				}
				if code != want || !strings.Contains(said, r.says) {
					t.Errorf("exit code %d, want %d, and %q in what it says: %s", code, want, r.says, said)
				}
				same(t, dir, r.tries)
			})
		}
	}
}

// same: of several items, where the order depends on how fast the machine is, in that of their
// numbers.
func same(t *testing.T, dir, want string) {
	t.Helper()
	body, _ := os.ReadFile(filepath.Join(dir, "tries"))
	lines := strings.Split(strings.TrimSpace(string(body)), "\n")
	slices.Sort(lines)
	if diff := cmp.Diff(want, strings.Join(lines, ",")); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
}

// read reads a document of index 0.
func read[Document any](t *testing.T, dir, name string) (d Document) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, "m", name))
	if err == nil {
		err = json.Unmarshal(body, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestEachTryAnew: a try has its inputs as they were, nothing of the one before is left or
// published, and each has a log; the marker tells how many there were.
func TestEachTryAnew(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "source"), []byte("input\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	url := "file://" + dir + "/"
	_, said, code := program.Nth(t, nil, append([]string{"run", "--index=0", "--retries=2", "--claim=1m", "--markers=" + url + "m?create_dir=true", "--logs=" + url + "logs?create_dir=true",
		"--input=" + url + "source=" + dir + "/input", "--stdin=" + url + "source", "--stdout=" + url + "stdout", "--output=" + dir + "/made/=" + url + "published/", "--"},
		tries(dir, `read line; echo "$n $line $(cat input)"; echo changed >input; echo of >"made/$n.$(ls made | wc -l)"
[ ! -e left ] || ! kill -0 "$(cat left)" 2>/dev/null || touch still
sleep 1000 & echo $! >left
[ $n = 2 ] || { sleep 0.1; exit 3; }; rm -r made; mkdir made; echo whole >made/out`)...)...)
	if _, err := os.Stat(filepath.Join(dir, "still")); code != 0 || err == nil {
		t.Fatalf("%d: %s", code, said)
	}
	if m := read[marker.Marker](t, dir, "done/0.json"); m.Retries != 2 || len(m.Outputs) != 2 {
		t.Errorf("%d retries, outputs %v", m.Retries, m.Outputs)
	}
	got := map[string]string{}
	for _, name := range []string{"stdout", "published/out"} {
		body, _ := os.ReadFile(filepath.Join(dir, name))
		got[name] = string(body)
	}
	if diff := cmp.Diff(map[string]string{"stdout": "2 input input\n", "published/out": "whole\n"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	logs, _ := filepath.Glob(dir + "/logs/0/*.log")
	var each []string
	for _, log := range logs {
		body, _ := os.ReadFile(log)
		_, name, again := strings.Cut(strings.TrimSuffix(filepath.Base(log), ".log"), ".")
		each = append(each, fmt.Sprint(name, again, " ", strings.TrimSpace(string(body))))
	}
	if diff := cmp.Diff([]string{"false try 0", "retry-1true try 1", "retry-2true try 2"}, each); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	for _, rest := range []string{"/m/staging/*/*", "/.nth/*", "/published/.nth/*"} {
		if left, _ := filepath.Glob(dir + rest); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// TestStopped: a stop signal in the pause ends the run, with what the last try failed with;
// one that ends a command is no failure of that to be tried again.
func TestStopped(t *testing.T) {
	for _, tt := range []struct{ name, way, after, tries, says string }{
		{"in the pause", "exit 3", "running it again in 1s", "0 0 0", "stopped by SIGTERM before it was run again; it had failed before: exit code 3"},
		{"in a later try", "[ $n = 0 ] && exit 3; trap 'exit 3' TERM; echo rea''dy >&2; while :; do sleep 0.01; done", "ready", "0 0 0,0 1 1", "exit code 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			nth, err := harness.Binary()
			if err != nil {
				t.Fatal(err)
			}
			log, err := os.Create(filepath.Join(dir, "log"))
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			cmd := exec.Command(nth, append([]string{"run", "--index=0", "--retries=5", "--claim=1m", "--markers=file://" + dir + "/m?create_dir=true", "--"}, tries(dir, tt.way)...)...)
			cmd.Stdout, cmd.Stderr = log, log
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			text := func() string { b, _ := os.ReadFile(log.Name()); return string(b) }
			program.AwaitText(t, tt.after, text, tt.after)
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			same(t, dir, tt.tries)
			f := read[marker.Failure](t, dir, "failed/0.json")
			if cmd.ProcessState.ExitCode() != f.ExitCode || f.StopSignal != "SIGTERM" || !strings.Contains(f.Message, tt.says) {
				t.Errorf("exit code %d, record %+v: %s", cmd.ProcessState.ExitCode(), f, text())
			}
			if n := strings.Count(text(), "running it again"); n != 1 {
				t.Errorf("%d times it is to be run again", n)
			}
			if claim := read[claim.Document](t, dir, "claim/0.json"); !claim.Released {
				t.Errorf("the claim isn't given back: %+v", claim)
			}
		})
	}
}

// TestDoneMeanwhile: what another pod has done in the pause isn't run again, and its checkpoint
// isn't kept.
func TestDoneMeanwhile(t *testing.T) {
	dir := t.TempDir()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	markers := "--markers=file://" + dir + "/m?create_dir=true"
	checkpoint := filepath.Join(dir, "checkpoints", "it")
	if err := os.Mkdir(filepath.Dir(checkpoint), 0o777); err != nil {
		t.Fatal(err)
	}
	other := fmt.Sprintf("echo half >checkpoint; until [ -e %s ]; do sleep 0.01; done; env -u NTH_ITEM_RETRY %s mark %s --indexes=0 --reason=test --yes >/dev/null; exit 3", checkpoint, nth, markers)
	_, said, code := program.Nth(t, nil, append([]string{"run", "--index=0", "--retries=1", "--checkpoint=" + dir + "/checkpoint=file://" + checkpoint, "--checkpoint-every=1s", markers, "--"}, tries(dir, other)...)...)
	if _, err := os.Stat(checkpoint); err == nil {
		t.Error("the checkpoint is kept")
	}
	if code != 0 || !strings.Contains(said, "is done already") {
		t.Errorf("%d: %s", code, said)
	}
	same(t, dir, "0 0 0")
}

// TestItems: with --each it is the item that is run again, after what else there is to begin.
func TestItems(t *testing.T) {
	for _, tt := range []struct {
		name  string
		flags []string
		way   string
		code  int
		tries string
		says  string
	}{
		{"in turn", nil, `[ "$NTH_ITEM_NUMBER" != 1 ] || [ $n = 1 ] || exit 3`, 0, "0.0 0 0,0.1 0 0,0.1 1 1,0.2 0 0", `"done":3,"of":3`},
		{"what is said meanwhile", nil, `[ "$NTH_ITEM_NUMBER" != 1 ] || [ $n = 1 ] || exit 3`, 0, "0.0 0 0,0.1 0 0,0.1 1 1,0.2 0 0", "item 1: run sh: exit code 3; running it again in 1s"},
		{"never well", []string{"--keep-going"}, `[ "$NTH_ITEM_NUMBER" != 1 ] || exit 3`, 3, "0.0 0 0,0.1 0 0,0.1 1 1,0.2 0 0", "1 of 3 failed: 1; the first was 1: run sh: exit code 3, after 1 retry"},
		{"the last one", nil, `[ "$NTH_ITEM_NUMBER" != 2 ] || [ $n = 1 ] || exit 3`, 0, "0.0 0 0,0.1 0 0,0.2 0 0,0.2 1 1", `"done":3,"of":3`},
		{"what ends the index", nil, `[ "$NTH_ITEM_NUMBER" != 0 ] || exit 66`, 66, "0.0 0 0", "the first was 0: run sh: exit code 66"},
		{"all", []string{"--keep-going"}, "exit 3", 3, "0.0 0 0,0.0 1 1,0.1 0 0,0.1 1 1,0.2 0 0,0.2 1 1", "3 of 3 failed"},
		{"not found", []string{"--env=PATH=/nowhere"}, "true", 127, "", "not found"},
	} {
		for _, more := range [][]string{nil, {"--share"}} {
			t.Run(tt.name+strings.Join(more, ""), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				args := append([]string{"run", "--index=0", "--completions=1", "--items=3", "--each", "--retries=1", "--markers=file://" + dir + "/m?create_dir=true"}, append(tt.flags, more...)...)
				_, said, code := program.Nth(t, nil, append(append(args, "--"), tries(dir, tt.way)...)...)
				if code != tt.code || !strings.Contains(said, tt.says) {
					t.Errorf("exit code %d, want %d, and %q in what it says: %s", code, tt.code, tt.says, said)
				}
				same(t, dir, tt.tries)
			})
		}
	}
}

// TestItemsAtOnce: of many items that run at the same time each is tried as often as it needs,
// none twice at once, rows and all; two workers that share them do each until it is done.
func TestItemsAtOnce(t *testing.T) {
	dir := t.TempDir()
	var rows strings.Builder
	for i := range 60 {
		fmt.Fprintf(&rows, "row %d\n", i)
	}
	if err := os.WriteFile(filepath.Join(dir, "rows.txt"), []byte(rows.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	way := `mkdir "at.$of" || echo twice >>wrong; [ "$1" = "row $NTH_ITEM_NUMBER" ] || echo "$1" >>wrong; rmdir "at.$of"
[ $n -ge $((NTH_ITEM_NUMBER % 3)) ] || exit 3; echo "$NTH_ITEM_NUMBER" >>well`
	_, said, code := program.Nth(t, nil, append([]string{"local", "--completions=2", "--parallelism=2", "--each", "--share", "--jobs=3", "--retries=2", "--backoff-limit-per-index=0",
		"--tasks=file://" + dir + "/rows.txt", "--markers=file://" + dir + "/m?create_dir=true", "--"}, append(tries(dir, way), "sh", "<<.Task>>")...)...)
	if wrong, _ := os.ReadFile(filepath.Join(dir, "wrong")); code != 0 || len(wrong) > 0 {
		t.Fatalf("%d: %s\n%s", code, wrong, said)
	}
	well, _ := os.ReadFile(filepath.Join(dir, "well"))
	of := map[string]int{}
	for _, n := range strings.Fields(string(well)) {
		of[n]++
	}
	if len(of) != 60 || len(strings.Fields(string(well))) != 60 {
		t.Errorf("%d items ended well %d times", len(of), len(strings.Fields(string(well))))
	}
}

// TestLastItem: nothing but an item that runs is left, in another place than the one that is
// free: it is run again all the same.
func TestLastItem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, said, code := program.Nth(t, nil, append([]string{"run", "--index=0", "--completions=1", "--items=2", "--each", "--jobs=2", "--retries=1", "--"},
		tries(dir, `[ "$NTH_ITEM_NUMBER" = 0 ] && exec touch free; until [ -e free ]; do sleep 0.01; done; sleep 0.3; [ $n = 1 ]`)...)...)
	if code != 0 || !strings.Contains(said, `"done":2,"of":2`) {
		t.Errorf("%d: %s", code, said)
	}
}

// TestPlaces: what ended with 0 and is run again keeps its place in nth local, in which no
// other index runs meanwhile.
func TestPlaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, said, code := program.Nth(t, nil, append([]string{"local", "--completions=6", "--parallelism=2", "--retries=1", "--done-exit-codes=4", "--backoff-limit-per-index=0", "--"},
		tries(dir, `mkdir "slot.$NTH_ITEM_SLOT" || echo two >>wrong; sleep 0.1; rmdir "slot.$NTH_ITEM_SLOT"; [ $n = 0 ] || exit 4; [ "$NTH_ITEM_INDEX" -lt 2 ] && sleep 0.5; exit 0`)...)...)
	if wrong, _ := os.ReadFile(filepath.Join(dir, "wrong")); code != 0 || len(wrong) > 0 {
		t.Errorf("%d: %s%s", code, wrong, said)
	}
}
