package hosts

import (
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/program"
)

// item is what every index of these tests runs: it fails where there is a file of its word.
const item = `exec nth run $FLAGS -- sh -c 'echo "<<.Index>> $1" >>ran; test ! -e "bad-$1" || exit $(cat "bad-$1")' sh "$1"`

// TestParallel is nth under GNU parallel, which numbers its jobs from 1.
func TestParallel(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("item", item)
	h.write("bad-c", "3")
	const line = "parallel -j2 --joblog log sh item ::: a b c d"
	h.expect(h.shell(line), 1, "013") // how many have failed
	h.expect(h.shell("cut -f 1,7,8 log | sort >codes"), 0, "013")
	if diff := cmp.Diff([]string{"1\t0\t0", "2\t0\t0", "3\t3\t0", "4\t0\t0", "Seq\tExitval\tSignal"}, h.lines("codes")); diff != "" {
		t.Error(diff)
	}
	h.shell("rm bad-c")
	h.expect(h.shell("parallel -j2 sh item ::: a b c d"), 0, "0123")
	h.expect(h.shell("parallel -j2 sh item ::: d c b a"), 4, "0123") // other arguments have come to the numbers
	if diff := cmp.Diff([]string{"0 a", "1 b", "2 c", "2 c", "3 d"}, h.lines("ran")); diff != "" {
		t.Error(diff)
	}
}

// TestParallelEnds: whatever ends parallel's jobs ends what they have started, though it leaves
// them a third of a second.
func TestParallelEnds(t *testing.T) {
	const run = `parallel -j2 --linebuffer %s nth run -- sh {} ::: lives other`
	for _, tt := range []struct {
		name, flags, other string
		signal             syscall.Signal
	}{
		{"one has failed", "--halt now,fail=1", "until test -e lock; do sleep 0.1; done; sleep 0.5; exit 1", 0},
		{"a timeout", "--timeout 10", "exit 0", 0},
		{"parallel is stopped", "", "exit 0", syscall.SIGTERM},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.write("other", tt.other)
			cmd := h.command("bash", "-c", "exec "+strings.ReplaceAll(run, "%s", tt.flags))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if tt.signal != 0 {
				h.out.Await(t, "ready")
				if err := cmd.Process.Signal(tt.signal); err != nil {
					t.Fatal(err)
				}
			}
			_ = cmd.Wait()
			h.free()
			if strings.Contains(h.done(), "0") || cmd.ProcessState.Success() {
				t.Errorf("done: %q, exit code %d: %s", h.done(), cmd.ProcessState.ExitCode(), h.out.String())
			}
		})
	}
}

// TestXargs: xargs sets no variable, and goes on after each failure but 255.
func TestXargs(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("item", "FLAGS=--index=$1\n"+item)
	const line = "seq 0 4 | xargs -P2 -n1 sh item"
	h.write("bad-2", "7")
	h.expect(h.shell(line), 123, "0134")
	h.shell("rm bad-2")
	h.expect(h.shell(line), 0, "01234")
	h.write("killed", `exec nth run --index=$1 -- sh -c 'test $1 != 6 || kill -9 $$' sh $1`)
	h.expect(h.shell("seq 5 7 | xargs -n1 sh killed"), 123, "0123457") // 137, where xargs would stop for the signal
	h.write("bad-8", "255")
	h.expect(h.shell("seq 8 9 | xargs -n1 sh item"), 124, "0123457")
	h.expect(h.shell(`seq 8 9 | xargs -n1 sh -c 'sh item "$1" || exit 1' sh`), 123, "01234579")
}

// TestRecipe is what the docs show of both.
func TestRecipe(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("a b.txt", "1")
	h.write("c.txt", "2")
	h.expect(h.shell("set -e\n"+program.Recipe(t, "bash", "xargs")), 0, "01")
	h.expect(h.shell("cat out-? >out; test -e numbers/done/4.json"), 0, "01")
	if diff := cmp.Diff([]string{"item 0", "item 1", "item 2", "item 3", "item 4"}, h.lines("out")); diff != "" {
		t.Error(diff)
	}
}
