//go:build linux

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nth/testdata/program"
	"nth/testdata/servers"
)

// indexes is how many the Jobs here have.
const indexes = 4

// command is one that is run under chaos.
type command struct {
	name    string
	flags   []string
	command string
	seed    int
	code    int
	says    []string // of the report
	soon    bool     // it is over too soon to be much disturbed
}

// commands are run under chaos in an empty directory, where they write below out. The seeds
// are of schedules in which what they show must happen: each index is run again at least once
// after it had ended well, and with the seed 895 the first run of each is killed before 40 %.
var commands = []command{
	{name: "a temporary file that is renamed", seed: 7, says: []string{"same result under ", "4 files of 32 bytes compared in "},
		command: `mkdir -p out part; sleep 0.2; echo index <<.Index>> >part/$NTH_ITEM_RUN_ID; sleep 0.1; mv part/$NTH_ITEM_RUN_ID out/<<.Index>>`},
	{name: "files of items", seed: 8, flags: []string{"--items", "12", "--each", "--jobs", "2"}, says: []string{"same result under ", "12 files of "},
		command: `mkdir -p out part; sleep 0.1; echo item <<.Item>> >part/$NTH_ITEM_RUN_ID.<<.Item>>; mv part/$NTH_ITEM_RUN_ID.<<.Item>> out/<<.Item>>`},
	{name: "a file for each that is appended to", seed: 7, code: 1,
		command: `mkdir -p out; sleep 0.2; echo index <<.Index>> >>out/<<.Index>>`,
		says: []string{"the result differs under ", "index 0: ", "out/0: the undisturbed content is there ", " times: it was appended again by each further run",
			"undisturbed: 8 bytes, sha256 ", `line 2 undisturbed: (the end)`, `line 2 disturbed:   "index 0\n"`,
			"what was done to index 0:", " ended well, and the index was run again", "these differ too: ", "out/1, ", "out/3\n", "--chaos=7 disturbs in the same way again"}},
	{name: "an output that is appended to", seed: 7, flags: []string{"--output", "DIR/part/<<.Index>>=file://DIR/out/<<.Index>>"},
		command: `sleep 0.2; echo index <<.Index>> >>part/<<.Index>>; sleep 0.1; echo the end >>part/<<.Index>>`,
		says:    []string{"same result under ", "4 files of 64 bytes compared in "}},
	{name: "half an output", seed: 895, flags: []string{"--output", "DIR/part/<<.Index>>=file://DIR/out/<<.Index>>"},
		command: `[ -e part/<<.Index>> ] || for n in $(seq 40); do echo "line $n"; sleep 0.05; done >part/<<.Index>>`,
		says:    []string{"same result under ", "4 files of 1244 bytes compared in "}},
	{name: "a stdout", seed: 7, flags: []string{"--stdout", "file://DIR/out/<<.Index>>"},
		command: `sleep 0.2; echo index <<.Index>>; sleep 0.1; echo the end`,
		says:    []string{"same result under ", "4 files of 64 bytes compared in "}},
	{name: "items that are appended", seed: 7, code: 1, flags: []string{"--items", "8", "--each"},
		command: `mkdir -p out; sleep 0.05; echo item <<.Item>> >>out/<<.Item>>`,
		says:    []string{"the result differs under ", "the undisturbed content is there "}},
	{name: "a file of all that is appended to", seed: 7, code: 1,
		command: `mkdir -p out; sleep 0.2; flock out/all -c 'echo index <<.Index>> >>out/all'`,
		says:    []string{"the result differs under ", "of no single index: ", "out/all: ", "more than once: appended again by further runs"}},
	{name: "a row that is incremented", seed: 7, code: 1,
		command: `mkdir -p db out; sleep 0.1; sqlite3 -cmd '.timeout 100000' db/<<.Index>>.db '
			create table if not exists t (id integer primary key, n integer);
			insert into t values (1, 1) on conflict do update set n = n + 1;'
			sqlite3 -cmd '.timeout 100000' db/<<.Index>>.db 'select n from t' >out/<<.Index>>.$NTH_ITEM_RUN_ID
			mv out/<<.Index>>.$NTH_ITEM_RUN_ID out/<<.Index>>`,
		flags: []string{"--chaos-compare", "db"},
		says:  []string{"the result differs under ", "index 0: ", "db/0.db: another content", "out/0"}},
	{name: "a row that is set", seed: 7,
		command: `mkdir -p out; sleep 0.1; sqlite3 -cmd '.timeout 100000' out/<<.Index>>.db '
			create table if not exists t (id integer primary key, n integer);
			insert into t values (1, 1) on conflict do nothing;'`,
		says: []string{"same result under ", "4 files of "}},
	{name: "a count in a file", seed: 7, code: 1,
		command: `mkdir -p out; sleep 0.1; n=$(cat out/<<.Index>> 2>/dev/null || :); echo $((n + 1)) >out/<<.Index>>`,
		says:    []string{"out/0: a number is ", " and should be 1: something was counted again by further runs"}},
	{name: "half of it taken for whole", seed: 895, code: 1,
		command: `mkdir -p out; [ -e out/<<.Index>> ] || for n in $(seq 40); do echo "line $n"; sleep 0.05; done >out/<<.Index>>`,
		says:    []string{"the result differs under ", ": half written: it ends after ", " of 311 bytes, where a run was killed, and was taken for whole", " was killed after "}},
	{name: "temporary files that stay", seed: 895, code: 1,
		command: `mkdir -p out; t=$(mktemp out/<<.Index>>.XXXXXX); sleep 1; echo index <<.Index>> >$t; mv $t out/<<.Index>>`,
		says:    []string{"the result differs under ", ": there only when disturbed: left behind by a run that was killed, or named by the time or the process"}},
	{name: "chance", seed: 7, code: 1,
		command: `mkdir -p out; sleep 0.1; date +%N >out/<<.Index>>`,
		says:    []string{"the result differs under ", "out/0: differs between two undisturbed runs too: the order, the time or chance is in it, so it tells nothing about restarts"}},
	{name: "a lock that stays", seed: 895, code: 1, soon: true, flags: []string{"--backoff-limit-per-index", "0", "--max-failed", "100%"},
		command: `mkdir -p out lock; mkdir lock/<<.Index>> || exit 3; sleep 1; echo index <<.Index>> >out/<<.Index>>; rmdir lock/<<.Index>>`,
		says:    []string{"the result differs under ", "index 0: it fails when it is run again after a disturbance: exit 3"}},
}

// compared are the flags, which say what is compared where no output does.
func (tt command) compared() []string {
	if slices.ContainsFunc(tt.flags, func(f string) bool { return f == "--output" || f == "--stdout" }) {
		return tt.flags
	}
	return append(slices.Clone(tt.flags), "--chaos-compare", "out")
}

// TestCommands: what can be run again at any time gives the same result, and what can't is
// found, with the reason.
func TestCommands(t *testing.T) {
	for _, tt := range commands {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := newJob(t)
			report, log, code := j.chaos(tt.seed, tt.compared(), tt.command)
			if code != tt.code {
				t.Fatalf("exit %d, want %d: %s%s", code, tt.code, report, log)
			}
			for _, want := range tt.says {
				if !strings.Contains(report, want) {
					t.Errorf("the report doesn't say %q", want)
				}
			}
			if n := strings.Count(report, "\n"); n > 20 {
				t.Errorf("the report has %d lines", n)
			}
			if !tt.soon {
				j.disturbed(report, tt.seed)
			}
			j.left(report, code)
			if t.Failed() {
				t.Logf("%s%s", report, log)
			}
		})
	}
}

// job is a Job in a directory of its own.
type job struct {
	*testing.T
	dir, temp string
}

func newJob(t *testing.T) *job { return &job{T: t, dir: t.TempDir(), temp: t.TempDir()} }

// chaos runs a command of a shell under chaos. Paths of --chaos-compare are below the directory.
func (j *job) chaos(seed int, flags []string, command string) (report, log string, code int) {
	j.Helper()
	args := []string{"local", "--completions", strconv.Itoa(indexes), "--parallelism", "4", "--chaos=" + strconv.Itoa(seed)}
	for i, word := range flags {
		if i > 0 && flags[i-1] == "--chaos-compare" && !strings.Contains(word, "://") {
			word = filepath.Join(j.dir, word)
		}
		args = append(args, strings.ReplaceAll(word, "DIR", j.dir))
	}
	args = append(args, "--", "sh", "-ec", "cd '"+j.dir+"'\n"+command)
	return program.Nth(j.T, append(servers.S3Env(), "TMPDIR="+j.temp), args...)
}

var under = regexp.MustCompile(`under (\d+) kills, (\d+) stops?, (\d+) duplicates?, (\d+) pauses? and (\d+) reruns, seed (\d+)`)

// disturbed checks that the report is of a Job that was much disturbed.
func (j *job) disturbed(report string, seed int) {
	j.Helper()
	m := under.FindStringSubmatch(report)
	if m == nil {
		j.Fatalf("the report doesn't say what was done: %s", report)
	}
	n := make([]int, len(m))
	for i := range m[1:] {
		n[i+1], _ = strconv.Atoi(m[i+1])
	}
	if n[1]+n[2] < indexes || n[3]+n[4]+n[5] < indexes || n[6] != seed {
		j.Errorf("that proves little: %s", m[0])
	}
}

// left checks that the place is as it was, and that both versions are there where they differ.
func (j *job) left(report string, code int) {
	j.Helper()
	if _, err := os.Lstat(filepath.Join(j.dir, "out")); !os.IsNotExist(err) {
		j.Errorf("the place that wasn't there is there: %v", err)
	}
	list, err := os.ReadDir(j.temp)
	if err != nil {
		j.Fatal(err)
	}
	if code == 0 {
		if len(list) > 0 {
			j.Errorf("%s is left behind", list[0].Name())
		}
		return
	}
	if len(list) != 1 || !strings.Contains(report, "both versions are kept in "+filepath.Join(j.temp, list[0].Name())) {
		j.Fatalf("the versions are elsewhere than the report says: %v", list)
	}
	for _, round := range []string{"undisturbed", "disturbed"} {
		if _, err := os.Stat(filepath.Join(j.temp, list[0].Name(), round)); err != nil {
			j.Error(err)
		}
	}
}

// TestStore: what stands below a store's URL is compared and removed, and nothing beside it.
func TestStore(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "data")
	s3.Put(t, "data", "other", []byte("mine"))
	const send = `
		ask() { curl -sSf -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' --aws-sigv4 aws:amz:us-east-1:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@"; }
		key=http://%s/data/out/deep/<<.Index>>
		old=$(%s); sleep 0.1
		ask -X PUT --data "$old index <<.Index>>." $key`
	for _, tt := range []struct {
		old  string // what the command puts before its own
		code int
		says string
	}{
		{":", 0, " bytes compared in s3://data/out/"},
		{"ask $key || :", 1, "deep/0: the undisturbed content is there "},
	} {
		j := newJob(t)
		report, log, code := j.chaos(7, []string{"--chaos-compare", s3.URL("data", "out/")}, fmt.Sprintf(send, s3.Address, tt.old))
		if code != tt.code || !strings.Contains(report, tt.says) {
			t.Errorf("exit %d: %s%s", code, report, log)
		}
		j.disturbed(report, 7)
		if found, err := filepath.Glob(s3.Dir + "/data/out/deep/*"); err != nil || len(found) > 0 {
			t.Errorf("%v are left behind (%v)", found, err)
		}
		program.CheckFile(t, filepath.Join(s3.Dir, "data/other"), "mine")
	}
}
