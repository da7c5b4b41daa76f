package proc_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"nth/testdata/harness"
)

func TestOrphansAreReaped(t *testing.T) {
	p := start(t, true, "--", actorPath(t), "orphans", "20")
	p.ends(0) // the actor counts what is left in its namespace, zombies included
	if got := p.read("stdout"); got != "all reaped\n" {
		t.Errorf("stdout %q", got)
	}
}

// manyOrphans leaves as many processes to process 1 as it is told, 50 at a time.
const manyOrphans = `$| = 1; for (1 .. $ARGV[0]) {
  my $p = fork; if (!$p) { if (!fork) { exit } exit } waitpid $p, 0; print "$_\n" if $_ == 500 }
print "all\n"; <STDIN>`

// TestSoakOfOrphans: process 1 takes in what others leave, and nothing of it stays.
func TestSoakOfOrphans(t *testing.T) {
	p := prepare(t, true, "--", "perl", "-e", manyOrphans, strconv.Itoa(harness.Soak(10_000, 200_000)))
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.begin()
	p.sees("500\n")
	before := resident(t, p.pid)
	p.sees("all\n")
	eventually(t, "only the command is left", func() bool { return len(children(p.pid)) == 1 })
	// Go's collector may not have run at all yet: what a leak of 10,000 process
	// records would take is far more than this.
	if after := resident(t, p.pid); after > before+8<<10 {
		t.Errorf("nth has grown from %d to %d KiB", before, after)
	}
	in.Close()
	p.ends(0)
}

// resident gives VmRSS in KiB.
func resident(t *testing.T, pid int) int {
	t.Helper()
	n, err := strconv.Atoi(strings.Fields(field(t, fmt.Sprintf("/proc/%d/status", pid), "VmRSS:"))[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// field gives the rest of a line of a file in /proc.
func field(t *testing.T, path, name string) string {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fieldOf(string(body), name)
}

func fieldOf(body, name string) string {
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
