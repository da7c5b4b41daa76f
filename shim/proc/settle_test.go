package proc_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// stopsBoth is a command that is signalled before nth is, as a batch system does it that
// signals every process of a job: it ends as it likes, and then nth gets its own signal.
// Its child sends that, whatever the sweep says, as soon as the command is a zombie, and
// says whether that was soon.
const stopsBoth = `use POSIX; use Time::HiRes "time"; my $nth = getppid; my $me = $$; pipe my $r, my $w; pipe my $r2, my $w2;
if (!fork) { $SIG{TERM} = "IGNORE"; close $w2; syswrite $w, "x"; sysread $r2, my $end, 100;
  while (1) { open my $f, "<", "/proc/$me/stat" or last; my $l = <$f>; last if !defined $l || $l =~ /\) Z /; }
  kill TERM => $nth; my $soon = time - $end < 0.01; open my $f, ">", "$ARGV[0].new"; print $f $soon ? "soon" : "late"; close $f; rename "$ARGV[0].new", $ARGV[0]; exit }
sysread $r, my $x, 1; $SIG{TERM} = sub { syswrite $w2, time; exit 0 }; kill TERM => $me; sleep 60`

// TestStopOfAll: what a stop signal ended isn't done, though nth's own came later.
func TestStopOfAll(t *testing.T) {
	for name, flags := range oneAndMany {
		t.Run(name, func(t *testing.T) {
			for soon := 0; soon < 5; { // a round that the machine was too slow for says nothing
				dir := t.TempDir()
				p := prepare(t, false, append(slices.Clone(flags), "--markers", "file://"+dir, "--", "perl", "-e", stopsBoth, dir+"/when")...)
				p.begin()
				_ = p.cmd.Wait()
				eventually(t, "the signal is sent", func() bool { return exists(dir + "/when") })
				when, err := os.ReadFile(dir + "/when")
				if err != nil {
					t.Fatal(err)
				}
				if string(when) != "soon" {
					continue
				}
				soon++
				code, errs := p.cmd.ProcessState.ExitCode(), p.read("stderr")
				if code != 128+int(syscall.SIGTERM) || hasMarker(dir) || !strings.Contains(errs, "SIGTERM") {
					t.Fatalf("exit code %d, marker: %v; stderr:\n%s", code, hasMarker(dir), errs)
				}
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
