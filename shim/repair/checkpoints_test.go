package repair_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/repair"
)

// noted writes the note of a run that has staged nothing yet, and names checkpoints.
func noted(t *testing.T, dir, item string, old bool, checkpoints ...string) {
	t.Helper()
	places := `["file://` + dir + `/out-` + item + `/.nth/r/"]`
	if item == "2" { // of runs that have no outputs, or were killed before they staged them
		places = "[]"
	}
	body := fmt.Sprintf(`{"version":1,"run_id":"r","places":%s,"checkpoints":["%s"]}`, places, strings.Join(checkpoints, `","`))
	write(t, dir, "m/staging/"+item+"/r.json", body, old)
}

// TestCheckpoints: of the checkpoints that notes name those go which lie where the command
// line says that checkpoints are, and which nobody goes on from; whatever a note says,
// nothing else does.
func TestCheckpoints(t *testing.T) {
	for name, tt := range map[string]struct {
		allow  []string // below the directory
		config repair.ResetConfig
		gone   []string
		code   int
		says   string // stdout and stderr
	}{
		"not allowed": {nil, repair.ResetConfig{}, []string{"m/staging/", "out-3/"}, 1, "a checkpoint of an item that is done, where it isn't deleted yet (delete it by hand): file://DIR/state/done\n"},
		"dry": { // links are found out when something is removed
			[]string{"/state"}, repair.ResetConfig{Config: repair.Config{DryRun: true}}, nil, 1, "would remove 4 checkpoints\n"},
		"dry, elsewhere": {[]string{"/s/"}, repair.ResetConfig{Config: repair.Config{DryRun: true}}, nil, 1, "(--checkpoints URL with the directory that it is in removes it): file://DIR/state/done\n"},
		"a directory":    {[]string{"/state/"}, repair.ResetConfig{}, []string{"m/staging/", "state/done", "state/old", "state/other"}, 1, "removed 3 checkpoints\n"},
		"two":            {[]string{"/s/", "/state"}, repair.ResetConfig{}, []string{"m/staging/", "state/done", "state/old", "state/other"}, 1, "removed 3 checkpoints\n"},
		"a template":     {[]string{"/state/o<<.Index>>"}, repair.ResetConfig{}, []string{"m/staging/", "state/old", "state/other"}, 1, "removed 2 checkpoints\n"},
		"forced":         {[]string{"/state"}, repair.ResetConfig{Config: repair.Config{Force: true}}, []string{"m/staging/", "state/done", "state/old", "state/other"}, 1, "removed 3 checkpoints\n"},
		"some":           {[]string{"/state"}, repair.ResetConfig{Config: repair.Config{Indexes: "1"}}, []string{"m/staging/1/r.json", "state/done"}, 0, "removed 1 checkpoint\n"},
		"all of it":      {[]string{"/"}, repair.ResetConfig{}, nil, 64, "the markers are there"},
		"the markers":    {[]string{"/m/"}, repair.ResetConfig{}, nil, 64, "the markers are there"},
		"nth's own":      {[]string{"/m/done/"}, repair.ResetConfig{}, nil, 64, "the markers are there"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			at := func(key string) string { return "file://" + dir + "/" + key }
			done := func(item string, old bool) { write(t, dir, "m/done/"+item+".json", `{"run_id":"x","digest":"d"}`, old) }
			write(t, dir, "state/done", "1", true)
			noted(t, dir, "1", true, at("state/done"))
			done("1", false)
			write(t, dir, "state/old", "2", true)
			write(t, dir, "state/other", "2", true)
			noted(t, dir, "2", true, at("state/old"), at("state/other"), at("state/none"))
			write(t, dir, "state/o-again", "3", false) // a later run has written it, or this one that works
			write(t, dir, "out-3/.nth/r/0/x", "staged", true)
			noted(t, dir, "3", true, at("state/o-again"))
			write(t, dir, "state/o-young", "4", true)
			noted(t, dir, "4", false, at("state/o-young"))
			write(t, dir, "state/o-rerun", "5", false) // written behind the marker
			noted(t, dir, "5", true, at("state/o-rerun"))
			done("5", true)
			write(t, dir, "state/o-claimed", "6", true)
			noted(t, dir, "6", true, at("state/o-claimed"))
			write(t, dir, "m/claim/6.json", `{"ttl":"1h"}`, false)
			// What a stranger has written: outside, by a link, nth's own, another store.
			write(t, dir, "outside/x", "7", true)
			if err := os.Symlink(dir+"/outside", dir+"/state/o-link"); err != nil {
				t.Fatal(err)
			}
			noted(t, dir, "7", true, at("outside/x"), at("state/../outside/x"), at("state/%2e%2e/outside/x"), at("m/done/1.json"), "s3://b/state/x", "http://h/x")
			noted(t, dir, "8", true, at("state/o-link/x"))
			before := files(t, dir)
			tt.config.Markers, tt.config.Stale, tt.config.Yes = "file://"+dir+"/m", true, true
			for _, below := range tt.allow {
				tt.config.Checkpoints = append(tt.config.Checkpoints, "file://"+dir+below)
			}
			o := run(t, tt.config)
			said := o.stdout + o.stderr
			if o.err != nil {
				said += o.err.Error()
			}
			if o.code != tt.code || !strings.Contains(said, strings.ReplaceAll(tt.says, "DIR", dir)) {
				t.Errorf("exit code %d, want %d and %q: %s", o.code, tt.code, tt.says, said)
			}
			// What is left for another time, or was refused, keeps its note.
			kept := []string{"m/staging/4/r.json"}
			if len(tt.allow) > 0 {
				kept = append(kept, "m/staging/3/r.json", "m/staging/5/r.json", "m/staging/6/r.json", "m/staging/8/r.json")
			} else if !tt.config.Force {
				kept = append(kept, "m/staging/6/r.json")
			}
			want := slices.DeleteFunc(before, func(key string) bool {
				return !slices.Contains(kept, key) && slices.ContainsFunc(tt.gone, func(gone string) bool { return strings.HasPrefix(key, gone) })
			})
			if diff := cmp.Diff(want, files(t, dir)); diff != "" {
				t.Errorf("%s\n%s", diff, said)
			}
		})
	}
}

// TestCheckpointsElsewhere: on S3 too, with the parameters that the command line has.
func TestCheckpointsElsewhere(t *testing.T) {
	server := s3Server(t)
	url := server.URL("data", "p")
	_, query, _ := strings.Cut(url, "?")
	for _, key := range []string{"state/1", "state/2", "other/3"} {
		server.Put(t, "data", key, []byte("x"))
	}
	server.Put(t, "data", "p/staging/1/r.json", []byte(fmt.Sprintf(
		`{"version":1,"run_id":"r","places":["s3://data/out/.nth/r/?%s"],"checkpoints":["s3://data/state/1?%s","s3://data/state/2?endpoint=http://127.0.0.1:1","s3://data/other/3?%s"]}`, query, query, query)))
	server.Put(t, "data", "p/done/1.json", []byte(`{"run_id":"x"}`))
	c := repair.ResetConfig{Config: repair.Config{Store: config.Store{Markers: url}, Yes: true}, Stale: true, OlderThan: time.Millisecond,
		Checkpoints: []string{"s3://data/state/<<.Index>>?" + query}}
	for range 50 { // S3 tells whole seconds
		if o := run(t, c); o.code != 0 {
			t.Fatalf("%+v", o)
		} else if strings.Contains(o.stdout, "removed 1 checkpoint\n") {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if diff := cmp.Diff([]string{"2"}, keys(t, server.URL("data", "state"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"3"}, keys(t, server.URL("data", "other"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"done/1.json"}, keys(t, url)); diff != "" {
		t.Error(diff)
	}
}
