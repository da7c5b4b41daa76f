//go:build linux

package objects

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/matrix"
	"nth/testdata/program"
)

const byPair = `--group-by=<<.Task.name | trimSuffix "_R1.fq" | trimSuffix "_R2.fq">>`

// TestGroups: objects that have the same name but for its end are one item, in the order of
// the first of each; a group that has lost one is named before the Job starts.
func TestGroups(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			place := matrix.Start(t, row)
			tr := &tree{t, place, place.Open(t, "in")}
			for _, key := range []string{"s2_R1.fq", "s2_R2.fq", "s1_R1.fq", "s1_R2.fq", "deep/s3_R2.fq", "s3_R1.fq", "s4_R2.fq"} {
				tr.put(key, "x")
			}
			pair := []string{"--tasks=" + tr.url(""), "--markers=" + tr.markers("m"), byPair}
			stdout, stderr, code := tr.nth(append([]string{"plan", "--completions=auto"}, append(pair, "--", "align", "<<.Task.group>>", "<<len .Task.files>>", "<<index .Task.files 0 | base>>")...)...)
			want := "0\talign s3 2 s3_R2.fq\n1\talign s1 2 s1_R1.fq\n2\talign s2 2 s2_R1.fq\n3\talign s4 1 s4_R2.fq\n"
			if diff := cmp.Diff(want, stdout); diff != "" || code != 1 {
				t.Errorf("exit code %d: %s\n%s", code, diff, stderr)
			}
			if !strings.Contains(stderr, "the group s4 has 1 of the 2 objects that most groups have") {
				t.Errorf("the incomplete group isn't named: %s", stderr)
			}
			run := func(index string, code int) string {
				t.Helper()
				stdout, stderr, got := tr.nth(append([]string{"run", "--index=" + index, "--require=<<index .Task.files 1>>"}, append(pair, "--", "echo", "<<.Task.group>>", `<<index .Task.files 1 | base>>`)...)...)
				if got != code {
					t.Fatalf("index %s: exit code %d: %s", index, got, stderr)
				}
				return stdout
			}
			if got := run("1", 0); got != "s1 s1_R2.fq\n" {
				t.Error(got)
			}
			// The keys are those that an object has alone, and what identifies a group is as before.
			alone, _, _ := tr.nth("plan", "--completions=auto", "--tasks="+tr.url("**/s3*"), "--", "align", "<<.Task.key>>")
			keys := strings.Fields(strings.NewReplacer("0\talign ", "", "1\talign ", "").Replace(alone))
			stdout, stderr, code = tr.nth(append([]string{"plan", "--completions=4"}, append(pair, "--", "align", `<<join "," .Task.keys>>`, "<<.Task>>")...)...)
			if !strings.HasPrefix(stdout, "0\talign "+strings.Join(keys, ",")+" ") || len(keys) != 2 || strings.Contains(stdout, `"keys"`) || code != 1 {
				t.Errorf("%d, not %s: %s%s", code, keys, stdout, stderr)
			}
			run("3", 65) // it has no second one
			tr.put("s1_R2.fq", "other")
			run("1", 65) // done, with another second one
		})
	}
}

// TestGroupless: an object that no group takes says so, and is not left out in silence.
func TestGroupless(t *testing.T) {
	tr := plant(t, 0)
	for group, want := range map[string]struct {
		code int
		says string
	}{
		`<<trimSuffix .Task.name .Task.name>>`: {78, "it gives nothing"},
		`<<.Task.colour>>`:                     {78, `no field \"colour\"`},
		`<<.Index>><<.Task.name>>`:             {64, "names no field of an object, or one of an index"},
		`all`:                                  {64, "names no field of an object, or one of an index"},
	} {
		_, stderr, code := tr.nth("run", "--index=0", "--tasks="+tr.url(""), "--markers="+tr.markers("m"), "--group-by="+group, "--", "x")
		if code != want.code || !strings.Contains(stderr, want.says) {
			t.Errorf("%s: %d: %s", group, code, stderr)
		}
	}
}

// TestEach: an index works through its part of the objects, each once.
func TestEach(t *testing.T) {
	tr := plant(t, 1)
	var all []string
	for index := range 3 {
		stdout, stderr, code := tr.nth("run", fmt.Sprint("--index=", index), "--completions=3", "--each", "--jobs=2", "--tasks="+tr.url("**"), "--markers="+tr.markers("m"),
			"--", "sh", "-c", `test "$NTH_ITEM_TASK" = <<quote .Task>> && echo <<quote .Task.key>>`)
		if code != 0 {
			t.Fatalf("%d: %s", code, stderr)
		}
		for line := range strings.Lines(stdout) {
			all = append(all, strings.TrimPrefix(strings.TrimSpace(line), "in/"))
		}
	}
	if diff := cmp.Diff(sorted(), slices.Sorted(slices.Values(all))); diff != "" {
		t.Error(diff)
	}
	_, stderr, code := tr.nth("run", "--index=0", "--completions=1", "--each", "--tasks="+tr.url("*.gz"), "--markers="+tr.markers("m2"), "--", "sh", "-c", "exit 3; <<.Task.key>>")
	if code != 3 || !strings.Contains(stderr, "item 0") {
		t.Errorf("%d: %s", code, stderr)
	}
}

// TestRefusedManifest: a manifest that is refused has pinned nothing, for what is pinned stays.
func TestRefusedManifest(t *testing.T) {
	tr := plant(t, 0)
	for flag, code := range map[string]int{
		"--image=x": 64, // without a name
		"--name=No": 64, "--success-policy=0-99": 64, "--env=A=<<.Nothing>>": 64, "--active-deadline=-1s": 64, "--max-failed=x": 64,
	} {
		args := []string{"manifest", "--image=x", flag, "--completions=auto", "--tasks=" + tr.url(""), "--markers=" + tr.place.URL("", "refused")}
		if flag != "--image=x" {
			args = slices.Insert(args, 1, "--name=resize")
		}
		if _, stderr, got := tr.nth(append(args, "--", "echo", "<<.Task>>")...); got != code {
			t.Errorf("%s: %d, not %d: %s", flag, got, code, stderr)
		}
		if there, err := tr.place.Open(t, "refused").Holds(t.Context()); there || err != nil {
			t.Errorf("%s was refused, and something is pinned: %v", flag, err)
		}
	}
}

// TestRefusedLocal: nor has a Job on this machine.
func TestRefusedLocal(t *testing.T) {
	tr := plant(t, 0)
	for _, tt := range []struct {
		code int
		args []string
	}{
		{64, []string{"--max-failed=x", "--", "echo", "<<.Task>>"}},
		{64, []string{"--indexes=0-99", "--", "echo", "<<.Task>>"}},
		{78, []string{"--", "echo", `<<secret "NOT_SET">>`, "<<.Task>>"}},
	} {
		args := append([]string{"local", "--completions=auto", "--tasks=" + tr.url(""), "--markers=" + tr.place.URL("", "refused")}, tt.args...)
		_, stderr, code := tr.nth(args...)
		there, err := tr.place.Open(t, "refused").Holds(t.Context())
		if code != tt.code || there || err != nil {
			t.Errorf("%v: %d, pinned: %v, %v: %s", tt.args, code, there, err, stderr)
		}
	}
}

// TestAuto: as many indexes as objects, and these are pinned for those who run.
func TestAuto(t *testing.T) {
	tr := plant(t, 0)
	flags := []string{"--completions=auto", "--tasks=" + tr.url("**/*.txt"), "--markers=" + tr.place.URL("", "<<.Job>>")}
	stdout, stderr, code := tr.nth(append([]string{"manifest", "--name=resize", "--image=x", "--volume=hostpath/x:/x"}, append(flags, "--", "echo", "<<.Task>>")...)...)
	if code != 0 || !strings.Contains(stdout, "completions: 7\n") || !strings.Contains(stdout, `NTH_COMPLETIONS, value: "7"`) {
		t.Errorf("%d: %s%s", code, stdout, stderr)
	}
	tr.put("0.txt", "")
	flags = append(flags, "--job=resize")
	stdout, stderr, code = tr.nth(append([]string{"local"}, append(flags, "--", "echo", "<<.Index>>/<<.Completions>>", "<<.Task.name>>")...)...)
	if code != 0 || strings.Count(stdout, "\n") != 7 || !strings.Contains(stdout, "[0] 0/7 %41.txt\n") {
		t.Errorf("%d: %s%s", code, stdout, stderr)
	}
	if stdout, stderr, code := tr.nth(append([]string{"plan"}, append(flags, "--", "echo", "<<.Task.name>>")...)...); code != 0 || strings.Count(stdout, "\n") != 7 || !strings.Contains(stderr, "the list is that of ") {
		t.Errorf("%d: %s%s", code, stdout, stderr)
	}
	rows := tr.place.URL("", "in/rows.txt")
	tr.put("rows.txt", "a\nb\nc\n")
	if stdout, stderr, code := tr.nth("local", "--completions=auto", "--tasks="+rows, "--", "echo", "<<.Task>>"); code != 0 || strings.Count(stdout, "\n") != 3 {
		t.Errorf("%d: %s%s", code, stdout, stderr)
	}
	for _, args := range [][]string{
		{"run", "--index=0", "--completions=auto", "--tasks=" + rows, "--", "x"},
		{"local", "--completions=auto", "--", "x"},
		{"plan", "--completions=auto", "--each", "--tasks=" + rows, "--", "x"},
		{"plan", "--completions=auto", "--tasks=file:///<<.Index>>.csv", "--", "x"},
		{"manifest", "--name=x", "--image=x", "--kind=cronjob", "--schedule=@daily", "--completions=auto", "--tasks=" + rows, "--", "x"},
		{"plan", "--completions=automatic", "--", "x"},
	} {
		if stdout, stderr, code := tr.nth(args...); code != 64 {
			t.Errorf("%v: %d: %s%s", args, code, stdout, stderr)
		}
	}
}

// TestSince: a plan tells what has become of the objects of a pinned list; only what an index
// still needs, and is gone, is a mistake.
func TestSince(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			tr := plant(t, row)
			tr.run("m", "", 0, 0) // pins, and is done
			plan := func(code int, flags ...string) (string, string) {
				t.Helper()
				stdout, stderr, got := tr.nth(append(append([]string{"plan", "--completions=auto", "--tasks=" + tr.url(""), "--markers=" + tr.markers("m")}, flags...), "--", "echo", "<<.Task>>")...)
				if got != code {
					t.Errorf("%d, not %d: %s", got, code, stderr)
				}
				return stdout, stderr
			}
			if _, said := plan(0); strings.Contains(said, "since the list") || strings.Contains(said, "came after") {
				t.Errorf("nothing has changed: %s", said)
			}
			tr.put("0", "")
			tr.put("1", "")
			tr.put("A.txt", "changed")
			if err := tr.s.Delete(t.Context(), "%41.txt"); err != nil {
				t.Fatal(err)
			}
			_, said := plan(0)
			for _, says := range []string{"in/: 2 came after the list was made, so that no index has them: 0, 1\n", "in/: 1 changed since the list was made: A.txt\n", "in/: 1 are gone since the list was made: %41.txt\n"} {
				if !strings.Contains(said, says) {
					t.Errorf("not %q: %s", says, said)
				}
			}
			if err := tr.s.Delete(t.Context(), "é&=+.txt"); err != nil {
				t.Fatal(err)
			}
			if out, _ := plan(1, "--format=json"); !strings.Contains(out, "in/: 2 are gone since the list was made, and needed: %41.txt, é&=+.txt\"") || !strings.Contains(out, "in/: 2 came after") {
				t.Error(out)
			}
			plan(0, "--completions=8", "--indexes=0-2") // which need neither
		})
	}
}

// TestManifestHere: what is counted is counted on this machine, where the pods' volume may not
// be; and markers on a volume that is mounted read-only can't be written.
func TestManifestHere(t *testing.T) {
	tr := plant(t, 0)
	manifest := func(flags ...string) (string, int) {
		_, stderr, code := tr.nth(append(append([]string{"manifest", "--name=x", "--image=x", "--completions=auto"}, flags...), "--", "echo", "<<.Task>>")...)
		return stderr, code
	}
	if said, code := manifest("--store-wait=1s", "--volume=pvc/data:/no/such", "--tasks=file:///no/such/in/", "--markers=file:///no/such/m"); code != 69 || !strings.Contains(said, "counts on this machine: mount what --volume names at the same path here") {
		t.Errorf("%d: %s", code, said)
	}
	dir := tr.place.Dir
	if said, code := manifest("--volume=pvc/data:"+dir+":ro", "--tasks="+tr.url(""), "--markers="+tr.place.URL("", "m")); code != 0 || !strings.Contains(said, "mounted read-only, so that nothing can be written there") || strings.Contains(said, "ends with the pod") {
		t.Errorf("%d: %s", code, said)
	}
}

// TestStatus: the object's name stands beside the index that failed.
func TestStatus(t *testing.T) {
	tr := plant(t, 0)
	tr.nth("local", "--completions=auto", "--backoff-limit-per-index=0", "--tasks="+tr.url("**/*.txt"), "--markers="+tr.markers("m"), "--", "sh", "-c", "test <<.Index>> != 2; exit $?")
	stdout, stderr, _ := tr.nth("status", "--markers="+tr.markers("m"), "--completions=7")
	if !strings.Contains(stdout, "2  1#?.txt  exit code 1") {
		t.Errorf("%s%s", stdout, stderr)
	}
	if stdout, stderr, _ := tr.nth("status", "--markers="+tr.markers("m"), "--index=2"); !strings.Contains(stdout, "of 1#?.txt") {
		t.Errorf("%s%s", stdout, stderr)
	}
}

// TestStatusOfGone: also where the object is what is missing.
func TestStatusOfGone(t *testing.T) {
	tr := plant(t, 0)
	tr.run("m", "", 0, 0) // pins
	if err := tr.s.Delete(t.Context(), "é&=+.txt"); err != nil {
		t.Fatal(err)
	}
	tr.run("m", "", 7, 66)
	if stdout, stderr, _ := tr.nth("status", "--markers="+tr.markers("m"), "--completions=8"); !strings.Contains(stdout, "7  é&=+.txt  nth's exit code 66") {
		t.Errorf("%s%s", stdout, stderr)
	}
}

// TestReset: a rerun has the same list, and it is said how there is a new one.
func TestReset(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			tr := plant(t, row)
			tr.run("m", "", 0, 0)
			reset := func() string {
				stdout, stderr, code := tr.nth("reset", "--all", "--yes", "--markers="+tr.markers("m"))
				if code != 0 {
					t.Errorf("%d: %s", code, stderr)
				}
				return stdout
			}
			_, key, named := strings.Cut(reset(), "or delete ")
			key, _, _ = strings.Cut(key, " ")
			if !named || strings.Count(key, "/m/manifest/objects-") != 1 {
				t.Fatalf("no list is named: %q", key)
			}
			tr.put("!first", "")
			if out, _ := tr.run("m", "", 0, 0); !strings.Contains(out, "|%41.txt|") {
				t.Errorf("the same list: %s", out)
			}
			reset()
			if err := tr.s.Delete(t.Context(), key[strings.Index(key, "/in/m/")+len("/in/"):]); err != nil {
				t.Fatal(err)
			}
			if out, _ := tr.run("m", "", 0, 0); !strings.Contains(out, "|!first|") {
				t.Errorf("a new list: %s", out)
			}
		})
	}
}

// TestSecret: what --tasks reads as a secret stands in no list, marker or line.
func TestSecret(t *testing.T) {
	const canary = "secret-canary"
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/"+canary+"/in", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+canary+"/in/x", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, more := range [][]string{nil, {"--group-by=<<.Task.name>>"}, {"--each", "--completions=1"}} {
		place := dir + "/markers" + fmt.Sprint(len(more))
		stdout, stderr, code := program.Nth(t, []string{"WORD=" + canary}, append(append([]string{"run", "--index=0", "--log-level=debug", `--tasks=file://` + dir + `/<<secret "WORD">>/in/`, "--markers=file://" + place}, more...), "--", "echo", "done", "<<.Task>>")...)
		if code != 0 || !strings.HasPrefix(stdout, "done ") || strings.Contains(stderr, canary) {
			t.Errorf("%v: %d: %s", more, code, stderr)
		}
		found := 0
		err := filepath.WalkDir(place, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			found++
			body, err := os.ReadFile(path)
			if strings.Contains(string(body), canary) {
				t.Errorf("%v: %s has it: %s", more, path, body)
			}
			return err
		})
		if err != nil || found < 2 {
			t.Errorf("%d files, %v", found, err)
		}
	}
	_, stderr, code := program.Nth(t, []string{"WORD=" + canary}, "run", "--index=0", "--tasks=file://"+dir+"/", "--markers=file://"+dir+"/m", `--group-by=<<secret "WORD">><<.Task.name>>`, "--", "echo")
	if code != 64 || !strings.Contains(stderr, "a group's name is stored") {
		t.Errorf("%d: %s", code, stderr)
	}
}
