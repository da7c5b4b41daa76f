//go:build linux

package objects

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/matrix"
)

// TestEachLooks: of a shard's objects each is looked at before its command, too: one that is
// gone has failed, and a changed one is told as it is.
func TestEachLooks(t *testing.T) {
	for row := range matrix.Stores {
		t.Run(matrix.Stores[row].Name, func(t *testing.T) {
			tr := plant(t, row)
			tr.run("m", "", 7, 0) // pins
			if err := tr.s.Delete(t.Context(), "a-b.txt"); err != nil {
				t.Fatal(err)
			}
			tr.put("b/c.txt", "larger than before")
			each := func(jobs string, flags ...string) (stdout, stderr string, code int) {
				args := append([]string{"run", "--index=0", "--completions=1", "--each", "--jobs=" + jobs, "--tasks=" + tr.url(""), "--markers=" + tr.markers("m")}, flags...)
				return tr.nth(append(args, "--", "echo", "<<.Task.key>>", "<<.Task.size>>")...)
			}
			stdout, stderr, code := each("3", "--keep-going")
			var got []string
			for line := range strings.Lines(stdout) {
				got = append(got, strings.TrimSpace(line[strings.Index(line, "in/")+3:]))
			}
			slices.Sort(got)
			want := []string{"%41.txt 0", "A.txt 1", "a b/1#?.txt 2", "a.tar.gz 4", "b/c.txt 18", "b/c/d.txt 5", "é&=+.txt 7"}
			if diff := cmp.Diff(want, got); diff != "" || code != 66 {
				t.Errorf("exit code %d: %s\n%s", code, diff, stderr)
			}
			if !strings.Contains(stderr, "1 of 8 failed: 3;") || !strings.Contains(stderr, "it does not exist any more") {
				t.Errorf("the item that is gone isn't named: %s", stderr)
			}
			if _, stderr, code := each("1", "--on-change=rerun"); code != 66 {
				t.Errorf("once more: %d: %s", code, stderr)
			}
			tr.put("a-b.txt", "back")
			if stdout, stderr, code := each("1"); code != 0 || !strings.HasSuffix(stdout, "in/a-b.txt 4\n") || strings.Count(stdout, "\n") != 1 {
				t.Errorf("put back: %d: %s%s", code, stdout, stderr)
			}
		})
	}
}
