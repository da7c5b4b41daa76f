// Package data moves bytes between an S3 server and a command, by nth, by awscli and by
// rclone: an object in and out again as files, many small ones into a directory, and an
// object through a command's stdin and stdout. The peak is of nth's own memory alone.
//
// nth writes its markers and its commit, and proves what it moved; the others don't. What
// the server takes for itself is shown by a client that computes nothing and keeps nothing.
package data

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/testdata/bench/bare"
	"nth/testdata/bench/rounds"
	"nth/testdata/servers"
)

// Subject is this one.
var Subject = rounds.Subject{
	Name: "data", About: "objects in and out as files, many into a directory, through a command: beside awscli and rclone",
	Needs: []string{"minio (./testdata/test store installs it)", "aws (pip install awscli)", "rclone (apt-get install rclone)"}, Measure: measure,
}

// large are the bytes of the large object, small how many others there are.
const (
	large = 1 << 30
	small = 1000
)

// smallSize is that of each of many objects, in bytes.
const smallSize = 64 << 10

// bench is what all programs are given.
type bench struct {
	*rounds.Bench
	s3  *servers.S3
	dir string
}

func measure(r *rounds.Bench) {
	b := &bench{Bench: r, dir: r.TempDir(), s3: servers.StartMinIO(r)}
	b.s3.Bucket(r, "bench")
	for _, e := range []string{"AWS_ENDPOINT_URL", "RCLONE_CONFIG_S_ENDPOINT"} {
		rounds.Check(os.Setenv(e, "http://"+b.s3.Address))
		defer os.Unsetenv(e)
	}
	for name, value := range map[string]string{"TYPE": "s3", "PROVIDER": "Minio", "ENV_AUTH": "true"} {
		rounds.Check(os.Setenv("RCLONE_CONFIG_S_"+name, value))
	}
	size, many := int64(r.Items(large)), r.Items(small)
	b.fill(size, many)
	b.run("one large object in and out, as files", size*2, b.files())
	b.run(fmt.Sprintf("%s objects of %s bytes into a directory", rounds.Count(many), rounds.Count(smallSize)), int64(many)*smallSize, b.many())
	b.run("one large object through cat", size*2, b.streams())
}

func (b *bench) fill(size int64, small int) {
	s, err := store.Open(context.Background(), b.s3.URL("bench", "in"))
	rounds.Check(err)
	defer s.Close()
	rounds.Check(s.Stream(context.Background(), "large", io.LimitReader(rand.NewChaCha8([32]byte{}), size), contract.Parts{}))
	body := bytes.Repeat([]byte("0123456789abcdef"), smallSize/16)
	rounds.Check(store.Each(context.Background(), small, func(ctx context.Context, k int) error {
		return s.Put(ctx, fmt.Sprintf("many/%06d", k), body)
	}))
}

// url is one of nth's for a key.
func (b *bench) url(key string) string { return b.s3.URL("bench", key) }

// start is nth with what all of its runs have.
func (b *bench) start(nth, round string, flags ...string) []string {
	return slices.Concat([]string{nth, "run", "--index=5", "--log-level=warn", "--markers=" + b.url("markers/"+round)}, flags, []string{"--"})
}

func shell(format string, args ...any) []string { return rounds.Shell(fmt.Sprintf(format, args...)) }

func (b *bench) files() []peer {
	in := filepath.Join(b.dir, "large")
	return []peer{
		{name: nths, argv: func(nth, round string) []string {
			return append(b.start(nth, round, "--input="+b.url("in/large")+"="+in, "--output="+in+"="+b.url("out/nth")), "true")
		}},
		{name: "aws s3 cp", argv: func(nth, round string) []string {
			return shell("aws s3 cp --only-show-errors s3://bench/in/large %s; aws s3 cp --only-show-errors %[1]s s3://bench/out/aws", in)
		}},
		{name: "rclone copyto", argv: func(nth, round string) []string {
			return shell("rclone copyto s:bench/in/large %s; rclone copyto --ignore-times %[1]s s:bench/out/rclone", in)
		}},
		b.bare(),
	}
}

func (b *bench) many() []peer {
	in := filepath.Join(b.dir, "many") + "/"
	return []peer{
		{name: nths, argv: func(nth, round string) []string {
			return append(b.start(nth, "many/"+round, "--input="+b.url("in/many/")+"="+in), "true")
		}},
		{name: "aws s3 cp --recursive", argv: func(string, string) []string {
			return []string{"aws", "s3", "cp", "--only-show-errors", "--recursive", "s3://bench/in/many/", in}
		}},
		{name: "rclone copy --transfers 16", argv: func(string, string) []string {
			return []string{"rclone", "copy", "--transfers=16", "s:bench/in/many/", in}
		}},
	}
}

func (b *bench) streams() []peer {
	return []peer{
		{name: nths, argv: func(nth, round string) []string {
			return append(b.start(nth, "streams/"+round, "--stdin="+b.url("in/large"), "--stdout="+b.url("stream/nth")), "cat")
		}},
		{name: "aws | cat | aws", argv: func(nth, round string) []string {
			return rounds.Shell("aws s3 cp --only-show-errors s3://bench/in/large - | cat | aws s3 cp --only-show-errors --expected-size 5000000000 - s3://bench/stream/aws")
		}},
		{name: "rclone cat | cat | rclone rcat", argv: func(nth, round string) []string {
			return rounds.Shell("rclone cat s:bench/in/large | cat | rclone rcat s:bench/stream/rclone")
		}},
		b.bare(),
	}
}

// bare is the least that the same takes on this server.
func (b *bench) bare() peer {
	return peer{name: "a client that computes nothing", argv: func(string, string) []string {
		return bare.Object(b.s3.Address, "bench", "in/large", "out/bare")
	}}
}

// run measures the programs, each of which begins without what another one has left.
func (b *bench) run(what string, moved int64, peers []peer) {
	t := rounds.Table{Title: what, Columns: []rounds.Column{rounds.Seconds, {Name: "MB/s"}, rounds.CPU, rounds.Peak}}
	for _, p := range peers {
		t.Ways = append(t.Ways, rounds.Way{Name: p.name, Nth: p.name == nths, Do: func(nth string) rounds.Sample {
			for _, place := range []string{"large", "many"} {
				rounds.Check(os.RemoveAll(filepath.Join(b.dir, place)))
			}
			took := rounds.Command{Argv: p.argv(nth, filepath.Base(b.Fresh()))}.Run()
			s := took.Sample()
			s["MB/s"] = float64(moved) / 1e6 / took.Seconds
			if p.name != nths {
				delete(s, rounds.Peak.Name) // it may be a shell's
			}
			return s
		}})
	}
	b.Measure(t)
}

// nths is the name of nth's own way.
const nths = "nth"

// peer is one program's way, in a round of this name.
type peer struct {
	name string
	argv func(nth, round string) []string
}
