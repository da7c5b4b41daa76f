package once

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/end"
	"nth/shim/failure"
	"nth/shim/item"
	"nth/shim/proc"
	"nth/shim/proc/guard"
)

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case proc.WatcherName:
		proc.WatcherMain()
	case guard.Name:
		guard.Main(os.Args[1:])
	default:
		os.Exit(m.Run())
	}
}

// TestPause: between a failure and the next try, a second that is doubled each time.
func TestPause(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 7: time.Minute, 1 << 30: time.Minute} {
		if got := Pause(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestPassing: what ends an index, or the Job, is not worth another try.
func TestPassing(t *testing.T) {
	var got []failure.Code
	for code := failure.Code(1); code <= 255; code++ {
		if !Passing(code) {
			got = append(got, code)
		}
	}
	if diff := cmp.Diff([]failure.Code{64, 65, 66, 78}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStoppedInThePause: a stop signal ends the pause too, which may be longer than anybody
// waits for the end. The clock is synctest's.
func TestStoppedInThePause(t *testing.T) {
	signals := proc.Watch(proc.SignalConfig{Stop: []syscall.Signal{syscall.SIGTERM}})
	if err := signals.RunMany(proc.Many{Jobs: 1, Next: func(int) (proc.One, bool) { return proc.One{}, false }}); err != nil { // as after a command
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		context.AfterFunc(signals.Context(), cancel)
		p := edge.NewProcess(edge.World{})
		p.Signals = signals
		w := &Way{Run: &item.Run{Process: p, Config: &config.Config{}}, Ending: end.New(config.Messages{}), Retry: 9}
		began, ended := time.Now(), make(chan error)
		go func() {
			ended <- w.retry(ctx, nil, end.After(&failure.Failure{Code: 3, Tried: "run", On: "sh", Cause: errors.New("exit code 3")}, end.Evidence{}))
		}()
		synctest.Wait()
		signals.Tell(syscall.SIGTERM)
		err := <-ended
		if f := failure.From(err); f.Code != 143 || !strings.Contains(f.Error(), "stopped by SIGTERM before it was run again; it had failed before: exit code 3") {
			t.Errorf("%d: %v", f.Code, err)
		}
		if later := time.Since(began); later > 0 {
			t.Errorf("it was heeded %s later", later)
		}
	})
}
