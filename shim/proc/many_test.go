package proc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// many gives the flags of a shard of items, before the command's own.
func many(items, jobs int, flags ...string) []string {
	return append([]string{"--completions", "1", "--items", strconv.Itoa(items), "--each", "--jobs", strconv.Itoa(jobs)}, flags...)
}

// count gives how many lines of stdout are this one.
func count(p *program, line string) (n int) {
	for l := range strings.Lines(p.read("stdout")) {
		if l == line+"\n" {
			n++
		}
	}
	return n
}

// TestManySignals: every command gets every signal, and after a stop signal no further
// one is started.
func TestManySignals(t *testing.T) {
	const script = `trap 'echo usr1' USR1; trap 'echo term; exit 0' TERM; echo ready; while :; do sleep 0.05; done`
	for _, target := range []string{"child", "group"} {
		t.Run(target, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				dir := t.TempDir()
				p := start(t, pid1, many(20, 4, "--signal-target", target, "--markers", "file://"+dir, "--", "sh", "-c", script)...)
				eventually(t, "four are ready", func() bool { return count(p, "ready") == 4 })
				p.send(syscall.SIGUSR1)
				eventually(t, "four have had it", func() bool { return count(p, "usr1") == 4 })
				p.send(syscall.SIGTERM)
				p.ends(143)
				if count(p, "ready") != 4 || count(p, "term") != 4 {
					t.Errorf("stdout:\n%s", p.read("stdout"))
				}
				if hasMarker(dir) || !strings.Contains(p.read("stderr"), "stopped by SIGTERM when 0 of 20 were done") {
					t.Errorf("marker: %v; stderr:\n%s", hasMarker(dir), p.read("stderr"))
				}
			})
		})
	}
}

// TestManyStopGrace: what doesn't heed a stop signal is killed, all of it.
func TestManyStopGrace(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		p := start(t, pid1, many(20, 3, "--stop-grace", "300ms", "--", actorPath(t), "ignore", "SIGTERM")...)
		eventually(t, "three are ready", func() bool { return count(p, "ready") == 3 })
		p.send(syscall.SIGTERM)
		p.ends(143)
		if count(p, "ready") != 3 {
			t.Errorf("stdout:\n%s", p.read("stdout"))
		}
	})
}

// TestManyNothingStarts: a stop signal also ends what would fail a thousand million times.
func TestManyNothingStarts(t *testing.T) {
	for name, word := range map[string]string{"not found": "nothing-<<.Item>>", "not expanded": "<<div .Item 0>>"} {
		t.Run(name, func(t *testing.T) {
			p := start(t, false, many(1_000_000_000, 2, "--keep-going", "--", word)...)
			p.logs("further failures are only counted")
			p.send(syscall.SIGTERM)
			p.ends(143)
		})
	}
}

// TestManyTimeout: one that takes too long doesn't hold the others, and no earlier one's
// time counts for it.
func TestManyTimeout(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		p := start(t, pid1, many(30, 2, "--timeout", "1s", "--keep-going", "--", "sh", "-c", `test <<.Item>> -ne 3 || exec sleep 600; echo item`)...)
		p.ends(124)
		if count(p, "item") != 29 || !strings.Contains(p.read("stderr"), "item 3: run sh: stopped after 1s") {
			t.Errorf("%d have run: %s", count(p, "item"), p.read("stderr"))
		}
	})
}

// TestManyLeftovers: an item's processes have ended when the next one starts, however
// stubborn they are.
func TestManyLeftovers(t *testing.T) {
	for name, left := range map[string]string{
		"plain":           `sleep 600 & echo $! >"$0"`,
		"ignores SIGTERM": `: >"$0.up"; "$ACTOR" ignore SIGTERM >"$0.up" & echo $! >"$0"; while ! [ -s "$0.up" ]; do sleep 0.01; done`,
		"is gone already": `true & echo $! >"$0"; sleep 0.05`,
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				pid := filepath.Join(t.TempDir(), "pid")
				p := start(t, pid1, many(4, 1, "--sweep-grace", "200ms", "--stderr-tail", "100", "--", "sh", "-c",
					`test ! -s "$0" || ! kill -0 $(cat "$0") || exit 9; `+left, pid)...)
				p.ends(0)
				if body, err := os.ReadFile(pid); err != nil {
					t.Error(err)
				} else if n, err := strconv.Atoi(strings.TrimSpace(string(body))); err != nil || !pid1 && !gone(n) {
					t.Errorf("%d is still there (%v)", n, err)
				}
			})
		})
	}
}

// TestManyEscaped: under process 1 what left the group has ended before the marker is
// there, and orphans are reaped all the time.
func TestManyEscaped(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	p := start(t, true, many(1, 2, "--markers", "file://"+dir, "--", actorPath(t), "escape", out)...)
	p.ends(0)
	if body, err := os.ReadFile(out); err != nil || !strings.HasSuffix(string(body), "end\n") {
		t.Errorf("%v: the writer did not come to its end: …%q", err, last(string(body)))
	}
	p = start(t, true, many(3, 1, "--", actorPath(t), "orphans", "20")...)
	p.ends(0) // the actor counts what is left in its namespace, zombies included
	if count(p, "all reaped") != 3 {
		t.Errorf("stdout:\n%s", p.read("stdout"))
	}
}

// TestManyDieWithNth: where nth isn't process 1, its successor may start the same items.
func TestManyDieWithNth(t *testing.T) {
	p := start(t, false, many(20, 3, "--", "sh", "-c", "echo $$; exec sleep 600")...)
	eventually(t, "three run", func() bool { return strings.Count(p.read("stdout"), "\n") == 3 })
	p.send(syscall.SIGKILL)
	for _, word := range strings.Fields(p.read("stdout")) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, word+" has ended", func() bool { return gone(pid) })
	}
}

// TestManyStderr: all of it is passed on, and what an item wrote last is told of that
// item and no other.
func TestManyStderr(t *testing.T) {
	const items = 60
	p := start(t, false, many(items, 4, "--keep-going", "--stderr-tail", "50", "--", "sh", "-c",
		`head -c 200000 /dev/zero | tr '\0' x >&2; echo >&2; echo last of <<.Item>> >&2; exit 3`)...)
	p.ends(3)
	text := p.read("stderr")
	if n := strings.Count(text, "x"); n < items*200_000 {
		t.Errorf("%d bytes were passed on", n)
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile(`item (\d+): run sh: exit code 3: last of (\d+)"`).FindAllStringSubmatch(text, -1) {
		if m[1] != m[2] {
			t.Error(m[0])
		}
		told[m[1]] = true
	}
	if len(told) != items || !strings.Contains(text, fmt.Sprintf("%d of %d failed: 0-%d;", items, items, items-1)) {
		t.Errorf("%d were told of: %s", len(told), last(text))
	}
}
