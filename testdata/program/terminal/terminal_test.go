//go:build linux

// Package terminal looks at nth in a real terminal, tmux's.
package terminal

import (
	"fmt"
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

// pane is a terminal in which a shell runs one command line, and then sleeps.
type pane struct {
	t      *testing.T
	socket string
}

// ended is what the shell says after the command, with its exit code.
const ended = "ENDED"

// open starts a command line in a terminal of this size.
func open(t *testing.T, cols, rows int, env []string, line string) *pane {
	t.Helper()
	p := &pane{t, filepath.Join(t.TempDir(), "tmux")}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", p.socket, "kill-server").Run() })
	script := fmt.Sprintf("trap : INT; %s %s; echo %s $?; sleep 1000", strings.Join(env, " "), line, ended)
	p.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows), "sh", "-c", script)
	return p
}

func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm-256color")
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %q: %v: apt-get install -y tmux, or ./testdata/test, which installs all that the tests need\n%s", args, err, out)
	}
	return string(out)
}

func (p *pane) resize(cols, rows int) {
	p.t.Helper()
	p.tmux("resize-window", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows))
}

// text is what is to be seen.
func (p *pane) text() string { return p.tmux("capture-pane", "-p") }

// sees waits until these patterns are to be seen at the same time: what is drawn may come in
// several pieces.
func (p *pane) sees(patterns ...string) (seen string) {
	p.t.Helper()
	missing := ""
	harness.Await(p.t, func() bool {
		seen, missing = p.text(), ""
		for _, pattern := range patterns {
			if !regexp.MustCompile(pattern).MatchString(seen) {
				missing = pattern
			}
		}
		return missing == ""
	}, func() string { return "no " + missing + " is to be seen:\n" + seen })
	return seen
}

// job is one of 400 indexes that has markers of some, as a run of them leaves them.
func job(t *testing.T) (markers, nth string) {
	t.Helper()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	markers = "file://" + t.TempDir() + "/m"
	_, said, code := program.Nth(t, nil, "local", "--completions=400", "--indexes=0-99", "--backoff-limit-per-index=0", "--markers="+markers+"?create_dir=true", "--", "sh", "-c",
		`case <<.Index>> in 5|42) echo "KeyError: user_id" >&2; exit 3;; esac`)
	if code != 1 {
		t.Fatalf("%d: %s", code, said)
	}
	return markers, nth
}

// sgr are the colours and weights that a terminal has of old: 16 colours, bold, dim, and back.
var sgr = regexp.MustCompile(`\x1b\[([0-9;]*)m`)
var plain = regexp.MustCompile(`^(0|1|2|22|39|49|3[0-7]|9[0-7])?(;(0|1|2|22|39|49|3[0-7]|9[0-7]))*$`)

// TestWatch: nth status --watch fills the terminal that it has, also when that changes, with
// no line that wraps, in sixteen colours or none, and leaves the screen as it found it.
func TestWatch(t *testing.T) {
	markers, nth := job(t)
	line := nth + " status --watch --interval=300ms --completions=400 --markers=" + markers
	p := open(t, 80, 24, nil, line)
	for _, size := range []struct {
		cols, rows int
		row        string // the second of the grid
	}{{80, 24, `(?m)^ 70 █+·+$`}, {200, 50, `(?m)^190 ·{190}$`}, {40, 10, `(?m)^150 ·+$`}, {80, 24, `(?m)^ 70 █+·+$`}} {
		p.resize(size.cols, size.rows)
		p.sees(size.row, "nth status "+regexp.QuoteMeta(markers[:12]), "98/400", "2 failed", "failed 5,42")
	}
	seen := sgr.FindAllStringSubmatch(p.tmux("capture-pane", "-p", "-e"), -1)
	for _, m := range seen {
		if !plain.MatchString(m[1]) {
			t.Errorf("a colour that not every terminal has: %q", m[1])
		}
	}
	if len(seen) == 0 {
		t.Error("no colours at all")
	}
	p.tmux("send-keys", "C-c")
	text := p.sees(ended + ` \d+`)
	if strings.Contains(text, "█") && !strings.Contains(text, "failed") || p.tmux("display-message", "-p", "#{cursor_flag} #{alternate_on}") != "1 0\n" {
		t.Errorf("the screen isn't as it was:\n%s", text)
	}

	bare := open(t, 80, 24, []string{"NO_COLOR=1"}, line)
	bare.sees(`(?m)^ 70 █+·+$`)
	if seen := sgr.FindAllString(bare.tmux("capture-pane", "-p", "-e"), -1); len(seen) > 0 {
		t.Errorf("colours in spite of NO_COLOR: %q", seen)
	}
}

// TestBar: nth local has one bar below what commands write, however the terminal changes its
// size, and in the end none.
func TestBar(t *testing.T) {
	dir := t.TempDir()
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "work")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"index $1 has a line that is longer than the smallest of the terminals that it is shown in\"\n[ \"$1\" -lt 30 ] || until [ -e "+dir+"/go ]; do sleep 0.05; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := open(t, 80, 24, nil, fmt.Sprintf("%s local --completions=60 --parallelism=2 -- %s '<<.Index>>'", nth, script))
	p.sees(`(?m)^\[#+-+\] 30/60 +50%`)
	for _, size := range []struct {
		cols, rows int
		bar        string
	}{{200, 50, `(?m)^\[#{20}-{20}\] 30/60 +50%.*\n*\z`}, {50, 12, `(?m)^30/60 +50%.*\n*\z`}, {80, 24, `(?m)^\[#+-+\] 30/60 +50%.*\n*\z`}} {
		p.resize(size.cols, size.rows)
		p.sees(size.bar, `\A([^/]|/[^6]|/60\n)*/60 ([^/]|/[^6])*\z`) // one, but for what a narrower terminal has left of a wider one
	}
	if err := os.WriteFile(dir+"/go", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimRight(p.sees(ended+` 0`), "\n")
	lines := strings.Split(text, "\n")
	want := []string{"nth local: 60 of 60 succeeded", ended + " 0"}
	got := []string{strings.Split(lines[len(lines)-2], ", in")[0], lines[len(lines)-1]}
	if diff := cmp.Diff(want, got); diff != "" || strings.Contains(text, "/60 ") {
		t.Errorf("%s\n%s", diff, text)
	}
}

// TestSuspended: a Ctrl-Z gives the shell back a terminal on which nothing is left of the bar, or
// of the second screen, and with fg they are there again.
func TestSuspended(t *testing.T) {
	nth, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := open(t, 80, 24, nil, "PS1='$ ' bash --norc -i")
	keys := func(words ...string) { p.tmux(append([]string{"send-keys"}, words...)...) }
	mode := func() string { return p.tmux("display-message", "-p", "#{cursor_flag} #{alternate_on}") }
	p.sees(`(?m)^\$ *$`)

	keys("cd "+dir+"; "+nth+" local --completions=2 --parallelism=2 -- sh -c 'until test -e go<<.Index>>; do sleep 0.02; done'", "Enter")
	p.sees(`(?m)^\[-+\] 0/2 .* 2 running`)
	keys("C-z")
	if text := p.sees(`Stopped`); strings.Contains(text, " running") {
		t.Errorf("the bar is left:\n%s", text)
	}
	keys("fg", "Enter")
	p.sees(`(?m)^\[-+\] 0/2 .* 2 running`)
	for _, name := range []string{"go0", "go1"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.sees(`2 of 2 succeeded`)

	keys("clear; "+nth+" status --watch --completions=2 --markers=file://"+dir, "Enter")
	p.sees(`(?m)^0 ··|^0 \.\.`)
	keys("C-z")
	p.sees(`Stopped`)
	if got := mode(); got != "1 0\n" {
		t.Errorf("the terminal isn't the shell's: %s", got)
	}
	keys("fg", "Enter")
	p.sees(`(?m)\A.*nth status`, `(?m)^0 ··|^0 \.\.`)
	if got := mode(); got != "0 1\n" {
		t.Errorf("the second screen isn't there: %s", got)
	}
	keys("C-c")
	p.sees(`(?m)^\$ *$`)
}
