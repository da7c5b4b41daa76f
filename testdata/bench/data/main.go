// Command data moves bytes between an S3 server and a command, by nth, by awscli and by
// rclone in one run: an object of -size bytes in and out again as files, many small ones
// into a directory, and an object through a command's stdin and stdout. The programs take
// turns, so that a machine whose speed drifts is fair to all; a ratio is of a round. The
// peak is of nth's own memory alone.
//
//	go run ./testdata/bench/data [-size 1073741824] [-small 1000] [-n 5] [-aws PATH] [-rclone PATH]
//
// nth writes its markers and its commit, and proves what it moved; the others don't. What
// the server takes for itself is shown by a client that computes nothing and keeps nothing.
// Debian: apt-get install rclone; pip install awscli.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/harness"
	"nth/testdata/servers"
)

// smallSize is that of each of many objects, in bytes.
const smallSize = 64 << 10

// bench is what all programs are given.
type bench struct {
	nth, aws, rclone string
	s3               *servers.S3
	dir              string
	rounds           int
}

// peer is one program's way of one job.
type peer struct {
	name    string
	argv    func(round string) []string
	seconds []float64
	peak    int64
}

func main() {
	if len(os.Args) == 6 && os.Args[1] == "bare" {
		check(bare(os.Args[2], os.Args[3], os.Args[4], os.Args[5]))
		return
	}
	size := flag.Int64("size", 1<<30, "bytes of the large object")
	small := flag.Int("small", 1000, "how many small objects")
	n := flag.Int("n", 5, "rounds, of which the median counts")
	awscli := flag.String("aws", "aws", "the program aws")
	rclone := flag.String("rclone", "rclone", "the program rclone")
	flag.Parse()
	var m harness.Machine
	defer m.End()
	b := &bench{rounds: *n}
	var err error
	b.nth, err = harness.Binary()
	check(err)
	m.Cleanup(func() { os.RemoveAll(filepath.Dir(b.nth)) })
	b.aws, err = exec.LookPath(*awscli)
	check(err)
	b.rclone, err = exec.LookPath(*rclone)
	check(err)
	b.dir = m.TempDir()
	b.s3 = servers.StartMinIO(&m)
	b.s3.Bucket(&m, "bench")
	for _, e := range append(servers.S3Env(), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_ENDPOINT_URL=http://"+b.s3.Address,
		"RCLONE_CONFIG_S_TYPE=s3", "RCLONE_CONFIG_S_PROVIDER=Minio", "RCLONE_CONFIG_S_ENV_AUTH=true", "RCLONE_CONFIG_S_ENDPOINT=http://"+b.s3.Address) {
		name, value, _ := strings.Cut(e, "=")
		check(os.Setenv(name, value))
	}
	check(os.Unsetenv("AWS_CA_BUNDLE")) // with one that is set rclone 1.60 doesn't start, though the server speaks no TLS
	b.fill(*size, *small)
	b.run("one large object in and out, as files", *size*2, b.files())
	b.run(fmt.Sprintf("%d objects of %d bytes into a directory", *small, smallSize), int64(*small)*smallSize, b.many())
	b.run("one large object through cat", *size*2, b.streams())
}

func (b *bench) fill(size int64, small int) {
	s, err := store.Open(context.Background(), b.s3.URL("bench", "in"))
	check(err)
	defer s.Close()
	check(s.Stream(context.Background(), "large", io.LimitReader(rand.NewChaCha8([32]byte{}), size), contract.Parts{}))
	body := bytes.Repeat([]byte("0123456789abcdef"), smallSize/16)
	check(store.Each(context.Background(), small, func(ctx context.Context, k int) error {
		return s.Put(ctx, fmt.Sprintf("many/%06d", k), body)
	}))
}

// url is one of nth's for a key.
func (b *bench) url(key string) string { return b.s3.URL("bench", key) }

// start is nth with what all of its runs have.
func (b *bench) start(round string, flags ...string) []string {
	return slices.Concat([]string{b.nth, "run", "--index=5", "--log-level=warn", "--markers=" + b.url("markers/"+round)}, flags, []string{"--"})
}

func shell(format string, args ...any) []string {
	return []string{"sh", "-ec", fmt.Sprintf(format, args...)}
}

func (b *bench) files() []*peer {
	in := filepath.Join(b.dir, "large")
	return []*peer{
		{name: "nth", argv: func(round string) []string {
			return append(b.start(round, "--input="+b.url("in/large")+"="+in, "--output="+in+"="+b.url("out/nth")), "true")
		}},
		{name: "aws s3 cp", argv: func(round string) []string {
			return shell("%s s3 cp --only-show-errors s3://bench/in/large %s; %[1]s s3 cp --only-show-errors %[2]s s3://bench/out/aws", b.aws, in)
		}},
		{name: "rclone copyto", argv: func(round string) []string {
			return shell("%s copyto s:bench/in/large %s; %[1]s copyto --ignore-times %[2]s s:bench/out/rclone", b.rclone, in)
		}},
		b.bare(),
	}
}

func (b *bench) many() []*peer {
	in := filepath.Join(b.dir, "many") + "/"
	return []*peer{
		{name: "nth", argv: func(round string) []string {
			return append(b.start("many/"+round, "--input="+b.url("in/many/")+"="+in), "true")
		}},
		{name: "aws s3 cp --recursive", argv: func(string) []string {
			return []string{b.aws, "s3", "cp", "--only-show-errors", "--recursive", "s3://bench/in/many/", in}
		}},
		{name: "rclone copy --transfers 16", argv: func(string) []string {
			return []string{b.rclone, "copy", "--transfers=16", "s:bench/in/many/", in}
		}},
	}
}

func (b *bench) streams() []*peer {
	return []*peer{
		{name: "nth", argv: func(round string) []string {
			return append(b.start("streams/"+round, "--stdin="+b.url("in/large"), "--stdout="+b.url("stream/nth")), "cat")
		}},
		{name: "aws | cat | aws", argv: func(round string) []string {
			return shell("%s s3 cp --only-show-errors s3://bench/in/large - | cat | %[1]s s3 cp --only-show-errors --expected-size 5000000000 - s3://bench/stream/aws", b.aws)
		}},
		{name: "rclone cat | cat | rclone rcat", argv: func(round string) []string {
			return shell("%s cat s:bench/in/large | cat | %[1]s rcat s:bench/stream/rclone", b.rclone)
		}},
		b.bare(),
	}
}

// bare is the least that the same takes on this server.
func (b *bench) bare() *peer {
	self, err := os.Executable()
	check(err)
	return &peer{name: "a client that computes nothing", argv: func(string) []string {
		return []string{self, "bare", b.s3.Address, "bench", "in/large", "out/bare"}
	}}
}

// run lets the programs take turns.
func (b *bench) run(what string, moved int64, peers []*peer) {
	for round := range b.rounds {
		for _, p := range peers {
			for _, place := range []string{"large", "many"} {
				check(os.RemoveAll(filepath.Join(b.dir, place)))
			}
			b.once(p, fmt.Sprint(round))
		}
	}
	fmt.Printf("%s\n", what)
	for _, p := range peers {
		ratios := make([]float64, 0, b.rounds)
		for i, s := range p.seconds {
			ratios = append(ratios, s/peers[0].seconds[i])
		}
		fmt.Printf("  %-32s %7.2f s %8.0f MB/s %6.2f × nth's time", p.name, median(p.seconds), float64(moved)/1e6/median(p.seconds), median(ratios))
		if p.peak > 0 {
			fmt.Printf("   peak %.1f MB", float64(p.peak)/1e6)
		}
		fmt.Println()
	}
}

func (b *bench) once(p *peer, round string) {
	argv := p.argv(round)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	began := time.Now()
	check(cmd.Start())
	ended, looked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(looked)
		if peak := harness.Peak(cmd.Process.Pid, ended); argv[0] == b.nth {
			p.peak = max(p.peak, peak)
		}
	}()
	err := cmd.Wait()
	p.seconds = append(p.seconds, time.Since(began).Seconds())
	close(ended)
	<-looked
	check(err)
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func check(err error) {
	if err != nil {
		log.Panic(err) // what was started is stopped
	}
}
