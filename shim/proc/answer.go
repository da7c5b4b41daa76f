//go:build !windows

package proc

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"nth/shim/failure"
)

// answering ends when a command wants its signals itself.
var answering answers

type answers struct {
	sync.Once
	over   chan struct{} // nil: nobody answers
	caught chan os.Signal
}

// end hands on what nobody has answered yet: who does may not have run. It may come twice then.
func (a *answers) end(to chan<- os.Signal) {
	a.Do(func() {
		if a.over == nil {
			return
		}
		defer close(a.over)
		signal.Stop(a.caught)
		select { // one is enough
		case sig := <-a.caught:
			select {
			case to <- sig:
			default: // it has had others
			}
		default:
		}
	})
}

// Answer is for a command that is no run: a signal that stops ends the process, with one
// line and exit code 128+n, until the command asks for such signals (Interruptible,
// Stops). All others are as Go has them.
func Answer(stderr io.Writer) {
	caught := notify(nil)
	pending := release()
	over := make(chan struct{})
	answering.over, answering.caught = over, caught
	go func() {
		var got syscall.Signal
		if len(pending) > 0 {
			got = pending[0]
		} else {
			select {
			case sig := <-caught:
				got = sig.(syscall.Signal)
			case <-over:
				return
			}
		}
		fmt.Fprintln(stderr, "nth: stopped by "+SignalName(got))
		os.Exit(failure.SignalOffset + int(got))
	}()
}

// Stops brings the signals that stop a command which is no run, from now on. What nth was
// started to ignore, as nohup does it, doesn't.
func Stops(more ...os.Signal) chan os.Signal {
	c := notify(more)
	answering.end(c)
	return c
}

// Attend is Watch for a command that is no run, and runs others: the signals that stop, and more,
// come over the channel, and reach nobody else. It is called once.
func Attend(more ...os.Signal) (*Signals, <-chan os.Signal) {
	s := newSignals(&host{pid1: os.Getpid() == 1, kin: newKin(), tells: true}, SignalConfig{})
	stops := make(chan os.Signal, 8)
	caught := append(slices.DeleteFunc(stopping(), signal.Ignored), more...)
	if s.pid1 { // others' orphans come at any time
		caught = append(caught, syscall.SIGCHLD)
		go reapStale(s.wake.idle, s.whileIdle)
	}
	s.intake = takeIn(caught)
	s.intake.begin(func(sig syscall.Signal) {
		switch sig {
		case mark:
			poke(s.wake.caughtUp)
			return
		case syscall.SIGCHLD:
			poke(s.wake.idle)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.stop.first.Signal == 0 {
			s.stop.first = First{sig, time.Now()}
		}
		select {
		case stops <- sig:
		default: // there are more than anybody needs
		}
	})
	answering.end(s.intake.caught)
	return s, stops
}

func notify(more []os.Signal) chan os.Signal {
	c := make(chan os.Signal, 8)
	// With none, it would be all of them.
	if list := append(slices.DeleteFunc(stopping(), signal.Ignored), more...); len(list) > 0 {
		signal.Notify(c, list...)
	}
	return c
}

// stopping are the signals that stop a command which is no run.
func stopping() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
}

// release gives back what Catch has caught, and which of it stops.
func release() (stops []syscall.Signal) {
	if early == nil {
		return nil
	}
	signal.Stop(early.caught)
	for {
		select {
		case sig := <-early.caught:
			if slices.Contains(stopping(), sig) {
				stops = append(stops, sig.(syscall.Signal))
			}
		default:
			return stops
		}
	}
}
