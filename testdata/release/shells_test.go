package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"nth/testdata/harness"
)

// shell is one that a person types into.
type shell interface {
	// complete gives what the last word of a line may become.
	complete(t *testing.T, line string) []string
}

// TestShells: each shell completes what the help of the program shows, and all of it.
func TestShells(t *testing.T) {
	share, work := unpacked(t), t.TempDir()
	for _, name := range []string{"bin/nth-test-one", "bin/nth-test-two", "data/in-one.txt", "data/in-two.txt"} {
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cases := expected(t)
	for name, start := range map[string]func(*testing.T, string, string) shell{"bash": startBash, "bash-completion": startBashWith, "zsh": startZsh, "fish": startFish} {
		t.Run(name, func(t *testing.T) {
			s := start(t, share, work)
			for line, want := range cases {
				got := s.complete(t, line)
				slices.Sort(got)
				slices.Sort(want)
				if diff := cmp.Diff(want, slices.Compact(got), cmp.Transformer("none", func(l []string) []string { return append([]string{}, l...) })); diff != "" {
					t.Errorf("%q: %s", line, diff)
				}
			}
		})
	}
}

// expected are lines, and what may become of their last words.
func expected(t *testing.T) map[string][]string {
	commands := subcommands(t)
	topics := append(append(helpTopics(t), "flags"), commands...)
	paths, programs := []string{"data/in-one.txt", "data/in-two.txt"}, []string{"nth-test-one", "nth-test-two"}
	cases := map[string][]string{
		"nth ": commands, "nth sta": {"status"}, "nth he": {"help"}, "nth zz": nil,
		"nth help ": topics, "nth help st": {"status", "stores"}, "nth help stores ": nil,
		"nth install data/": paths, "nth run --termination-log data/": paths, "nth run --termination-log=data/": paths,
		"nth plan --output data/in-": paths, "nth run --input file:///in=data/in-": {"data/in-one.txt", "data/in-two.txt"},
		"nth status --kubernetes data/in-": paths,
		"nth run --timeout ":               nil, "nth run --timeout=": nil, "nth run --markers ": nil,
		"nth run nth-test-": programs, "nth run -- nth-test-": programs, "nth run --each --timeout 5s nth-test-": programs,
		"nth run --index-offset -1 -- nth-test-": programs, "nth --each --env A=b -- nth-test-": programs,
		"nth local --markers file:///m -- nth-test-one data/in-": paths, "nth run nth-test-one data/in-": paths,
		"nth run --markers 's3://b/m?region=x' --on-chan": {"--on-change"}, "nth run --env A=b --on-fai": {"--on-failure"},
		"nth run --env=A=b --on-fai": {"--on-failure"}, "nth run --chaos": nil, "nth local --chaos": {"--chaos", "--chaos-compare"},
		"nth local --chaos --on-fai": {"--on-failure"}, "nth local --chaos --on-failure ": {"continue", "stop"},
	}
	for _, c := range commands {
		cases["nth "+c+" --"] = shownFlags(t, c)
	}
	cases["nth --"] = shownFlags(t, "run")
	for flag, values := range map[string]string{
		"run --on-change": "fail,skip,rerun", "plan --on-failure": "continue,stop", "local --log-level": "debug,info,warn,error",
		"run --exit-zero-after-signal": "failed,done", "run --signal-target": "child,group", "run --log-format": "auto,json,console,none",
		"plan --format": "text,json", "status --format": "text,json,html", "manifest --format": "yaml,json", "check --format": "text,json",
		"manifest --via": "init-container,image-volume,copy", "reset --progress": "auto,always,never", "local --progress": "auto,always,never",
	} {
		cases["nth "+flag+" "], cases["nth "+flag+"="] = strings.Split(values, ","), strings.Split(values, ",")
	}
	cases["nth version --help="] = []string{"all"}
	return cases
}

// fishShell is asked by its own builtin.
type fishShell struct{ script, work string }

func startFish(t *testing.T, share, work string) shell {
	return fishShell{filepath.Join(share, "fish", "vendor_completions.d", "nth.fish"), work}
}

func (f fishShell) complete(t *testing.T, line string) (list []string) {
	t.Helper()
	cmd := exec.Command("fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2]`, f.script, line)
	cmd.Dir, cmd.Env = f.work, environment(f.work)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	for one := range strings.Lines(string(out)) {
		one, _, _ = strings.Cut(strings.TrimSuffix(one, "\n"), "\t")
		list = append(list, strings.TrimSuffix(behind(line, one), "="))
	}
	return list
}

func environment(work string) []string {
	return []string{"PATH=" + filepath.Join(work, "bin") + ":" + os.Getenv("PATH"), "HOME=" + work, "ZDOTDIR=" + work, "TERM=dumb", "LC_ALL=C.UTF-8"}
}

// behind is what a word that is offered adds to what stands before the last = of a line.
func behind(line, word string) string {
	last := line[strings.LastIndex(line, " ")+1:]
	return strings.TrimPrefix(word, last[:strings.LastIndex(last, "=")+1])
}

// typed is a shell at a terminal. Its nth prints its words; a key puts all that the last word
// may become into the line.
type typed struct {
	tty  *os.File
	key  string
	seen chan []byte
}

const prompt, opens, closes = "ready to type> ", "\x01nth was told:\x02", "\x03"

func startTyped(t *testing.T, work, key string, words ...string) shell {
	t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env = work, environment(work)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 2000})
	if err != nil {
		t.Fatal(err)
	}
	s := &typed{tty, key, make(chan []byte)}
	over := make(chan struct{})
	go func() {
		defer close(s.seen)
		for {
			b := make([]byte, 1<<16)
			n, err := tty.Read(b)
			if err != nil {
				return
			}
			select {
			case s.seen <- b[:n]:
			case <-over:
				return
			}
		}
	}()
	t.Cleanup(func() {
		close(over)
		cmd.Process.Kill()
		cmd.Wait()
		tty.Close()
	})
	s.await(t, prompt)
	return s
}

// await reads up to a text.
func (s *typed) await(t *testing.T, text string) string {
	t.Helper()
	var all bytes.Buffer
	for end := time.After(harness.Patience); ; {
		select {
		case b, ok := <-s.seen:
			all.Write(b)
			if i := strings.Index(all.String(), text); i >= 0 {
				return all.String()[:i]
			}
			if !ok {
				t.Fatalf("the shell is gone, after %q", all.String())
			}
		case <-end:
			t.Fatalf("no %q, but %q", text, all.String())
		}
	}
}

func (s *typed) complete(t *testing.T, line string) []string {
	t.Helper()
	if _, err := fmt.Fprint(s.tty, line+s.key+"\r"); err != nil {
		t.Fatal(err)
	}
	printed := s.await(t, closes+"\r\n"+prompt)
	_, printed, found := strings.Cut(printed, opens)
	if !found {
		t.Fatalf("%q: nth wasn't run: %q", line, printed)
	}
	words := strings.Split(strings.TrimSuffix(strings.ReplaceAll(printed, "\r", ""), "\n"), "\n")[1:]
	before := strings.Fields(line)[1:]
	last := ""
	if !strings.HasSuffix(line, " ") && len(before) > 0 {
		last, before = before[len(before)-1], before[:len(before)-1]
	}
	if len(words) < len(before) {
		t.Fatalf("%q became %q", line, words)
	}
	var list []string
	if words = words[len(before):]; len(words) == 1 && words[0] == last {
		return nil // the line is as it was
	}
	for _, w := range words {
		list = append(list, strings.TrimSuffix(behind(line, w), "="))
	}
	return list
}

const nthFunction = `nth() { printf '` + `\001nth was told:\002\n` + `'; [ $# = 0 ] || printf '%s\n' "$@"; printf '\003\n'; }
PS1='` + prompt + `'
`

func startBash(t *testing.T, share, work string) shell { return bashAfter(t, "", share, work) }

// startBashWith has the completions of other commands too, as most systems do.
func startBashWith(t *testing.T, share, work string) shell {
	return bashAfter(t, "source /usr/share/bash-completion/bash_completion || exit\n", share, work)
}

func bashAfter(t *testing.T, before, share, work string) shell {
	rc := filepath.Join(t.TempDir(), "rc")
	text := before + nthFunction + "bind 'set enable-bracketed-paste off'\nsource '" + filepath.Join(share, "bash-completion", "completions", "nth") + "'\n"
	if err := os.WriteFile(rc, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return startTyped(t, work, "\x1b*", "bash", "--noprofile", "--rcfile", rc, "-i")
}

func startZsh(t *testing.T, share, work string) shell {
	text := "fpath=('" + filepath.Join(share, "zsh", "site-functions") + `' $fpath)
unsetopt prompt_cr prompt_sp beep
unset zle_bracketed_paste
autoload -Uz compinit && compinit -u -D
zle -C all complete-word _generic
bindkey '^Xa' all
zstyle ':completion:all:*' completer _all_matches _complete
zstyle ':completion:all:*' insert true
` + nthFunction
	if err := os.WriteFile(filepath.Join(work, ".zshrc"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return startTyped(t, work, "\x18a", "zsh", "-d", "-i")
}
