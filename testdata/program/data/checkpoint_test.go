package data

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nth/testdata/harness"
	"nth/testdata/servers"
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
		args := []string{"--markers", p.url("m"), "--checkpoint", "w/state=" + p.url("c/state"), "--checkpoint-every=100ms", "--", "sh", "-c"}
		cmd, out := p.begin(append(args, "mkdir -p w; set -- 1;"+step+"; sleep 600")...)
		p.kept("c/state", "1\n")
		_ = cmd.Process.Kill()
		p.ends(cmd, out, -1)
		// Who gives the Job up finds it by its note.
		reset, told := p.start("reset", "--stale", "--checkpoints", p.url("c/"), "--yes", "--markers", p.url("m"))
		p.ends(reset, told, 0)
		p.contains(told.String(), "kept what 1 run may still be at work at: 0")

		again := p.in(t) // another machine
		again.contains(again.run(0, append(args, "cat w/state; set -- 2;"+step)...), "1\n")
		again.same("c/", map[string]string{})
		again.same("m/staging/", map[string]string{})
	})
}

// The first attempt finds no checkpoint, and no directory of checkpoints either.
func TestFirstCheckpoint(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		p.run(0, "--markers", p.url("m"), "--checkpoint", "state="+p.url("none/state"), "--", "true")
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

// Files that are named are kept as they are, of a failure alone; what no object can be made of
// is left out, and what isn't there is only told.
func TestKeepFailedFiles(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		_, query, _ := strings.Cut(p.url(""), "?")
		at := func(path string) string { return strings.TrimSuffix(strings.Split(p.url(path), "?")[0]+"?"+query, "?") }
		args := []string{"--keep-failed", "log_<<.Index>>=" + at("failed/<<.Index>>.log"), "--keep-failed", "w/=" + at("failed/w/"), "--keep-failed=none=" + at("failed/none"), "--", "sh", "-c"}
		out := p.run(3, append(args, "echo text >log_0; mkdir -p w/d; echo A >w/d/a; chmod 755 w/d/a; ln -s /etc/passwd w/link; mkfifo w/pipe; exit 3")...)
		p.same("failed/", map[string]string{"failed/0.log": "text\n", "failed/w/d/a": "A\n"})
		for _, said := range []string{"kept log_0 at ", `"left_out":2`, "keep what failed: nothing is at none"} {
			p.contains(out, said)
		}
		p.contains(p.in(t).run(0, "--input", at("failed/w/")+"=in/", "--", "stat", "-c", "%a", "in/d/a"), "755\n")

		if err := p.Delete(t.Context(), "failed/0.log"); err != nil {
			t.Fatal(err)
		}
		p.run(0, append(args, "echo text >log_0")...)
		p.same("failed/", map[string]string{"failed/w/d/a": "A\n"})
	})
}

// A place that can't be had is named, and why, when its time is over.
func TestKeepFailedNowhere(t *testing.T) {
	p := open(t, func(path string) string { return "file://" + t.TempDir() + "/" + path })
	nowhere := "?endpoint=http://" + servers.Address(t) + "&use_path_style=true"
	for _, args := range [][]string{
		{"--keep-failed", "w/=s3://b/x/" + nowhere},
		{"--keep-failed", "s3://b/x" + nowhere, "--output", "w/a=" + p.url("a"), "--markers", p.url("m")},
	} {
		out := p.in(t).run(3, append(append([]string{"--marker-timeout=300ms"}, args...), "--", "sh", "-c", "mkdir -p w; echo A >w/a; exit 3")...)
		for _, said := range []string{"keep what failed: upload the ", "s3://b/x/", "connection refused"} {
			p.contains(out, said)
		}
		if strings.Contains(out, "deadline exceeded") {
			t.Error(out)
		}
	}
}
