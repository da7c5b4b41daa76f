package marker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseKey(t *testing.T) {
	digits := strings.Repeat("0af9", 16)
	for key, want := range map[string]Item{
		"done/0.json":                             {Index: 0},
		"failed/9223372036854775807.json":         {Index: 1<<63 - 1},
		"progress/7/20260101t000000z-1.json":      {Index: 7},
		"done/tasks/" + digits + ".json":          {Task: "tasks/" + digits},
		"skipped/tasks/0a/" + digits + ".json":    {Task: "tasks/0a/" + digits},
		"commit/7.json":                           {Index: 7},
		"staging/7/20260101t000000z-1.json":       {Index: 7},
		"staging/tasks/" + digits + "/r.json":     {Task: "tasks/" + digits},
		"staging/tasks/0a/" + digits + "/r.json":  {Task: "tasks/0a/" + digits},
		"commit/tasks/0a/" + digits + ".json":     {Task: "tasks/0a/" + digits},
		"staging/7.json":                          {Index: -1},
		"staging/7/.json":                         {Index: -1},
		"staging/7/a/b.json":                      {Index: -1},
		"staging/tasks/" + digits + ".json":       {Index: -1},
		"staging/tasks/0b/" + digits + "/r.json":  {Index: -1},
		"progress/tasks/" + digits + "/r.json":    {Index: -1},
		"commit/7/r.json":                         {Index: -1},
		"done/7":                                  {Index: -1},
		"done/07.json":                            {Index: -1},
		"done/+7.json":                            {Index: -1},
		"done/-7.json":                            {Index: -1},
		"done/7.json.bak":                         {Index: -1},
		"done/9223372036854775808.json":           {Index: -1},
		"done/.json":                              {Index: -1},
		"done/sub/7.json":                         {Index: -1},
		"7.json":                                  {Index: -1},
		"progress/7.json":                         {Index: -1},
		"progress/7/.json":                        {Index: -1},
		"progress/7/a/b.json":                     {Index: -1},
		"progress/x/r.json":                       {Index: -1},
		"done/tasks/" + digits[1:] + ".json":      {Index: -1},
		"done/tasks/0b/" + digits + ".json":       {Index: -1},
		"done/tasks/0a/0a/" + digits + ".json":    {Index: -1},
		"done/tasks/" + digits[1:] + "A.json":     {Index: -1},
		"check-20260101t000000z-1-first.json":     {Index: -1},
		"manifest/etag.idx":                       {Index: -1},
		"":                                        {Index: -1},
		"done/tasks/" + digits + "/x/" + ".json":  {Index: -1},
		"done/tasks.json":                         {Index: -1},
		"done/tasks/.json":                        {Index: -1},
		"done/tasks/0a/" + digits[2:] + "zz.json": {Index: -1},
	} {
		dir, got, ok := ParseKey(key)
		if ok != (want.Index >= 0) {
			t.Errorf("%s: %v", key, ok)
			continue
		}
		if !ok {
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" || !strings.HasPrefix(key, dir+"/") {
			t.Errorf("%s in %s: %s", key, dir, diff)
		}
	}
}

// FuzzParseKey: what is taken for a key is the key of what it is taken for.
func FuzzParseKey(f *testing.F) {
	for _, seed := range []string{"done/3.json", "progress/3/r.json", "done/tasks/" + strings.Repeat("0", 64) + ".json", "a/b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		dir, item, ok := ParseKey(key)
		if ok && dir != progressDir && dir != stagingDir && item.Key(dir) != key {
			t.Errorf("%q is taken for %+v in %q", key, item, dir)
		}
	})
}

// TestOutputKeys: what is written of outputs is known again as the item's.
func TestOutputKeys(t *testing.T) {
	key := strings.Repeat("0af9", 16)
	for name, c := range map[string]struct {
		book   Book
		of     Header
		commit string
		stage  string
	}{
		"an index":            {Book{}, Header{Index: 7, RunID: "r"}, "commit/7.json", "staging/7/r.json"},
		"a task":              {Book{}, Header{RunID: "r", Task: &Task{Key: key}}, "commit/tasks/" + key + ".json", "staging/tasks/" + key + "/r.json"},
		"a task in a fan-out": {Book{FanOut: true}, Header{RunID: "r", Task: &Task{Key: key}}, "commit/tasks/0a/" + key + ".json", "staging/tasks/0a/" + key + "/r.json"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]string{c.commit, c.stage}, []string{c.book.CommitKey(c.of), c.book.StagingKey(c.of)}); diff != "" {
				t.Fatal(diff)
			}
			_, a, ok := ParseKey(c.commit)
			_, b, also := ParseKey(c.stage)
			if !ok || !also || a != b {
				t.Errorf("%+v %v, %+v %v", a, ok, b, also)
			}
		})
	}
}
