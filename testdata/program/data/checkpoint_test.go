package data

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/harness"
)

func (p place) kept(key, body string) {
	p.t.Helper()
	harness.Await(p.t, func() bool { return p.objects(key)[key] == body }, func() string { return "no checkpoint: " + p.objects(key)[key] })
}

const step = `echo $1 >w/new && mv w/new w/state`

// A killed attempt's last checkpoint is where the next one goes on, and it is deleted once
// the item is done.
func TestCheckpointOfAKilledRun(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		args := []string{"--markers", p.url("m"), "--checkpoint", "w/state=" + p.url("state"), "--checkpoint-every=100ms", "--", "sh", "-c"}
		cmd, out := p.begin(append(args, "mkdir -p w; set -- 1;"+step+"; sleep 600")...)
		p.kept("state", "1\n")
		_ = cmd.Process.Kill()
		p.ends(cmd, out, -1)

		again := p.in(t) // another machine
		again.contains(again.run(0, append(args, "cat w/state; set -- 2;"+step)...), "1\n")
		again.same("state", map[string]string{})
	})
}

// A stop signal keeps what the command writes as its last word.
func TestCheckpointOnAStopSignal(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		args := []string{"--markers", p.url("m"), "--checkpoint", "w/state=" + p.url("state"), "--", "sh", "-c"}
		cmd, out := p.begin(append(args, "mkdir -p w; trap 'set -- last;"+step+"; exit 0' TERM; : >begun; while :; do sleep 0.01; done")...)
		waitFor(t, filepath.Join(p.dir, "begun"))
		_ = cmd.Process.Signal(syscall.SIGTERM)
		p.ends(cmd, out, 143)
		p.same("state", map[string]string{"state": "last\n"})
	})
}

// What there is of the outputs of an attempt that failed is kept; of one that succeeds nothing.
func TestKeepFailed(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		args := []string{"--markers", p.url("m"), "--output", "w/out=" + p.url("out"), "--output", "d/=" + p.url("d/"), "--keep-failed", p.url("failed"), "--", "sh", "-c"}
		p.run(3, append(args, "echo half >w/out; echo A >d/a; exit 3")...)
		kept := map[string]string{}
		for key, body := range p.objects("failed/") {
			_, run, _ := strings.Cut(key, "/")
			_, name, _ := strings.Cut(run, "/")
			kept[name] = body
		}
		if len(kept) != 2 || kept["w/out"] != "half\n" || kept["d/a"] != "A\n" {
			t.Errorf("kept is %q", kept)
		}
		p.same("out", map[string]string{})

		before := len(p.objects("failed/"))
		p.run(0, append(args, "echo whole >w/out; echo B >d/a")...)
		if n := len(p.objects("failed/")); n != before {
			t.Errorf("%d objects are kept, %d before a run that succeeded", n, before)
		}
		p.same("out", map[string]string{"out": "whole\n"})
	})
}
