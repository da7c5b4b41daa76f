package proc_test

import (
	"strings"
	"syscall"
	"testing"
)

// stopsBoth is a command that is signalled before nth is, as a batch system does it that
// signals every process of a job: it ends as it likes, and then nth gets its own signal.
// Its child sends that, out of reach of the sweep, as soon as the command is a zombie.
const stopsBoth = `use POSIX; my $nth = getppid; my $me = $$; pipe my $r, my $w;
if (!fork) { POSIX::setsid; syswrite $w, "x";
  while (1) { open my $f, "<", "/proc/$me/stat" or last; my $l = <$f>; last if !defined $l || $l =~ /\) Z /; } kill TERM => $nth; exit }
sysread $r, my $x, 1; $SIG{TERM} = sub { exit 0 }; kill TERM => $me; sleep 60`

// TestStopOfAll: what a stop signal ended isn't done, though nth's own came later.
func TestStopOfAll(t *testing.T) {
	for name, flags := range oneAndMany {
		t.Run(name, func(t *testing.T) {
			for range 10 { // which of them comes first is chance
				dir := t.TempDir()
				words := append(append([]string{}, flags...), "--markers", "file://"+dir, "--", "perl", "-e", stopsBoth)
				p := start(t, false, words...)
				p.ends(128 + int(syscall.SIGTERM))
				if hasMarker(dir) || !strings.Contains(p.read("stderr"), "SIGTERM") {
					t.Fatalf("marker: %v; stderr:\n%s", hasMarker(dir), p.read("stderr"))
				}
			}
		})
	}
}
