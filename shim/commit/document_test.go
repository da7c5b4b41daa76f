package commit

import (
	"encoding/json"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/shim/store"
	"nth/shim/store/contract"
)

func doc(marker, outputs string) string {
	return `{"version": 1, "marker": {"version": 1, "index": 5, ` + marker + `}, "outputs": [` + outputs + `], "later": {}}`
}

const (
	won = `"run_id": "20260101t000000z-1", "digest": "v1:sha256:0", "outcome": "done", "source": "run"`
	one = `{"output": 0, "url": "s3://b/out/5.txt", "key": "", "size": 12, "checksum": "crc32c:1a2b3c4d", "mode": 493}`
)

func keyed(key string) string {
	quoted, _ := json.Marshal(key)
	return `{"output": 1, "url": "s3://b/out/x", "key": ` + string(quoted) + `, "size": 1}`
}

func TestDecode(t *testing.T) {
	for name, c := range map[string]struct {
		body, why string // "": it is a commit
	}{
		"an object":                   {doc(won, one), ""},
		"objects of a directory":      {doc(won, one+","+keyed("a/b")+","+keyed("a/.nth")+","+keyed("...")), ""},
		"nothing":                     {doc(won, ""), ""},
		"cut short":                   {doc(won, one)[:40], "unexpected EOF"},
		"more behind it":              {doc(won, one) + "{}", "more behind"},
		"no marker":                   {`{"version": 1}`, "lacks"},
		"of a later nth":              {strings.Replace(doc(won, one), `"version": 1`, `"version": 2`, 1), "a later one wrote it"},
		"another index":               {strings.Replace(doc(won, one), `"index": 5`, `"index": 6`, 1), "speaks of index 6"},
		"a run that goes up":          {doc(strings.Replace(won, "20260101t000000z-1", "..", 1), one), "no run's name"},
		"a run with a slash":          {doc(strings.Replace(won, "20260101t000000z-1", "a/b", 1), one), "no run's name"},
		"a run that is too long":      {doc(strings.Replace(won, "20260101t000000z-1", strings.Repeat("a", 101), 1), one), "no run's name"},
		"a run's name with a line":    {doc(strings.Replace(won, "20260101t000000z-1", `a\n`, 1), one), "no run's name"},
		"no digest":                   {doc(strings.Replace(won, "v1:sha256:0", "", 1), one), "no command"},
		"by hand":                     {doc(strings.Replace(won, `"run"`, `"mark"`, 1), one), "no command"},
		"a skipped item":              {doc(strings.Replace(won, `"done"`, `"skipped"`, 1), one), "no command"},
		"a key that goes up":          {doc(won, keyed("a/../../b")), "no key below"},
		"a key from the root":         {doc(won, keyed("/a")), "no key below"},
		"a key that is a directory":   {doc(won, keyed("a/")), "no key below"},
		"a key that is where it is":   {doc(won, keyed("./a")), "no key below"},
		"a key where runs stage":      {doc(won, keyed(".nth/x/0/a")), "no key below"},
		"a key with NUL":              {doc(won, keyed("a\x00b")), "can't be"},
		"a key that is too long":      {doc(won, keyed(strings.Repeat("a", 1025))), "can't be"},
		"one object twice":            {doc(won, one+","+one), "twice"},
		"an object and a directory":   {doc(won, keyed("")+","+keyed("a")), "both"},
		"a directory, and an object":  {doc(won, keyed("a")+","+keyed("")), "both"},
		"a negative output":           {doc(won, strings.Replace(one, `"output": 0`, `"output": -1`, 1)), "no sense"},
		"an output far beyond":        {doc(won, strings.Replace(one, `"output": 0`, `"output": 10000`, 1)), "no sense"},
		"a negative size":             {doc(won, strings.Replace(one, "12", "-12", 1)), "no sense"},
		"an object that names no URL": {doc(won, strings.Replace(one, "s3://b/out/5.txt", "", 1)), "no sense"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode([]byte(c.body), marker.Header{Index: 5})
			switch {
			case c.why == "" && err != nil:
				t.Error(err)
			case c.why != "" && (err == nil || store.Classify(err) != contract.Malformed || !strings.Contains(err.Error(), c.why)):
				t.Errorf("%v, want %q", err, c.why)
			}
		})
	}
}

// TestDecodeTask: a task's commit can't choose the place of the marker that comes of it.
func TestDecodeTask(t *testing.T) {
	key := strings.Repeat("0", 64)
	of := marker.Header{Task: &marker.Task{ID: "x", Key: key}}
	for name, c := range map[string]struct {
		task string
		ok   bool
	}{
		"its own":      {`{"id": "x", "key": "` + key + `"}`, true},
		"another's":    {`{"id": "x", "key": "` + strings.Repeat("1", 64) + `"}`, false},
		"a path":       {`{"id": "x", "key": "../../done/7"}`, false},
		"none":         {`{"id": "x"}`, false},
		"another's ID": {`{"id": "y", "key": "` + key + `"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode([]byte(doc(won+`, "task": `+c.task, one)), of); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

// FuzzDecode: whatever a document says, what is computed from it is staged below a run's
// own directory, and published below the output.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(doc(won, one)))
	f.Add([]byte(doc(won, keyed("a/b")+","+keyed("../c"))))
	f.Add([]byte(doc(strings.Replace(won, "20260101t000000z-1", "../x", 1), keyed(".nth/a"))))
	f.Add([]byte(`{}{}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		of := marker.Header{Index: 5}
		d, err := Decode(body, of)
		if err != nil {
			return
		}
		for _, o := range d.Objects {
			for _, to := range []Output{{Dir: "out/", Name: "5.txt"}, {Dir: "out/"}} {
				staged := to.staged(d.Marker.RunID, o.Output, o.Key)
				if path.Clean(staged) != staged && to.Name+o.Key != "" || !strings.HasPrefix(staged, "out/.nth/"+d.Marker.RunID+"/") {
					t.Errorf("%q is staged at %q", body, staged)
				}
				target := to.target(o.Key)
				if path.Clean(target) != target && to.Name+o.Key != "" || !strings.HasPrefix(target, "out/") || strings.HasPrefix(target, "out/.nth/") {
					t.Errorf("%q is published at %q", body, target)
				}
			}
		}
		again, back, err := d.encode(of)
		if err != nil {
			if len(body) < maxBody/8 {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		if diff := cmp.Diff(d.Objects, back.Objects); diff != "" || back.Marker.RunID != d.Marker.RunID {
			t.Errorf("%s: %s", again, diff)
		}
	})
}
