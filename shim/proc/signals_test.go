package proc_test

import (
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// signalName is as the actor prints it.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return strconv.Itoa(int(sig))
}

// forwardable lists what reaches a command: all but what can't be caught, what
// Go's runtime keeps to itself (SIGPROF, 32 to 34), and what is about nth.
func forwardable() (list []syscall.Signal) {
	not := []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPROF, syscall.SIGPIPE,
		syscall.SIGFPE, syscall.SIGILL, syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGABRT, syscall.SIGTRAP, syscall.SIGSYS, 32, 33, 34}
	for n := syscall.Signal(1); n <= 64; n++ {
		if !slices.Contains(not, n) {
			list = append(list, n)
		}
	}
	return list
}

func TestEverySignalReachesTheCommand(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		p := start(t, pid1, "--", actorPath(t), "signals", "64")
		p.sees("ready\n")
		want := []string{"ready"}
		for _, sig := range forwardable() {
			p.send(sig)
			p.sees("\n" + signalName(sig) + "\n")
			want = append(want, signalName(sig))
		}
		p.ends(128 + int(syscall.SIGHUP)) // the first of the stop signals
		if got := strings.Fields(p.read("stdout")); !slices.Equal(got, want) {
			t.Errorf("the command got %v, want %v", got, want)
		}
	})
}

// perlCatches is a program for what Go's runtime would hide from one in Go.
const perlCatches = `$| = 1; for my $s (qw(URG CHLD PIPE USR1)) { $SIG{$s} = sub { print "$s\n" } }
$SIG{USR2} = sub { exit 3 }; print "ready\n"; sleep 1 while 1`

func TestSignalsAboutNthAreNotForwarded(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		p := start(t, pid1, "--", "perl", "-e", perlCatches)
		p.sees("ready\n")
		p.send(syscall.SIGURG)
		p.send(syscall.SIGCHLD)
		p.send(syscall.SIGPIPE)
		p.send(syscall.SIGUSR1)
		p.sees("USR1\n")
		p.send(syscall.SIGUSR2)
		p.ends(3)
		if got := p.read("stdout"); got != "ready\nUSR1\n" {
			t.Errorf("the command got %q", got)
		}
	})
}

func TestBurst(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		p := start(t, pid1, "--", actorPath(t), "signals", "64")
		p.sees("ready\n")
		p.send(syscall.SIGTERM) // so that the first is known: a burst has no order
		p.sees("SIGTERM\n")
		all := forwardable()
		all = all[:len(all)-1]
		// The kernel lets each of these take a pending one of the others back (signal(7)).
		all = slices.DeleteFunc(all, func(sig syscall.Signal) bool {
			return slices.Contains([]syscall.Signal{syscall.SIGCONT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}, sig)
		})
		for n := range 1000 {
			p.send(all[n%len(all)])
		}
		for _, sig := range all {
			p.sees("\n" + signalName(sig) + "\n")
		}
		p.send(64)
		p.ends(143)
	})
}

func TestRemap(t *testing.T) {
	for _, tt := range []struct {
		name string
		send []syscall.Signal
		want []string
		code int
	}{
		{"another", []syscall.Signal{syscall.SIGTERM}, []string{"SIGINT"}, 143},
		// Of two that are pending either may be known first: the one between them tells that the first is.
		{"dropped, and a stop signal all the same", []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGTERM}, []string{"SIGUSR1", "SIGINT"}, 129},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, false, "--signal", "TERM=INT,HUP=", "--", actorPath(t), "signals", "SIGINT")
			p.sees("ready\n")
			for _, sig := range tt.send {
				if p.send(sig); sig == syscall.SIGUSR1 {
					p.sees("SIGUSR1\n")
				}
			}
			p.ends(tt.code)
			if got := strings.Fields(p.read("stdout"))[1:]; !slices.Equal(got, tt.want) {
				t.Errorf("the command got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestSignalTarget(t *testing.T) {
	const script = `trap "echo sh; trap '' USR1; : > $0" USR1
perl -e '$| = 1; $SIG{USR1} = sub { print "member\n" }; $SIG{USR2} = sub { exit }; print "ready\n"; sleep 1 while 1' &
while :; do sleep 0.02; [ -e "$0" ] && break; done
[ "$1" = group ] && wait; exit 5`
	for _, target := range []string{"child", "group"} {
		t.Run(target, func(t *testing.T) {
			flag := t.TempDir() + "/got"
			p := start(t, false, "--signal-target", target, "--", "sh", "-c", script, flag, target)
			p.sees("ready\n")
			p.send(syscall.SIGUSR1)
			p.sees("sh\n")
			if target == "group" {
				p.sees("member\n")
				p.send(syscall.SIGTERM)
				p.ends(143)
				return
			}
			p.ends(5)
			if strings.Contains(p.read("stdout"), "member") {
				t.Error("a member of the group got the signal")
			}
		})
	}
}

func TestStopGrace(t *testing.T) {
	both(t, func(t *testing.T, pid1 bool) {
		p := start(t, pid1, "--stop-grace", "200ms", "--", actorPath(t), "ignore", "SIGTERM")
		p.sees("ready\n")
		p.send(syscall.SIGTERM)
		p.ends(137)
	})
}

func TestSuccessAfterStop(t *testing.T) {
	for _, tt := range []struct {
		after string
		code  int
	}{{"failed", 143}, {"done", 0}} {
		t.Run(tt.after, func(t *testing.T) {
			both(t, func(t *testing.T, pid1 bool) {
				markers := t.TempDir()
				p := start(t, pid1, "--exit-zero-after-signal", tt.after, "--markers", "file://"+markers, "--", actorPath(t), "signals", "SIGTERM")
				p.sees("ready\n")
				p.send(syscall.SIGTERM)
				p.ends(tt.code)
				if got := hasMarker(markers); got != (tt.code == 0) {
					t.Errorf("marker: %v", got)
				}
			})
		})
	}
}
