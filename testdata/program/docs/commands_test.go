package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
	"nth/testdata/program"
)

// inShell is a command of a page as a reader runs it, in the repository's folder.
func inShell(script string, env ...string) *exec.Cmd {
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = harness.Root()
	cmd.Env = append(append(os.Environ(), "GOFLAGS=-buildvcs=false", "SOURCE_DATE_EPOCH=1700000000"), env...)
	return cmd
}

// shell runs a script and gives all that it printed.
func shell(t *testing.T, script string, env ...string) string {
	t.Helper()
	out, err := inShell(script, env...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

var place = regexp.MustCompile(`/tmp/nth-[a-z]+`)

// cleared removes what a page's commands make, now and at the end.
func cleared(t *testing.T, page string) {
	t.Helper()
	remove := func() {
		for _, dir := range place.FindAllString(program.Page(t, page), -1) {
			os.RemoveAll(dir)
		}
	}
	remove()
	t.Cleanup(remove)
}

// TestCommands runs the commands of each page, from its first to its last, in one
// shell, and holds what they print against what the page shows, and the checks.
func TestCommands(t *testing.T) {
	checked := map[int]bool{}
	for _, page := range pages(t) {
		t.Run(page, func(t *testing.T) {
			cleared(t, page)
			all := blocks(t, page)
			var commands []*block
			for _, b := range all {
				if runners["shell"](b) {
					commands = append(commands, b)
				}
			}
			printed := session(t, commands)
			for i, b := range commands {
				for n, c := range checks {
					if c.page == page && strings.Contains(b.text, c.has) {
						checked[n] = true
						c.check(t, b, printed[i])
					}
				}
				for _, s := range all {
					if s.after == b && runners["shown"](s) {
						compare(t, s, printed[i])
					}
				}
			}
		})
	}
	for n, c := range checks {
		if !checked[n] && !t.Failed() {
			t.Errorf("%s has no command with %q", c.page, c.has)
		}
	}
}

// session runs the blocks one after the other in one shell, and gives what each printed.
func session(t *testing.T, of []*block) []string {
	t.Helper()
	const end = "-- the next block --"
	var script strings.Builder
	for _, b := range of {
		script.WriteString(b.text + "\necho '" + end + "'\n")
	}
	out, err := inShell(script.String()).CombinedOutput()
	printed := strings.Split(string(out), end+"\n")
	if n := len(printed) - 1; err != nil || n != len(of) {
		t.Fatalf("command %d of %d: %v\n%s\n%s", n+1, len(of), err, of[min(n, len(of)-1)].text, printed[n])
	}
	return printed
}

// Where what is shown differs from run to run, both sides get the same word.
var varying = []struct {
	is   *regexp.Regexp
	word string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z`), "DATE"},
	{regexp.MustCompile(`\d{8}t\d{6}z-[0-9a-f]{16}`), "RUN"},
	{regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?(ns|µs|ms|s)\b`), "TIME"},
	{regexp.MustCompile(`\b(now|TIME ago)\b`), "AGO"},
	{regexp.MustCompile(`\d+(\.\d+)? [kM]B\b`), "SIZE"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

func steady(text string) []string {
	if host, err := os.Hostname(); err == nil {
		text = regexp.MustCompile(`\b`+regexp.QuoteMeta(host)+`\b`).ReplaceAllString(text, "laptop")
	}
	for _, v := range varying {
		text = v.is.ReplaceAllString(text, v.word)
	}
	return strings.Split(strings.TrimSpace(text), "\n")
}

// compare holds what a page shows against what was printed. Lines may have changed
// places; … stands for anything within a line, and alone for any lines.
func compare(t *testing.T, shown *block, printed string) {
	t.Helper()
	left, more := steady(printed), false
	for _, line := range steady(shown.text) {
		if line == "…" {
			more = true
			continue
		}
		found := false
		for i := range left {
			if found = like(line).MatchString(left[i]); found {
				left = append(left[:i:i], left[i+1:]...)
				break
			}
		}
		if !found {
			t.Errorf("%s shows %q, and\n%sprinted\n%s", shown.page, line, shown.after.text, printed)
		}
	}
	if len(left) > 0 && !more {
		t.Errorf("%s doesn't show %q, which\n%sprinted", shown.page, left, shown.after.text)
	}
}

var anything = regexp.MustCompile(` ?… ?`)

// like makes an expression of a line in which … stands for anything.
func like(line string) *regexp.Regexp {
	parts := anything.Split(line, -1)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
}

// TestDrawing: the one picture of a terminal is as wide as a terminal, in the grid's signs.
func TestDrawing(t *testing.T) {
	for _, b := range taken(t, "drawing") {
		for line := range strings.Lines(b.text) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 88 {
				t.Errorf("a line of %d signs: %s", n, line)
			}
		}
		grid := regexp.MustCompile(`(?m)^ *\d+ ([^\n]*)$`).FindAllStringSubmatch(b.text, -1)
		if len(grid) < 2 {
			t.Fatalf("no grid is in\n%s", b.text)
		}
		for _, m := range grid {
			if strings.Trim(m[1], "█▓▒░x>·") != "" {
				t.Errorf("a row of other signs: %s", m[0])
			}
		}
	}
}

// TestManifest: the Job that docs/kubernetes.md has is what the command before it
// prints, which is the README's.
func TestManifest(t *testing.T) {
	of := func(page string) string {
		for _, b := range blocks(t, page) {
			if strings.Contains(b.text, " manifest --name checksums ") {
				return b.text
			}
		}
		t.Fatalf("%s has no command that prints the Job", page)
		return ""
	}
	const page = "docs/kubernetes.md"
	if diff := cmp.Diff(of("README.md"), of(page)); diff != "" {
		t.Errorf("two commands: %s", diff)
	}
	printed, err := inShell(of(page)).Output()
	if err != nil {
		t.Fatal(err)
	}
	var shown string
	for _, b := range taken(t, "yaml") {
		if b.page == page && strings.Contains(b.text, "\nkind: Job\n") {
			shown = b.text
		}
	}
	if *update {
		rewrite(t, page, strings.Replace(program.Page(t, page), shown, string(printed), 1))
	} else if diff := cmp.Diff(string(printed), shown); diff != "" {
		t.Errorf("the Job differs (go test -run TestManifest ./testdata/program/docs -update):\n%s", diff)
	}
}

// markers counts the markers in a directory.
func markers(t *testing.T, dir string) int {
	t.Helper()
	found, err := filepath.Glob(dir + "/done/*.json")
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}
