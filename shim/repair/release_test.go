package repair_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/claim"
	"nth/shim/config"
	"nth/shim/repair"
)

// TestRelease: a dead holder's claim is released, in a term of its own; a living one's only by
// force, and one that is released already stays as it is. No claim is ever deleted.
func TestRelease(t *testing.T) {
	for name, tt := range map[string]struct {
		config   repair.Config
		code     int
		said     string
		released []int64
	}{
		"named":   {repair.Config{Indexes: "0-9"}, 1, "released 2 claims: 1,3\n", []int64{1, 3}},
		"one":     {repair.Config{Indexes: "1"}, 0, "released 1 claim: 1\n", []int64{1}},
		"forced":  {repair.Config{Indexes: "0-9", Force: true}, 0, "released 3 claims: 0,1,3\n", []int64{0, 1, 3}},
		"all":     {repair.Config{All: true, Yes: true}, 1, "released 2 claims: 1,3\n", []int64{1, 3}},
		"missing": {repair.Config{Missing: true}, 1, "released 1 claim: 1\n", []int64{1}},
		"failed":  {repair.Config{Failed: true}, 0, "no claim to release\n", nil},
		"dry":     {repair.Config{Indexes: "0-9", DryRun: true}, 1, "would release 2 claims: 1,3\n", nil},
		"none":    {repair.Config{Indexes: "7"}, 0, "no claim to release\n", nil},
		"nobody":  {repair.Config{All: true}, 64, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			before := map[int64]claim.Document{}
			for index, d := range map[int64]claim.Document{
				0: {TTL: 3600}, 1: {TTL: 10}, 2: {TTL: 3600, Released: true}, 3: {TTL: 10},
			} {
				d.Version, d.Index, d.Term, d.Beat, d.RunID, d.Job = claim.Version, index, 4, 7, "run", "job"
				before[index] = d
				body, err := json.Marshal(d)
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, fmt.Sprintf("claim/%d.json", index))
				fill(t, dir, fmt.Sprintf("claim/%d.json", index))
				if err := os.WriteFile(path, body, 0o666); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Minute)); err != nil {
					t.Fatal(err)
				}
			}
			fill(t, dir, "done/3.json", "failed/3.json")
			tt.config.Store = config.Store{Markers: "file://" + dir}
			o := run(t, repair.ResetConfig{Config: tt.config, Claims: true})
			if o.code != tt.code || o.stdout != tt.said || (tt.code == 1) != strings.Contains(o.stderr, "1 index is refused, for a living run claims it: 0") {
				t.Errorf("%+v", o)
			}
			want := []string{"claim/0.json", "claim/1.json", "claim/2.json", "claim/3.json", "done/3.json", "failed/3.json"}
			if diff := cmp.Diff(want, files(t, dir)); diff != "" {
				t.Error(diff)
			}
			for _, index := range tt.released {
				d := before[index]
				d.Term, d.Beat, d.Released = 5, 1, true
				before[index] = d
			}
			for index, want := range before {
				body, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("claim/%d.json", index)))
				if err != nil {
					t.Fatal(err)
				}
				got, err := claim.Decode(body, index)
				if err != nil {
					t.Fatal(err)
				}
				if taken := got.Term != 4; taken != (got.RunID != "run") || taken != !got.Written.IsZero() {
					t.Errorf("%d is of %+v", index, got)
				}
				got.RunID, got.Hostname, got.Written = want.RunID, want.Hostname, want.Written
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%d: %s", index, diff)
				}
			}
		})
	}
}
