package chaos

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/local"
)

// TestPlan: the schedule follows from the seed; an index's has an end, a rerun, and lies
// within the command; a Job's has every kind, however few indexes there are.
func TestPlan(t *testing.T) {
	for indexes, each := range map[int64]int{1: 8, 4: 8, 7: 6, 39: 2, 100_000: 2} {
		for seed := range uint64(20) {
			p, kinds := plan{seed, indexes}, map[kind]bool{}
			for index := range min(indexes, 100) {
				list := p.steps(index)
				if len(list) != each+1 || list[each].kind != rerun {
					t.Fatalf("%d indexes, seed %d: %v", indexes, seed, list)
				}
				if diff := cmp.Diff(list, plan{seed, indexes}.steps(index), cmp.AllowUnexported(step{})); diff != "" {
					t.Errorf("another schedule of the same seed: %s", diff)
				}
				for _, s := range list[:each] {
					kinds[s.kind] = true
					if s.at < 0 || s.at >= 1 || s.long < 0.2 || s.long >= 1.2 {
						t.Errorf("it is no part of the command's time: %+v", s)
					}
				}
			}
			if len(kinds) != len(slices.Compact(slices.Sorted(slices.Values(bag[:])))) {
				t.Errorf("%d indexes, seed %d: the only kinds are %v", indexes, seed, kinds)
			}
		}
	}
	if cmp.Equal(plan{1, 4}.steps(0), plan{2, 4}.steps(0), cmp.AllowUnexported(step{})) {
		t.Error("two seeds have the same schedule")
	}
}

// TestWhy: what is probably wrong is told of two contents.
func TestWhy(t *testing.T) {
	for _, tt := range []struct{ want, got, why string }{
		{"a\n", "", "empty when disturbed: a run that began to write it was killed, and what came after took it for done"},
		{"", "a\n", "empty only when undisturbed: each further run adds to it"},
		{"a\nb\n", "a\nb\na\nb\n", "the undisturbed content is there 2 times: it was appended again by each further run"},
		{"\x00\x01", "\x00\x01\x00\x01\x00\x01", "the undisturbed content is there 3 times: it was appended again by each further run"},
		{"a\nb\nc\n", "a\nb", "half written: it ends after 3 of 6 bytes, where a run was killed, and was taken for whole"},
		{"a\nb\nc\n", "a\nba\na\nb\nc\n", "begun by runs that were killed, and appended again by others"},
		{"a\nb\nc\n", "c\na\nb\n", "the same lines in another order: whichever run comes first writes first"},
		{"a\nb\nc\n", "c\na\nb\na\n", "1 line is more than once: appended again by further runs"},
		{"a\nb\nc\n", "b\nb\na\nb\nc\n", "2 lines are more than once: appended again by further runs"},
		{"a\nb\nc\n", "c\na\n", "1 line is missing, of 3: another run has overwritten what was there, or a run was killed before it had written"},
		{"a\nb\nc\n", "c\nc\na\n", "lines were lost, and others are there more than once: two runs wrote at the same time"},
		{"rows: 4, index 7\n", "rows: 12, index 7\n", "a number is 12 and should be 4: something was counted again by further runs"},
		{"index 0\nindex 1\n", "index 1\nindex 0\n", reordered},
		{"1\n", "11\n", "a number is 11 and should be 1: something was counted again by further runs"},
		{"a\n", "b\n", another},
		{"\xff1", "\xff2", another},
	} {
		if got := why([]byte(tt.want), []byte(tt.got)); got != tt.why {
			t.Errorf("%q for %q: %s", tt.got, tt.want, got)
		}
	}
}

// TestOwner: a file is that index's whose command names it.
func TestOwner(t *testing.T) {
	texts := map[int64]string{}
	for i, word := range []string{"out/1.txt", "out/2.txt", "out/3.txt", "out/12.txt"} {
		texts[int64(i)] = "sh\n-c\nsleep 0.2; work 7 >" + word
	}
	for _, tt := range []struct {
		path string
		want int64
	}{
		{"1.txt", 0}, {"2.txt", 1}, {"3.txt", 2}, {"12.txt", 3},
		{"part-00003.gz", 3}, {"2.txt.tmp", 2}, {"all", unknown}, {"0-1.txt", unknown}, {"9", unknown}, {"7", unknown},
	} {
		if got := owner("/data/out/"+tt.path, tt.path, texts); got != tt.want {
			t.Errorf("%s is of index %d, want %d", tt.path, got, tt.want)
		}
	}
}

// TestFolder: all that stands in a directory is compared, what it is included, and the
// directory is as it was then.
func TestFolder(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	fill := func(out string, content string) {
		t.Helper()
		for name, text := range map[string]string{"a": "a", "deep/b": content, ".nth/run/c": "staged"} {
			path := filepath.Join(out, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(content, filepath.Join(out, "link")); err != nil {
			t.Fatal(err)
		}
	}
	for _, there := range []bool{false, true} {
		out := filepath.Join(dir, "out")
		if there {
			if err := os.Mkdir(out, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		f, err := open(t.Context(), out, edge.Process{})
		if err != nil {
			t.Fatal(err)
		}
		var listings []listing
		for _, content := range []string{"b", "b", "other"} {
			fill(out, content)
			l, err := f.aside(t.Context(), filepath.Join(kept, content, map[bool]string{false: "x", true: "y"}[there], itoa(len(listings))))
			if err != nil {
				t.Fatal(err)
			}
			listings = append(listings, l)
			if list, err := os.ReadDir(out); there && (err != nil || len(list) > 0) || !there && !os.IsNotExist(err) {
				t.Errorf("there at first: %t; now %v %v", there, list, err)
			}
		}
		if d := compare(listings[0], listings[1]); len(d) > 0 || len(listings[0]) != 4 {
			t.Errorf("%d entries, and these differ: %+v", len(listings[0]), d)
		}
		var paths []string
		for _, d := range compare(listings[0], listings[2]) {
			paths = append(paths, d.path+": "+d.reason())
		}
		if diff := cmp.Diff([]string{"deep/b: " + another, "link: a link to b undisturbed, a link to other disturbed"}, paths); diff != "" {
			t.Error(diff)
		}
	}
}

// TestFolderLink: behind a link that is named what it leads to is compared, and the link stays.
func TestFolderLink(t *testing.T) {
	dir := t.TempDir()
	out, link, nothing := filepath.Join(dir, "real"), filepath.Join(dir, "out"), filepath.Join(dir, "nothing")
	if err := errors.Join(os.Mkdir(out, 0o755), os.Symlink("real", link), os.Symlink("nowhere", nothing)); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), nothing, edge.Process{}); err == nil || !strings.Contains(err.Error(), nothing+": it is a link to nothing") {
		t.Errorf("a link to nothing: %v", err)
	}
	f, err := open(t.Context(), link, edge.Process{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(link, "a"), []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := f.aside(t.Context(), filepath.Join(dir, "kept"))
	if err != nil || len(l) != 1 || l["a"].what != "file" || f.name("a") != filepath.Join(link, "a") {
		t.Errorf("%v %v, called %s", l, err, f.name("a"))
	}
	left, err := os.ReadDir(link)
	if at, _ := os.Readlink(link); at != "real" || err != nil || len(left) > 0 {
		t.Errorf("the link leads to %q, where there is %v %v", at, left, err)
	}
}

func itoa(n int) string { return string(rune('0' + n)) }

// TestVerdicts: a disturbed attempt isn't counted, one that fails by itself is, and an index is
// done when all of its attempts have ended and one of them has succeeded.
func TestVerdicts(t *testing.T) {
	forgotten := 0
	d := newDisturber(plan{1, 100_000}, func(int64) time.Duration { return 0 }, func(int64) bool { forgotten++; return true }, time.Hour)
	good, bad, wrong := local.Failure{}, local.Failure{Code: 1}, local.Failure{Code: 78}
	begin := func(pid int) local.Attempt {
		a := local.Attempt{Index: 3, PID: pid}
		d.of[3].live++
		d.of[3].acted = true
		return a
	}
	for _, tt := range []struct {
		name  string
		step  int
		acted bool
		ends  []local.Failure
		want  []local.Verdict
	}{
		{"disturbed, it fails", 0, true, []local.Failure{bad}, []local.Verdict{local.Again}},
		{"it fails by itself", 0, false, []local.Failure{bad}, []local.Verdict{local.Counts}},
		{"no try helps", 0, true, []local.Failure{wrong}, []local.Verdict{local.Counts}},
		{"it succeeds, and more is planned", 0, false, []local.Failure{good}, []local.Verdict{local.Again}},
		{"the last one succeeds", 9, false, []local.Failure{good}, []local.Verdict{local.Counts}},
		{"disturbed at last, it fails", 9, true, []local.Failure{bad}, []local.Verdict{local.Again}},
		{"two, of which the first succeeds", 9, true, []local.Failure{good, bad}, []local.Verdict{local.Waits, local.Succeeded}},
		{"two, of which the second succeeds", 9, true, []local.Failure{bad, good}, []local.Verdict{local.Waits, local.Counts}},
		{"two that fail", 9, true, []local.Failure{bad, bad}, []local.Verdict{local.Waits, local.Again}},
	} {
		d.of[3] = &subject{step: tt.step, runs: 1}
		for pid := range tt.ends {
			begin(pid)
		}
		d.of[3].acted = tt.acted
		var got []local.Verdict
		for pid, how := range tt.ends {
			got = append(got, d.Ended(local.Attempt{Index: 3, PID: pid}, how, how.Code == 78))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	if forgotten != 1 {
		t.Errorf("%d markers were taken back, want 1", forgotten)
	}
}

// TestReport: the report is short and says all of it.
func TestReport(t *testing.T) {
	r := report{seed: 7, counts: counts{40, 1, 12, 9, 30}, compared: 100, bytes: 4096, in: []string{"out"}, calm: 1500 * time.Millisecond, harried: 12 * time.Second}
	want := `nth local --chaos: same result under 40 kills, 1 stop, 12 duplicates, 9 pauses and 30 reruns, seed 7
  100 files of 4096 bytes compared in out; 1.5s undisturbed, 12s disturbed
`
	if diff := cmp.Diff(want, r.String()); diff != "" {
		t.Error(diff)
	}
	for i := range int64(100) {
		r.differences = append(r.differences, difference{index: i, path: "x", name: "out/x", why: "missing"})
		r.did = append(r.did, "something")
	}
	r.differences[1] = difference{index: 1, why: "it fails"}
	r.kept = "/tmp/k"
	want = `nth local --chaos: the result differs under 40 kills, 1 stop, 12 duplicates, 9 pauses and 30 reruns, seed 7
  100 files of 4096 bytes compared in out; 1.5s undisturbed, 12s disturbed
  index 0: out/x: missing
  what was done to index 0:
` + strings.Repeat("    something\n", mostDid) + `    and 92 more
  these differ too: index 1, out/x, out/x, out/x, out/x, 94 more
  both versions are kept in /tmp/k; --chaos=7 disturbs in the same way again
`
	if diff := cmp.Diff(want, r.String()); diff != "" {
		t.Error(diff)
	}
	r = report{in: []string{"out"}}
	if !strings.Contains(r.String(), "too short to be met at work") {
		t.Errorf("nothing was disturbed, and the report is %s", r)
	}
}

// TestSeed: a seed is a number, or is chosen.
func TestSeed(t *testing.T) {
	if seed, err := seedOf("18446744073709551615"); err != nil || seed != 1<<64-1 {
		t.Errorf("%d, %v", seed, err)
	}
	if _, err := seedOf(bare); err != nil {
		t.Error(err)
	}
	if _, err := seedOf("-1"); err == nil || failure.From(err).Code != failure.Usage {
		t.Error(err)
	}
}

// TestForget: an index that was done is to be run again, with all of its items, and the others
// aren't.
func TestForget(t *testing.T) {
	m := markers{t.TempDir()}
	for _, name := range []string{"done/3.json", "done/33.json", "progress/3/run.json", "skipped/3.json", "commit/3.json"} {
		path := filepath.Join(m.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !m.forget(3) || m.forget(3) {
		t.Error("it isn't told whether the index was done")
	}
	left, err := filepath.Glob(m.dir + "/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for i := range left {
		left[i] = strings.TrimPrefix(left[i], m.dir+"/")
	}
	if diff := cmp.Diff([]string{"commit/3.json", "done/33.json"}, left); diff != "" {
		t.Error(diff)
	}
}

// TestStoppedRound: a round that was stopped when its last index had ended well isn't one that
// may be compared, or after which the Job is disturbed.
func TestStoppedRound(t *testing.T) {
	for _, tt := range []struct {
		s    local.Summary
		want int
	}{
		{local.Summary{Total: 1, Done: 1}, 0},
		{local.Summary{Total: 1, Failed: 1}, 1},
		{local.Summary{Total: 1, Unfinished: 1, Stopped: syscall.SIGINT}, 130},
		{local.Summary{Total: 1, Done: 1, Stopped: syscall.SIGTERM}, 143},
	} {
		if got := codeOf(tt.s); got != tt.want {
			t.Errorf("%+v: %d, want %d", tt.s, got, tt.want)
		}
	}
}
