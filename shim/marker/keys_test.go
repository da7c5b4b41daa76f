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
		if ok && dir != progressDir && item.Key(dir) != key {
			t.Errorf("%q is taken for %+v in %q", key, item, dir)
		}
	})
}
