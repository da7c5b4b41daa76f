package hosts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/program"
)

// TestSnakemake is a rule whose script is nth, and whose output is its marker.
func TestSnakemake(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("Snakefile", strings.Replace(program.Recipe(t, "python", "Snakemake"), "wc -w", "echo <<.Index>> >>ran; wc -w", 1))
	h.shell("mkdir markers parts; for n in 0 1 3; do echo a word >file_$n.txt; done")
	h.expect(h.shell("snakemake --cores 2 --keep-going"), 1, "013") // file_2.txt isn't there
	h.expect(h.shell("nth status --markers file://$PWD/markers --completions 4 | grep 'exit code'"), 0, "013")
	h.write("file_2.txt", "two words\n")
	h.expect(h.shell("snakemake --cores 2 all grouped && sort -n items | uniq | wc -l >count"), 0, "0123")
	if diff := cmp.Diff([]string{"0", "1", "2", "2", "3"}, h.lines("ran")); diff != "" {
		t.Error(diff)
	}
	h.expect(h.shell("snakemake --cores 2 --forcerun item"), 0, "0123")
	if diff := cmp.Diff([]string{"100"}, h.lines("count")); diff != "" {
		t.Error(diff)
	}
	if ran := h.lines("ran"); len(ran) != 9 {
		t.Errorf("--forcerun isn't a reset: %q", ran)
	}
}
