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

// TestSnakemakeGroup: the jobs of a group are one job of a cluster's, here of bash, which has
// done its job when it is submitted. One that fails takes the outputs of the others with it,
// and not what nth has recorded of them. Without a cluster a group is nothing.
func TestSnakemakeGroup(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("Snakefile", strings.Replace(program.Recipe(t, "python", "Snakemake"), ">>smalls", ">>smalls; test ! -e bad-<<.Index>>", 1))
	run := func(flags string, code, groups int, outputs string) {
		t.Helper()
		if got := h.shell("snakemake together " + flags + " >log 2>&1; code=$?; (cd small; ls | grep '^[0-9]' | tr -d '\\n') >outputs; exit $code"); got != code {
			h.shell("cat log")
			t.Errorf("%s: %d, want %d: %s", flags, got, code, h.out.String())
		}
		program.CheckFile(t, h.dir+"/outputs", outputs)
		if got := h.shell("exit $(grep -c '^group job small (jobs in' log)"); got != groups {
			t.Errorf("%s: %d groups", flags, got)
		}
	}
	const cluster = "--jobs 2 --cluster bash --group-components small=6"
	h.write("bad-4", "")
	run(cluster+" --keep-going", 1, 1, "")
	run("--cores 2 --keep-going", 1, 0, "01235")
	h.shell("rm bad-4 small/1")
	run(cluster, 0, 1, "012345")
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4", "4", "4", "5"}, h.lines("smalls")); diff != "" {
		t.Error(diff)
	}
}
