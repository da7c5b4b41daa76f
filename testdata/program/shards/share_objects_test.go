//go:build linux

package shards

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"nth/shim/store"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// stores are those in which objects are shared, by the URL of a directory in them: MinIO
// decides who wins a race, versitygw only looks before it writes.
func stores(t *testing.T) map[string]func(dir string) string {
	dir := t.TempDir()
	all := map[string]func(string) string{"file": func(in string) string { return "file://" + dir + "/" + in }}
	for name, s3 := range map[string]*servers.S3{"s3": servers.StartS3(t), "minio": servers.StartMinIO(t)} {
		s3.Bucket(t, "objects")
		all[name] = func(in string) string { return s3.URL("objects", in) }
	}
	return all
}

// behind gives the URL of what stands behind a directory.
func behind(directory, more string) string {
	address, query, found := strings.Cut(directory, "?")
	if found {
		query = "?" + query
	}
	return address + "/" + more + query
}

// put writes objects below a directory.
func put(t *testing.T, directory string, keys ...string) {
	t.Helper()
	if strings.HasPrefix(directory, "file:") {
		directory += "?create_dir=true"
	}
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, key := range keys {
		if err := s.Put(t.Context(), key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestShareObjects: objects are shared as rows are, alone and in groups, with the markers in
// the midst of them. What comes after the list was made moves none, and joins no group.
func TestShareObjects(t *testing.T) {
	for name, at := range stores(t) {
		for kind, tt := range map[string]struct {
			ends, late []string // of what is named by its number; what comes later
			behind     string
			number     string
			flags      []string
		}{
			"prefix": {ends: []string{".txt"}, late: []string{"0.txt", "1025.a.txt", "2000.txt"}, number: "$((<<.Task.stem>> - 1000))"},
			"glob": {ends: []string{"/a.txt", "/b.csv"}, late: []string{"0/a.txt", "1025/aa.txt", "2000/a.txt"}, behind: "*/*.txt",
				number: `$(($(basename <<quote .Task.dir>>) - 1000))`, flags: []string{"--jobs=2"}},
			"groups": {ends: []string{"_R1.fq", "_R2.fq"}, late: []string{"0_R1.fq", "1000_R0.fq", "1025_R3.fq", "1079_R9.fq", "2000_R1.fq"}, flags: []string{"--jobs=2", "--group-by=<<index (split `_` .Task.name) 0>>"},
				number: `$(test "<<range .Task.files>> <<base .>><<end>>" = " <<.Task.group>>_R1.fq <<.Task.group>>_R2.fq" && echo $((<<.Task.group>> - 1000)))`},
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				in := at(kind)
				var keys []string
				for i := range 80 {
					for _, end := range tt.ends {
						keys = append(keys, fmt.Sprint(1000+i)+end)
					}
				}
				put(t, in, keys...)
				s := &sharing{t: t, dir: t.TempDir(), markers: at(kind + "/m"), items: 80, flags: append([]string{"--tasks=" + behind(in, tt.behind)}, tt.flags...),
					number: tt.number, slow: "if [ $JOB_COMPLETION_INDEX = 3 ]; then sleep 0.3; fi", killed: func() { put(t, in, tt.late...) }}
				s.fates()
				if n := program.Documents(t, s.markers, "manifest/"); n != 1 {
					t.Errorf("%d lists are pinned", n)
				}
				args := append([]string{"plan", "--completions=4", "--each", "--markers=" + s.markers}, s.flags...)
				_, stderr, code := program.Nth(t, servers.S3Env(), append(args, "--", "echo", "<<.Task>>")...)
				if want := fmt.Sprintf("%d came after the list was made, so that no index has them: ", len(tt.late)); code != 0 || !strings.Contains(stderr, want) {
					t.Errorf("plan: %d: it should say %q: %s", code, want, stderr)
				}
			})
		}
	}
}

// TestShareObjectsFailed: which object it was that failed is told by its name, by the log of
// its own worker and of who has helped, by the record and by nth status; and no secret with it.
func TestShareObjectsFailed(t *testing.T) {
	const canary = "token-canary" // TOKEN, a part of the URL
	for name, at := range stores(t) {
		for kind, tt := range map[string]struct{ flag, field, called, table string }{
			"object": {"--log-level=warn", ".Task.name", "9 (%s/***/a/9 x.txt)", "1  9 x.txt  exit code 3"},
			"group":  {"--group-by=g<<.Task.stem>>", ".Task.group", "9 (g9 x)", "1  g9 x  exit code 3"},
		} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				in, markers, dir := at(kind), at(kind+"-m"), t.TempDir()
				for i := range 10 {
					put(t, in, fmt.Sprintf(canary+"/a/%d x.txt", i))
				}
				flags := []string{"--completions=2", "--each", "--share", "--log-level=warn", "--tasks=" + behind(in, `<<secret "TOKEN">>/`), "--markers=" + markers, tt.flag,
					"--", "sh", "-c", "case $2 in *9*) echo broken >&2; : >$1/failed-$JOB_COMPLETION_INDEX; exit 3; esac; until test -e $1/failed-0 || test $JOB_COMPLETION_INDEX = 0; do sleep 0.05; done", "sh", dir, "<<" + tt.field + ">>"}
				var all sync.WaitGroup
				var logs [2]string
				for index := range 2 {
					all.Go(func() {
						cmd, log := program.Worker(t, index, flags...)
						_ = cmd.Wait()
						logs[index] = log.String()
						if code := cmd.ProcessState.ExitCode(); code != 3*index {
							t.Errorf("worker %d: %d: %s", index, code, log)
						}
					})
				}
				all.Wait()
				status, stderr, _ := program.Nth(t, servers.S3Env(), "status", "--completions=2", "--markers="+markers)
				one, _, _ := program.Nth(t, servers.S3Env(), "status", "--index=1", "--format=json", "--markers="+markers)
				called := tt.called
				if strings.Contains(called, "%s") {
					directory, _, _ := strings.Cut(in, "?")
					called = fmt.Sprintf(called, strings.NewReplacer("file://", "", "s3://objects/", "").Replace(directory))
				}
				for _, has := range []struct{ what, text, says string }{
					{"the helper's log", logs[0], "item " + called + " of index 1 has failed here, and is given back to it: "},
					{"the log", logs[1], "item " + called + ": run sh: exit code 3: broken"},
					{"the record", one, "1 of 5 failed: 9; the first was " + called + ": run sh"},
					{"status", status, tt.table},
				} {
					if !strings.Contains(has.text, has.says) || strings.Contains(has.text, canary) {
						t.Errorf("%s should say %q, and no secret: %s%s", has.what, has.says, has.text, stderr)
					}
				}
			})
		}
	}
}
