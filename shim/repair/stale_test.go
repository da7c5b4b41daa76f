package repair_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/repair"
)

// staged writes what a run has staged of an item, and its note, an hour and a day ago.
func staged(t *testing.T, dir, item, run string, old bool) {
	t.Helper()
	note := fmt.Sprintf(`{"version":1,"run_id":%q,"places":["file://%s/out/.nth/%s/"],"checkpoints":["file://%s/state/%s"]}`, run, dir, run, dir, item)
	write(t, dir, "m/staging/"+item+"/"+run+".json", note, old)
	write(t, dir, "out/.nth/"+run+"/0/a", "half", old)
	write(t, dir, "out/.nth/"+run+"/0/.nth-tmp-1", "half", old)
}

func write(t *testing.T, dir, key, body string, old bool) {
	t.Helper()
	path := filepath.Join(dir, key)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o666); err != nil {
		t.Fatal(err)
	}
	if at := time.Now().Add(-25 * time.Hour); old {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStale: what runs that are over have staged goes, with what was written half; what may
// still be needed stays, and so does all that a note has no right to name.
func TestStale(t *testing.T) {
	task := "tasks/ab/" + strings.Repeat("ab", 32)
	for name, tt := range map[string]struct {
		config repair.ResetConfig
		gone   []string // runs
		code   int
		stdout string
	}{
		"all": {repair.ResetConfig{Config: repair.Config{Yes: true}}, []string{"killed", "beaten", "won", "delivered"}, 1,
			"removed 8 objects that 4 runs had staged, of 1,4,5 and 1 task\nkept what 1 run had committed, for the next start to publish it: 3\n" +
				"kept what 1 run may still be at work at: 2\n"},
		"some": {repair.ResetConfig{Config: repair.Config{Indexes: "0-2"}}, []string{"killed"}, 0,
			"removed 2 objects that 1 run had staged, of 1\nkept what 1 run may still be at work at: 2\n"},
		"older":  {repair.ResetConfig{Config: repair.Config{Indexes: "1-3"}, OlderThan: 26 * time.Hour}, nil, 0, "kept what 1 run had committed, for the next start to publish it: 3\nkept what 2 runs may still be at work at: 1,2\n"},
		"dry":    {repair.ResetConfig{Config: repair.Config{DryRun: true, Indexes: "1"}}, nil, 0, "would remove 2 objects that 1 run had staged, of 1\n"},
		"none":   {repair.ResetConfig{Config: repair.Config{Indexes: "9"}}, nil, 0, "nothing is staged\n"},
		"nobody": {repair.ResetConfig{}, nil, 64, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			staged(t, dir, "1", "killed", true)
			staged(t, dir, "2", "working", false)
			staged(t, dir, "3", "committed", true)
			write(t, dir, "m/commit/3.json", `{"marker":{"run_id":"committed","digest":"d"}}`, true)
			staged(t, dir, "4", "beaten", false)
			for key, body := range map[string]string{"commit": `{"marker":{"run_id":"first","digest":"d"}}`, "done": `{"run_id":"first","digest":"d"}`} {
				write(t, dir, "m/"+key+"/4.json", body, false)
				write(t, dir, "m/"+key+"/5.json", strings.ReplaceAll(body, "first", "won"), false)
			}
			staged(t, dir, "5", "won", false)
			staged(t, dir, task, "delivered", true)
			staged(t, dir, "6", "hostile", true)
			write(t, dir, "m/staging/6/hostile.json", fmt.Sprintf(`{"version":1,"run_id":"hostile","places":["file://%s/m/"]}`, dir), true)
			staged(t, dir, "7", "linked", true)
			if os.RemoveAll(dir+"/out/.nth/linked") != nil || os.Symlink(dir+"/m/done", dir+"/out/.nth/linked") != nil {
				t.Fatal("no link is made")
			}
			before := files(t, dir)
			tt.config.Markers, tt.config.Stale = "file://"+dir+"/m", true
			o := run(t, tt.config)
			stdout := o.stdout
			if name == "all" {
				if !strings.Contains(o.stderr, "staging/6/hostile.json: the place") || !strings.Contains(o.stderr, "beyond a link") {
					t.Error(o.stderr)
				}
				var told string
				stdout, told, _ = strings.Cut(stdout, "a checkpoint")
				if strings.Count("a checkpoint"+told, "a checkpoint of an item that is done") != 2 {
					t.Error(told)
				}
			}
			if o.code != tt.code || stdout != tt.stdout {
				t.Errorf("%+v", o)
			}
			want := slices.DeleteFunc(before, func(key string) bool {
				return slices.ContainsFunc(tt.gone, func(run string) bool { return strings.Contains(key, "/"+run) })
			})
			if diff := cmp.Diff(want, files(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStaleElsewhere: on S3 too; a claim that lives keeps its runs'.
func TestStaleElsewhere(t *testing.T) {
	server := s3Server(t)
	url := server.URL("data", "p")
	for item, place := range map[string]string{"1": "out/.nth/r-1/", "2": "out/.nth/r-2/"} {
		_, query, _ := strings.Cut(url, "?")
		server.Put(t, "data", "p/staging/"+item+"/r-"+item+".json", []byte(fmt.Sprintf(`{"version":1,"run_id":"r-%s","places":["s3://data/%s?%s"]}`, item, place, query)))
		server.Put(t, "data", place+"0/a", []byte("half"))
	}
	server.Put(t, "data", "p/claim/2.json", []byte(`{"ttl":"1h"}`))
	c := repair.ResetConfig{Config: repair.Config{Store: config.Store{Markers: url}, Yes: true}, Stale: true, OlderThan: time.Millisecond}
	for range 50 { // S3 tells whole seconds
		if o := run(t, c); o.code != 1 || !strings.Contains(o.stderr, "a living run claims it: 2") {
			t.Fatalf("%+v", o)
		} else if strings.HasPrefix(o.stdout, "removed 1 object that 1 run had staged, of 1") {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if diff := cmp.Diff([]string{"claim/2.json", "staging/2/r-2.json"}, keys(t, url)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{".nth/r-2/0/a"}, keys(t, server.URL("data", "out"))); diff != "" {
		t.Error(diff)
	}
}
