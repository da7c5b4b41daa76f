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

// TestLookAmongEnds: the end of a child isn't taken for the sign that nth has looked, though it is
// handled when nth waits for that: a stop signal that came after it isn't yet.
func TestLookAmongEnds(t *testing.T) {
	const stops, first = syscall.SIGUSR2, syscall.SIGUSR1
	s := newSignals(&host{}, SignalConfig{Stop: []syscall.Signal{stops}})
	s.intake = takeIn([]os.Signal{first, stops, syscall.SIGCHLD})
	defer signal.Stop(s.intake.caught)
	gates := map[syscall.Signal]chan struct{}{first: make(chan struct{}), stops: make(chan struct{})}
	s.intake.begin(func(sig syscall.Signal) {
		if gate := gates[sig]; gate != nil {
			<-gate
		}
		s.handle(sig)
	})
	for _, sig := range []syscall.Signal{first, syscall.SIGCHLD, stops} {
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		for sig != first && !s.intake.waiting[sig].Load() { // the first is being handled
			time.Sleep(time.Millisecond)
		}
	}
	ended, looked := time.Now(), make(chan struct{})
	go func() {
		time.Sleep(2 * Settle)
		s.Look()
		close(looked)
	}()
	time.Sleep(3 * Settle)
	close(gates[first])
	select {
	case <-looked:
		t.Error("it has looked before the stop signal was handled")
	case <-time.After(5 * Settle):
	}
	close(gates[stops])
	<-looked
	if final, by := s.Settled(ended); !final || by != stops {
		t.Errorf("final %v by %s", final, SignalName(by))
	}
}
