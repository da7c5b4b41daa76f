package data

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nth/shim/store/contract"
	"nth/testdata/harness"
	"nth/testdata/program"
	"nth/testdata/servers"
)

func waitFor(t *testing.T, path string) { t.Helper(); program.Appears(t, path) }

func reset(t *testing.T, p place, markers string) {
	t.Helper()
	_, stderr, code := program.Nth(t, servers.S3Env(), "reset", "--markers", p.url(markers), "--indexes", "0")
	if code != 0 {
		t.Fatalf("nth reset: exit code %d: %s", code, stderr)
	}
}

// large puts an object of so many MB, which no two parts of are alike, and gives its checksum.
func (p place) large(key string, mb int64) string {
	p.t.Helper()
	sum := sha256.New()
	body := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{}), mb<<20), sum)
	if err := p.Stream(p.t.Context(), key, body, contract.Parts{}); err != nil {
		p.t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func (p place) sum(key string) string {
	p.t.Helper()
	e, err := p.Stat(p.t.Context(), key)
	if err != nil {
		p.t.Fatal(err)
	}
	sum := sha256.New()
	for off := int64(0); off < e.Size; off += 8 << 20 {
		r, err := p.Part(p.t.Context(), key, e.Version, off, min(8<<20, e.Size-off))
		if err != nil {
			p.t.Fatal(err)
		}
		if _, err := io.Copy(sum, r); err != nil {
			p.t.Fatal(err)
		}
		r.Close()
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// 200 MB come and go whole, through files and through streams.
func TestLarge(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		want := p.large("in", 200)
		p.run(0, "--markers", p.url("m/file"), "--input", p.url("in")+"=in", "--output", "out="+p.url("file"), "--", "cp", "in", "out")
		p.run(0, "--markers", p.url("m/stream"), "--stdin", p.url("in"), "--stdout", p.url("stream"), "--", "cat")
		for _, key := range []string{"file", "stream"} {
			if got := p.sum(key); got != want {
				t.Errorf("%s is %s, want %s", key, got, want)
			}
		}
	})
}

func TestStreams(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		p.put("in", strings.Repeat("0123456789", 1<<20))
		p.put("void", "")
		done := "done/0.json"
		for _, c := range []struct {
			name, in, script string
			code             int
			want             map[string]string
			marker           string
		}{
			{"reads the beginning alone", "in", "head -c 10", 0, map[string]string{"out": "0123456789"}, done},
			{"reads nothing", "in", "echo A", 0, map[string]string{"out": "A\n"}, done},
			{"empty", "void", "cat", 0, map[string]string{"out": ""}, done},
			{"writes nothing", "in", "cat >/dev/null", 0, map[string]string{"out": ""}, done},
			{"fails at the end", "in", "head -c 10; exit 3", 3, map[string]string{}, "failed/0.json"},
			{"missing", "none", "cat", 66, map[string]string{}, "failed/0.json"},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := p.in(t)
				own := strings.ReplaceAll(c.name, " ", "-") + "/"
				out := p.run(c.code, "--markers", p.url(own+"m"), "--stdin", p.url(c.in), "--stdout", p.url(own+"out"), "--", "sh", "-c", c.script)
				want := map[string]string{}
				for key, body := range c.want {
					want[own+key] = body
				}
				p.same(own+"out", want)
				p.same(own+".nth", map[string]string{})
				p.contains(strings.Join(p.markers(own+"m/"), " "), c.marker)
				if c.code == 0 && strings.Contains(out, `"level":"error"`) {
					t.Error(out)
				}
			})
		}
	})
}

// A stop signal: what was written so far is no object.
func TestStreamStopped(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		cmd, out := p.begin("--markers", p.url("m"), "--stdout", p.url("out"), "--", "sh", "-c", "trap 'exit 0' TERM; echo A; : >begun; while :; do sleep 0.01; done")
		waitFor(t, filepath.Join(p.dir, "begun"))
		_ = cmd.Process.Signal(syscall.SIGTERM)
		p.ends(cmd, out, 143)
		p.same("out", map[string]string{})
		p.same(".nth", map[string]string{})
	})
}

// slowly reads some of stdin, waits for a file, and reads the rest; "done" is behind the end.
const slowly = `head -c 65536 >/dev/null; : >begun; while [ ! -e go ]; do sleep 0.01; done; cat >/dev/null; echo done >done`

// An object that is replaced while it is read: the command never sees an end of it.
func TestStreamReplaced(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		p.large("in", 100)
		cmd, out := p.begin("--markers", p.url("m"), "--stdin", p.url("in"), "--", "sh", "-c", slowly)
		waitFor(t, filepath.Join(p.dir, "begun"))
		p.put("in", "another")
		p.write("go", "")
		p.ends(cmd, out, 69)
		if _, there := p.files()["done"]; there {
			t.Errorf("the command saw an end: %s", out)
		}
	})
}

// Through a proxy that cuts every connection after a while, all comes.
func TestStreamCut(t *testing.T) {
	s := servers.StartMinIO(t)
	s.Bucket(t, "data")
	p := open(t, func(path string) string { return s.URL("data", path) })
	want := p.large("in", 20)
	cutter := servers.StartCutter(t, s.Address, 1, 4<<20)
	in := strings.ReplaceAll(p.url("in"), s.Address, cutter.Addr().String())
	p.run(0, "--store-wait=10m", "--markers", p.url("m"), "--stdin", in, "--stdout", p.url("out"), "--", "cat")
	if got := p.sum("out"); got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
	if cutter.Cuts.Load() == 0 {
		t.Error("nothing was cut")
	}
}

// A store that goes away for good: 69, and no end of file.
func TestStreamStoreGone(t *testing.T) {
	data, markers := servers.StartMinIO(t), servers.StartMinIO(t)
	data.Bucket(t, "data")
	markers.Bucket(t, "data")
	p := open(t, func(path string) string { return data.URL("data", path) })
	p.large("in", 100)
	cmd, out := p.begin("--markers", markers.URL("data", "m"), "--stdin", p.url("in"), "--", "sh", "-c", slowly)
	waitFor(t, filepath.Join(p.dir, "begun"))
	data.Stop()
	p.write("go", "")
	p.ends(cmd, out, 69)
	if _, there := p.files()["done"]; there {
		t.Errorf("the command saw an end: %s", out)
	}
}

// With --stdout the log has stderr alone.
func TestStdoutIsNotLogged(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		p.run(0, "--markers", p.url("m"), "--stdout", p.url("out"), "--logs", p.url("logs"), "--", "sh", "-c", "echo to-stdout; echo to-stderr >&2")
		log := program.Log(t, p.url("logs"), 0)
		if strings.Contains(log, "to-stdout") || !strings.Contains(log, "to-stderr") {
			t.Errorf("the log is %q", log)
		}
		p.same("out", map[string]string{"out": "to-stdout\n"})
	})
}

// memory is what nth may have resident, with both streams of whatever length.
const memory = 64 << 20

func TestStreamsMemory(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		p.large("in", 1024)
		cmd, out := p.begin("--markers", p.url("m"), "--stdin", p.url("in"), "--stdout", p.url("out"), "--", "cat")
		ended := make(chan struct{})
		peak := make(chan int64)
		go func() { peak <- harness.Peak(cmd.Process.Pid, ended) }()
		p.ends(cmd, out, 0)
		close(ended)
		got := <-peak
		t.Logf("%.1f MiB", float64(got)/(1<<20))
		if got == 0 || got > memory {
			t.Errorf("%d bytes were resident, want at most %d", got, int64(memory))
		}
	})
}
