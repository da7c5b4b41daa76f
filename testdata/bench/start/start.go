// Package start puts one start of nth beside tini, dumb-init and catatonit, and beside a
// shell script that keeps markers with awscli: time until the command runs and for the
// whole run, page faults until the command runs, size, and memory while it sleeps.
//
// Page faults and the peak are the init's and of what it started itself.
package start

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"nth/testdata/bench/rounds"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "start", About: "one start beside tini, dumb-init, catatonit, and sh with awscli",
	Needs: []string{"tini (apt-get install tini)", "dumb-init (apt-get install dumb-init)", "catatonit (apt-get install catatonit)", "aws (pip install awscli)"}, Measure: measure,
}

// starts are those of each in a round. What takes a hundred times as long has slow of them
// in all.
const (
	starts = 40
	slow   = 15
)

// warm is how many starts of each aren't counted: they fill the page cache.
const warm = 3

// The columns.
const (
	until  = "µs to the command"
	whole  = "µs, whole run"
	faults = "page faults"
	size   = "bytes"
	rss    = "RSS MB"
	anon   = "anon MB"
)

func measure(b *rounds.Bench) {
	dir := b.TempDir()
	probe := filepath.Join(dir, "probe")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", probe, "./testdata/bench/probe")
	build.Dir, build.Env = harness.Root(), append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	rounds.Check(err)
	aws, err := exec.LookPath("aws")
	rounds.Check(err)
	s3 := servers.StartS3(b)
	s3.Bucket(b, "bench")
	withS3 := []string{"AWS_ENDPOINT_URL=http://" + s3.Address, "AWS=" + aws, "BUCKET=bench", "BODY=" + filepath.Join(dir, "body")}
	p := &prober{probe: probe, env: withS3}
	of := func(name string, argv ...string) rounds.Way {
		return rounds.Way{Name: name, Do: func(string) rounds.Sample { return p.start(argv) }, Once: func(string) rounds.Sample { return p.look(argv) }}
	}
	nth := func(name string, markers ...string) rounds.Way {
		argv := func(nth string) []string {
			return slices.Concat([]string{nth, "run", "--log-level=warn"}, markers, []string{"--"})
		}
		return rounds.Way{Name: name, Nth: true, Do: func(nth string) rounds.Sample { return p.start(argv(nth)) }, Once: func(nth string) rounds.Sample { return p.look(argv(nth)) }}
	}
	none := of("no init")
	none.Once = nil
	script := of("sh and awscli", filepath.Join(harness.Root(), "testdata", "bench", "start", "marker.sh"))
	script.Turns = slow
	b.Measure(rounds.Table{
		Title: "one start, until the command runs", Base: "nth", Chart: true, Warm: warm, Turns: b.Rounds * b.Items(starts),
		Columns: []rounds.Column{{Name: until}, {Name: whole}, {Name: faults}, {Name: size, Show: rounds.Median}, {Name: rss, Digits: 2}, {Name: anon, Digits: 2}, {Name: rounds.Peak.Name, Digits: 2}},
		Ways: []rounds.Way{
			none, of("tini", "tini", "-s", "--"), of("dumb-init", "dumb-init", "--"), of("catatonit", "catatonit", "--"),
			nth("nth"), nth("nth, file:// marker", "--markers=file://"+filepath.Join(dir, "markers")), nth("nth, s3:// marker", "--markers="+s3.URL("bench", "nth")),
			script,
		},
	})
}
