package proc_test

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fill writes to an output until nobody has taken anything for half a second, and
// tells in a file how much that was.
const fill = `use Fcntl; open my $o, ">&=", $ARGV[0]; fcntl $o, F_SETFL, O_WRONLY | O_NONBLOCK;
for ($idle = 0; $idle < 50; ) { $w = syswrite $o, "x" x 4096; if ($w) { $n += $w; $idle = 0 } else { $idle++; select undef, undef, undef, 0.01 } }
open my $f, ">", $ARGV[1]; print $f $n`

// TestWhatIsLeft: when the command has ended, all that it wrote is still passed on,
// however slow its reader: what the pipes on both sides of nth hold, and what is
// between them.
func TestWhatIsLeft(t *testing.T) {
	for _, tt := range []struct{ name, fd, flag string }{
		{"stderr", "2", "--stderr-tail=100"},
		{"stdout", "1", "--logs=file://" + t.TempDir()},
		{"stderr, with its copy", "2", "--logs=file://" + t.TempDir()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := prepare(t, false, "--log-format=none", tt.flag, "--")
			p.cmd.Args = append(p.cmd.Args, "perl", "-e", fill, tt.fd, p.dir+"/written")
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			p.cmd.Stdout, p.cmd.Stderr = write, write
			p.begin()
			write.Close()
			eventually(t, "the end of the command", func() bool { return p.read("written") != "" && len(children(p.pid)) == 0 })
			n, err := io.Copy(io.Discard, read)
			if want, _ := strconv.ParseInt(p.read("written"), 10, 64); err != nil || n != want || n < 128<<10 {
				t.Errorf("%d bytes of %d, %v", n, want, err)
			}
			p.ends(0)
		})
	}
}

// TestMoved: of what a command writes to stderr, nth reads little, if what nth writes to is a
// pipe: the kernel moves it.
func TestMoved(t *testing.T) {
	const bytes = 64 << 20
	for name, flags := range oneAndMany {
		t.Run(name, func(t *testing.T) {
			p := prepare(t, false, append(slices.Clone(flags), "--stderr-tail=4096", "--", "sh", "-c",
				`head -c `+strconv.Itoa(bytes)+` /dev/zero >&2; echo end >&2; : >"$0/written"; while ! [ -e "$0/go" ]; do sleep 0.01; done`)...)
			p.cmd.Args = append(p.cmd.Args, p.dir)
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			p.cmd.Stderr = write
			p.begin()
			write.Close()
			all := make([]byte, bytes+len("end\n")) // nothing else comes before the end
			if _, err := io.ReadFull(read, all); err != nil || strings.Trim(string(all), "\x00") != "end\n" {
				t.Errorf("…%q, %v", last(strings.Trim(string(all), "\x00")), err)
			}
			eventually(t, "all is written", func() bool { return p.has("written") })
			counts, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/io")
			if err != nil {
				t.Fatal(err)
			}
			if n, err := strconv.Atoi(fieldOf(string(counts), "rchar:")); err != nil || n > bytes/2 {
				t.Errorf("nth read %d bytes of %d, %v", n, bytes, err)
			}
			if err := os.WriteFile(p.dir+"/go", nil, 0o666); err != nil {
				t.Fatal(err)
			}
			p.ends(0)
		})
	}
}

// TestLostOutput: what a command wrote to stdout, and nth couldn't pass on, isn't done,
// and the reason is told by its name.
func TestLostOutput(t *testing.T) {
	for name, flags := range oneAndMany {
		for what, script := range map[string]string{
			"at its end": "echo line", "and it is ended by that": "while echo line; do :; done",
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				dir := t.TempDir()
				p := prepare(t, false, append(slices.Clone(flags), "--logs", "file://"+dir, "--markers", "file://"+dir, "--timeout", "3s", "--", "sh", "-c", script)...)
				full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer full.Close()
				p.cmd.Stdout = full
				p.begin()
				p.ends(69)
				if got := p.read("stderr"); hasMarker(dir) || !strings.Contains(got, "no space left on device") {
					t.Errorf("marker: %v, stderr:\n%s", hasMarker(dir), got)
				}
			})
		}
	}
}

// TestLostOutputOfOne: of many commands only those fail whose output is lost.
func TestLostOutputOfOne(t *testing.T) {
	dir := t.TempDir()
	p := prepare(t, false, many(6, 2, "--keep-going", "--logs", "file://"+dir, "--markers", "file://"+dir, "--",
		"sh", "-c", "[ <<.Item>> = 1 ] || [ <<.Item>> = 4 ] || exit 0; echo line")...)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	p.cmd.Stdout = full
	p.begin()
	p.ends(69)
	p.logs("2 of 6 failed: 1,4;")
}
