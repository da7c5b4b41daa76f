//go:build linux

package shards

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

// TestEachManifest: the rows of a manifest are shared out, on files and on a real S3
// server, and one that is replaced is other work.
func TestEachManifest(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "each")
	for name, place := range map[string]string{"file": "file://" + t.TempDir() + "/x?create_dir=true", "s3": s3.URL("each", "x")} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := store.Open(t.Context(), place)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			// Of more than 64 KiB, so that an index of it is kept.
			var text strings.Builder
			text.WriteString("id,name,fill\n")
			const rows = 2503
			for i := range rows {
				fmt.Fprintf(&text, "%d,\"n, %d\",%s\n", i, i, strings.Repeat("x", 30))
			}
			if err := s.Put(t.Context(), "items.csv", []byte(text.String())); err != nil {
				t.Fatal(err)
			}
			run := func(index, completions, code int, says string, flags ...string) {
				t.Helper()
				manifest := strings.Replace(place, "/x?", "/x/items.csv?", 1)
				args := append([]string{"--index=" + strconv.Itoa(index), "--completions=" + strconv.Itoa(completions), "--jobs=2", "--markers=" + place, "--tasks=" + manifest}, flags...)
				cmd, log := eachProcess(t, append(args, "--", "sh", "-c", `test "<<.Task.name>>" = "n, <<.Item>>" && echo <<.Task.id>> >>`+dir+"/out")...)
				if err := cmd.Run(); cmd.ProcessState.ExitCode() != code || !strings.Contains(log.String(), says) {
					t.Fatalf("%v, want code %d; it should say %q: %s", err, code, says, log)
				}
			}
			for index := range 3 {
				run(index, 3, 0, "")
			}
			run(0, 3, 0, "") // is done already
			runs := ran(t, dir+"/out")
			for i := range int64(rows) {
				if runs[i] != 1 {
					t.Errorf("row %d has run %d times", i, runs[i])
				}
			}
			if len(runs) != rows {
				t.Errorf("%d rows have run", len(runs))
			}
			if err := s.Put(t.Context(), "items.csv", []byte(text.String()+"9999,x,y\n")); err != nil {
				t.Fatal(err)
			}
			run(0, 3, 65, "of another command")
		})
	}
}

// TestEachOutage: a store that goes away while items run holds none of them, and what they
// did is recorded when it is back.
func TestEachOutage(t *testing.T) {
	s3 := servers.StartS3(t)
	s3.Bucket(t, "each")
	dir := t.TempDir()
	cmd, _ := eachProcess(t, "--items=3", "--markers="+s3.URL("each", "x"), "--", "sh", "-c",
		"echo <<.Item>> >>"+dir+"/out; until test -e "+dir+"/go-<<.Item>>; do sleep 0.02; done")
	log, err := os.Create(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	wait := func(what string, ok func() bool) {
		t.Helper()
		harness.Await(t, ok, func() string { return fmt.Sprintf("never: %s: %s", what, read(t, dir+"/log")) })
	}
	free := func(item int) {
		t.Helper()
		if err := os.WriteFile(fmt.Sprintf("%s/go-%d", dir, item), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	free(0)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	wait("item 0 is recorded", func() bool { return recorded(t, s3.URL("each", "x")).String() == "0" })
	s3.Stop()
	free(1)
	wait("item 2 runs", func() bool { return ran(t, dir+"/out")[2] == 1 })
	wait("a warning", func() bool { return strings.Contains(read(t, dir+"/log"), "record the progress: ") })
	if err := s3.Start(); err != nil {
		t.Fatal(err)
	}
	free(2)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, read(t, dir+"/log"))
	}
	if got := recorded(t, s3.URL("each", "x")).String(); got != "0-2" || program.Documents(t, s3.URL("each", "x"), "done/") != 1 {
		t.Errorf("recorded are %s: %s", got, read(t, dir+"/log"))
	}
}
