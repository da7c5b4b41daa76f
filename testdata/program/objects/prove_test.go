//go:build linux

package objects

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store"
	"nth/testdata/harness"
	"nth/testdata/matrix"
)

// TestProve: of a thousand inputs three are missing, and two objects are beyond the last
// index: on every store these five are named, before anything runs.
func TestProve(t *testing.T) {
	const files = 1000
	gone := map[int]bool{7: true, 420: true, 999: true}
	golden, err := os.ReadFile(filepath.Join(harness.Root(), "testdata", "program", "objects", "prove.json"))
	if err != nil {
		t.Fatal(err)
	}
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			place := matrix.Start(t, row)
			tr := &tree{t, place, place.Open(t, "in")}
			err := store.Each(t.Context(), files+2, func(ctx context.Context, k int) error {
				if gone[k] {
					return nil
				}
				return tr.s.Put(ctx, fmt.Sprintf("file_%d.txt", k), []byte("x"))
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"file_1.txt.md5", "file_2000.txt.part", ".file_2001.txt", "_SUCCESS", "README.txt", "old/file_2002.txt", ".nth/run/file_2003.txt"} {
				tr.put(key, "x")
			}
			url, query, _ := strings.Cut(tr.url(""), "?")
			if query != "" {
				query = "?" + query
			}
			stdin := "--stdin=" + url + "file_<<.Index>>.txt" + query
			missing := "the inputs of indexes 7,420,999 aren't there: " + url + "file_7.txt, " + url + "file_420.txt, " + url + "file_999.txt"
			beyond := "2 objects that could be an input are no index's: " + url + "file_1000.txt, " + url + "file_1001.txt"

			_, stderr, code := tr.nth("plan", fmt.Sprint("--completions=", files), stdin, "--", "wc")
			if want := "nth: plan: " + missing + "\nnth: plan: " + beyond + "\nnth: plan: 997 of 1000 inputs are there\n"; code != 1 || stderr != want {
				t.Errorf("plan: %d: %s", code, cmp.Diff(want, stderr))
			}
			stdout, _, code := tr.nth("plan", "--format=json", fmt.Sprint("--completions=", files), stdin, "--", "wc")
			var doc map[string]json.RawMessage
			if err := json.Unmarshal([]byte(stdout), &doc); err != nil || code != 1 {
				t.Fatal(err, code)
			}
			delete(doc, "items")
			if diff := cmp.Diff(string(golden), strings.ReplaceAll(indented(t, doc), url, "PLACE/")); diff != "" {
				t.Errorf("plan as JSON: %s", diff)
			}
			if _, stderr, code := tr.nth("plan", "--no-look", fmt.Sprint("--completions=", files), stdin, "--", "wc"); code != 0 || stderr != "" {
				t.Errorf("plan --no-look: %d: %s", code, stderr)
			}

			ran := filepath.Join(t.TempDir(), "ran")
			stdout, stderr, code = tr.nth("local", fmt.Sprint("--completions=", files), stdin, "--", "touch", ran)
			if _, err := os.Stat(ran); code != 66 || err == nil || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, missing) {
				t.Errorf("local: %d, %v: %s%s", code, err, stdout, stderr)
			}
			if stdout, stderr, code := tr.nth("local", "--no-look", "--completions=1000", "--indexes=7,8", stdin, "--", "wc", "-c"); code != 1 || !strings.Contains(stdout, "1") || !strings.Contains(stderr, "does not exist") {
				t.Errorf("local --no-look: %d: %s%s", code, stdout, stderr)
			}
			if stdout, stderr, code := tr.nth("local", "--completions=7", stdin, "--", "true"); code != 0 || !strings.Contains(stderr, "nth local: all 7 inputs are there\n") || !strings.Contains(stderr, "nth local: 992 objects that could be an input are no index's: ") {
				t.Errorf("local of seven: %d: %s%s", code, stdout, stderr)
			}
			if place.Server == nil {
				return // a file is on the pods' volume
			}
			manifest := []string{"manifest", "--name=x", "--image=x", "--completions=1000", stdin}
			if stdout, stderr, code := tr.nth(append(manifest, "--", "wc")...); code != 66 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, missing) {
				t.Errorf("manifest: %d: %s%s", code, stdout, stderr)
			}
			if stdout, stderr, code := tr.nth(append(manifest, "--no-look", "--", "wc")...); code != 0 || !strings.Contains(stdout, "kind: Job") {
				t.Errorf("manifest --no-look: %d: %s%s", code, stdout, stderr)
			}
			if stdout, stderr, code := tr.nth(append(manifest, "--indexes=0-6,8", "--", "wc")...); code != 0 || !strings.Contains(stdout, "kind: Job") || !strings.Contains(stderr, "nth manifest: all 8 inputs are there\n") {
				t.Errorf("manifest of some: %d: %s%s", code, stdout, stderr)
			}
		})
	}
}

func indented(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
