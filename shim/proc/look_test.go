package proc

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// TestLook: a signal that the kernel had before nth looked counts for every command that ended
// before and isn't judged, however much later nth comes to handle it; that nobody has looked for
// one is no verdict. Both, whether ends of children are noted or not.
func TestLook(t *testing.T) {
	const stops = syscall.SIGUSR2
	for _, noted := range []bool{true, false} {
		t.Run(fmt.Sprint(noted), func(t *testing.T) {
			s := newSignals(&host{}, SignalConfig{Stop: []syscall.Signal{stops}})
			s.intake = takeIn([]os.Signal{stops, syscall.SIGCHLD})
			s.intake.marks = syscall.SIGCHLD
			defer signal.Stop(s.intake.caught)
			s.intake.begin(s.handle)
			s.intake.noted(noted)
			want := func(when string, ended time.Time, final bool, by syscall.Signal) {
				t.Helper()
				if is, got := s.Settled(ended); is != final || got != by {
					t.Fatalf("%s: final %v by %v, want %v by %v", when, is, got, final, by)
				}
			}
			long := time.Now().Add(-time.Second)
			want("nobody has looked", long, false, 0)
			s.Look()
			want("without a signal", long, true, 0)
			want("that ended since", time.Now(), false, 0)
			since := time.Now()
			if err := syscall.Kill(os.Getpid(), stops); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * Settle) // it was handled late, say
			s.Look()
			want("with one", since, true, stops)
			want("judged before", long, true, 0)
			want("that ended since", time.Now(), true, 0)
		})
	}
}
