// Command bench puts nth beside tini, dumb-init and catatonit in one run, and beside
// a shell script that keeps markers with awscli: size, time until the command runs
// and for the whole run, page faults until the command runs, memory while it sleeps.
//
//	go run ./testdata/bench [-n 200] [-aws PATH]
//
// The programs take turns, so that a machine whose speed drifts is fair to all.
// Page faults and the peak are the init's and of what it started itself.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"nth/testdata/harness"
	"nth/testdata/servers"
)

// slow is how many starts are enough of what takes a thousand times as long.
const slow = 15

// warm is how many starts of each aren't counted: they fill the page cache.
const warm = 3

func main() {
	n := flag.Int("n", 200, "counted starts of each")
	awscli := flag.String("aws", "aws", "the program aws, which knows --if-none-match")
	flag.Parse()
	var m harness.Machine
	defer m.End()
	nth, err := harness.Binary()
	check(err)
	dir := filepath.Dir(nth)
	m.Cleanup(func() { os.RemoveAll(dir) })
	probe := filepath.Join(dir, "probe")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", probe, "./testdata/bench/probe")
	build.Dir, build.Env = harness.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		log.Panicf("%v\n%s", err, out)
	}
	aws, err := exec.LookPath(*awscli)
	if err != nil {
		log.Panicf("%v: pip install awscli, or -aws PATH", err)
	}
	s3 := servers.StartS3(&m)
	s3.Bucket(&m, "bench")
	withS3 := append(servers.S3Env(), "AWS_ENDPOINT_URL=http://"+s3.Address, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=", "AWS="+aws, "BUCKET=bench", "BODY="+filepath.Join(dir, "body"))
	run := func(markers ...string) []string {
		return slices.Concat([]string{nth, "run", "--log-level=warn"}, markers, []string{"--"})
	}
	peers := []*peer{
		{name: "no init"},
		{name: "tini", argv: []string{"tini", "-s", "--"}},
		{name: "dumb-init", argv: []string{"dumb-init", "--"}},
		{name: "catatonit", argv: []string{"catatonit", "--"}},
		{name: "nth", argv: run()},
		{name: "nth, file:// marker", argv: run("--markers=file://" + filepath.Join(dir, "markers"))},
		{name: "nth, s3:// marker", argv: run("--markers=" + s3.URL("bench", "nth")), env: withS3},
		{name: "sh and awscli", argv: []string{filepath.Join(harness.Root(), "testdata", "bench", "marker.sh")}, env: withS3, slow: true},
	}
	for i := range *n + warm {
		for _, p := range peers {
			if p.slow && i >= slow+warm {
				continue
			}
			s := p.start(i, probe)
			if i >= warm {
				p.add(s)
			}
		}
	}
	for _, p := range peers[1:] {
		p.look(probe, *n+warm)
	}
	report(peers)
}

func report(peers []*peer) {
	fmt.Printf("%-20s %10s %22s %22s %16s %8s %8s %8s\n", "", "bytes", "µs to the command", "µs, whole run", "page faults", "RSS MB", "anon MB", "peak MB")
	fmt.Printf("%-20s %10s %22s %22s\n", peers[0].name, "", spread(peers[0].micros), spread(peers[0].whole))
	for _, p := range peers[1:] {
		bytes := "" // the script's would be all of Python's
		if !p.slow {
			path, err := exec.LookPath(p.argv[0])
			check(err)
			info, err := os.Stat(path)
			check(err)
			bytes = fmt.Sprint(info.Size())
		}
		fmt.Printf("%-20s %10s %22s %22s %16s %8.2f %8.2f %8.2f\n", p.name, bytes, spread(p.micros), spread(p.whole), spread(p.faults), p.rss, p.anon, p.peak)
	}
	fmt.Printf("minimum/median/maximum of %d starts each, in turn; %d of the script\n", len(peers[0].micros), len(peers[len(peers)-1].micros))
}

func spread(v []float64) string {
	s := slices.Sorted(slices.Values(v))
	return fmt.Sprintf("%.0f/%.0f/%.0f", s[0], s[len(s)/2], s[len(s)-1])
}

func check(err error) {
	if err != nil {
		log.Panic(err) // what was started is stopped
	}
}
