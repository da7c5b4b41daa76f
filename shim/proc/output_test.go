package proc_test

import (
	"io"
	"os"
	"strconv"
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
