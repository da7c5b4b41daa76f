package data

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nth/shim/marker"
	"nth/testdata/servers"
)

func TestOutputs(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		done := []string{"commit/0.json", "done/0.json"}
		for _, c := range []struct {
			name, path, url, script string
			flags                   []string
			code                    int
			want                    map[string]string // below the URL's own folder
			markers                 []string
		}{
			{"a file", "w/out", "x", "echo A >w/out", nil, 0, map[string]string{"x": "A\n"}, done},
			{"an empty file", "w/out", "x", ": >w/out", nil, 0, map[string]string{"x": ""}, done},
			{"a directory", "w/", "d/", "mkdir w/s; echo A >w/a; echo B >w/s/b", nil, 0, map[string]string{"d/a": "A\n", "d/s/b": "B\n"}, done},
			{"a link within", "w/", "d/", "echo A >w/a; ln -s a w/b", nil, 0, map[string]string{"d/a": "A\n", "d/b": "A\n"}, done},
			{"missing", "w/out", "x", "true", nil, 73, nil, []string{"failed/0.json"}},
			{"an empty directory", "w/", "d/", "mkdir w/s", nil, 73, nil, []string{"failed/0.json"}},
			{"a link out of it", "w/", "d/", "echo A >w/a; ln -s /etc/hostname w/b", nil, 73, nil, []string{"failed/0.json"}},
			{"a pipe", "w/", "d/", "mkfifo w/b", nil, 73, nil, []string{"failed/0.json"}},
			{"the command fails", "w/out", "x", "echo A >w/out; exit 3", nil, 3, nil, []string{"failed/0.json"}},
			{"skipped", "w/out", "x", "echo A >w/out; exit 9", []string{"--skip-exit-codes=9"}, 0, nil, []string{"done/0.json", "skipped/0.json"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := p.in(t)
				own := strings.ReplaceAll(c.name, " ", "-") + "/"
				out := p.run(c.code, append(c.flags, "--markers", p.url(own+"m"), "--output", c.path+"="+p.url(own+"out/"+c.url), "--", "sh", "-c", c.script)...)
				want := map[string]string{}
				for key, body := range c.want {
					want[own+"out/"+key] = body
				}
				p.same(own+"out/", want)
				if diff := cmp.Diff(c.markers, p.markers(own+"m/")); diff != "" {
					t.Errorf("%s\n%s", diff, out)
				}
			})
		}
	})
}

// What stood at the target is replaced; what the marker says is what is there.
func TestOutputReplaces(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		p.put("out/x", "an older one, which is longer")
		args := func(to string, more ...string) []string {
			return append(more, "--markers", p.url("m"), "--output", "out="+p.url("out/"+to), "--", "sh", "-c", "echo A >out")
		}
		p.run(0, args("x")...)
		p.same("out/", map[string]string{"out/x": "A\n"})
		var m marker.Marker
		if err := json.Unmarshal([]byte(p.objects("m/done/")["m/done/0.json"]), &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Outputs) != 1 || m.Outputs[0].Size != 2 || !strings.HasPrefix(m.Outputs[0].Checksum, "crc32c:") || !strings.Contains(m.Outputs[0].URL, "out/x") {
			t.Errorf("the marker's outputs: %+v", m.Outputs)
		}

		p.put("out/x", "changed by hand")
		p.contains(p.run(0, args("x")...), "is done already")
		p.contains(p.run(65, args("y")...), "or a URL of --input, --output, --stdin or --stdout differs")
		p.run(0, args("y", "--on-change=skip")...)
		p.same("out/", map[string]string{"out/x": "changed by hand"})
		p.run(0, args("y", "--on-change=rerun")...)
		p.same("out/", map[string]string{"out/x": "changed by hand", "out/y": "A\n"})
	})
}

// What stands at the path before the command: an attempt's that came to no end is removed,
// and what nth hasn't left isn't touched, nor published where the command hasn't written it.
func TestLeftovers(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		output := func(m string) []string {
			return []string{"--markers", p.url(m), "--output", "w/out=" + p.url(m+"/out"), "--", "sh", "-c"}
		}
		t.Run("of a failed attempt", func(t *testing.T) {
			p := p.in(t)
			p.run(3, append(output("failed"), "echo half >>w/out; exit 3")...)
			p.run(0, append(output("failed"), "echo whole >>w/out")...)
			p.same("failed/out", map[string]string{"failed/out": "whole\n"})
		})
		t.Run("of a killed attempt", func(t *testing.T) {
			p := p.in(t)
			cmd, out := p.begin(append(output("killed"), "echo half >>w/out; sleep 600")...)
			waitFor(t, filepath.Join(p.dir, "w/out"))
			_ = cmd.Process.Kill()
			p.ends(cmd, out, -1)
			p.run(0, append(output("killed"), "echo whole >>w/out")...)
			p.same("killed/out", map[string]string{"killed/out": "whole\n"})
		})
		t.Run("somebody else's, untouched", func(t *testing.T) {
			p := p.in(t)
			p.write("w/out", "mine")
			p.contains(p.run(73, append(output("untouched"), "true")...), "it is the file that was there before")
			p.same("untouched/out", map[string]string{})
			if diff := cmp.Diff(map[string]string{"w/out": "mine"}, p.files()); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("somebody else's, written over", func(t *testing.T) {
			p := p.in(t)
			p.write("w/out", "mine")
			p.contains(p.run(0, append(output("over"), "echo new >w/out")...), "is there before the command")
			p.same("over/out", map[string]string{"over/out": "new\n"})
		})
	})
}

// A file that is written while it is uploaded isn't published. What is left of the command
// is swept before, so that it is somebody else who writes.
func TestOutputGrows(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		path := filepath.Join(p.dir, "out")
		stop := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				select {
				case <-stop:
					return
				default:
				}
				if f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
					_, _ = f.WriteString("more")
					f.Close()
				}
			}
		}()
		out := p.run(73, "--markers", p.url("m"), "--output", "out="+p.url("out"), "--", "sh", "-c", "dd if=/dev/zero of=out bs=1M count=64 2>/dev/null")
		close(stop)
		<-ended
		p.contains(out, "the file changed while it was read")
		p.same("out", map[string]string{})
		if diff := cmp.Diff([]string{"failed/0.json"}, p.markers("m/")); diff != "" {
			t.Error(diff)
		}
	})
}

// After nth reset the item is done again, and its outputs are the new run's.
func TestReset(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		args := []string{"--markers", p.url("m"), "--output", "out=" + p.url("out"), "--", "sh", "-c", "cat value >out"}
		for _, value := range []string{"one", "two"} {
			p.write("value", value)
			p.run(0, args...)
			p.same("out", map[string]string{"out": value})
			reset(t, p, "m")
			if diff := cmp.Diff([]string(nil), p.markers("m/")); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// A store that isn't there, or refuses, is found before the command has worked for hours; of
// one that the markers are in they have told already.
func TestOutputsNowhere(t *testing.T) {
	server := servers.StartMinIO(t)
	server.Bucket(t, "data")
	p := open(t, func(path string) string { return server.URL("data", path) })
	files := t.TempDir()
	for name, c := range map[string]struct {
		flag, says string
		code       int
	}{
		"no bucket":     {"--output=o=" + server.URL("none", "o"), "look where the output goes s3://none/o", 69},
		"no bucket's":   {"--stdout=" + server.URL("none", "o"), "look where the output goes s3://none/o", 69},
		"refused":       {"--output=o/=" + server.URL("data", "o/") + "&anonymous=true&region=eu-1", "look where the output goes s3://data/o/", 77},
		"no directory":  {"--output=o=file://" + files + "/none/none/o", "look where the output goes file://" + files + "/none/none/o", 69},
		"its own":       {"--output=o=" + p.url("o"), "command starts", 0},
		"one to create": {"--output=o=file://" + files + "/new/o", "command starts", 0},
	} {
		t.Run(name, func(t *testing.T) {
			p, markers := p.in(t), p.url("m/"+strings.ReplaceAll(name, " ", "-"))
			if c.code == 77 { // else the markers' bucket answers
				markers = "file://" + t.TempDir() + "/m"
			}
			out := p.run(c.code, "--store-wait=100ms", "--markers", markers, c.flag, "--", "sh", "-c", "mkdir -p o 2>/dev/null; rmdir o; echo x >o; echo x")
			p.contains(out, c.says)
			if ran := strings.Contains(out, "command starts"); ran != (c.code == 0) {
				t.Errorf("the command ran: %v", ran)
			}
		})
	}
}

// An upload that fails leaves nothing, no directory either.
func TestNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	p := open(t, func(path string) string { return "file://" + dir + "/" + path })
	out := p.run(73, "--markers", p.url("m"), "--output", "o/="+p.url("o/"), "--", "sh", "-c", `echo x >"o/$(printf '__0x%.0s' $(seq 60))"`)
	p.contains(out, "file name too long")
	if left, err := os.ReadDir(dir + "/o"); len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
