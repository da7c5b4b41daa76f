package store_test

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"nth/shim/store"
	"nth/shim/store/contract"
)

func kind(k contract.Kind) error { return &contract.Error{Kind: k, Cause: errors.New("on purpose")} }

// TestRetryEnds: which answers end the tries at once, and which are tried again
// until the window is over. The clock is synctest's.
// blocked is what a directory's store says of what stands in the way.
func blocked(by error) error {
	return &contract.Error{Kind: contract.Unreachable, Cause: &fs.PathError{Op: "stat", Path: "/x", Err: by}}
}

func TestRetryEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		once bool
	}{
		{"success", nil, true},
		{"absent", kind(contract.Absent), true},
		{"exists", kind(contract.Exists), true},
		{"refused", kind(contract.Refused), true},
		{"malformed", kind(contract.Malformed), true},
		{"unsupported", kind(contract.Unsupported), true},
		{"no such queue", kind(contract.NoSuch), true},
		{"invalid", kind(contract.Invalid), true},
		{"lost", kind(contract.Lost), true},
		{"a directory in a blob's place", blocked(contract.ErrDirectory), true},
		{"a socket in a blob's place", blocked(contract.ErrNotBlob), true},
		{"a file in a directory's place", blocked(syscall.ENOTDIR), true},
		{"conflict", kind(contract.Conflict), false},
		{"unreachable", kind(contract.Unreachable), false},
		{"denied", kind(contract.Denied), false},
		{"other", kind(contract.Other), false},
		{"not a store's error", errors.New("x"), false},
		{"no answer in time", context.DeadlineExceeded, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const window = time.Minute
				begin, tries, told := time.Now(), 0, 0
				err := store.Retry(t.Context(), store.Policy{Window: window, PerCall: 30 * time.Second}, func(context.Context) error {
					tries++
					return c.err
				}, func(err error, _ time.Duration) {
					if told++; err != c.err {
						t.Errorf("told %v", err)
					}
				})
				if err != c.err || told != tries-1 {
					t.Errorf("%v; %d tries, told of %d", err, tries, told)
				}
				took := time.Since(begin)
				if c.once && (tries != 1 || took != 0) || !c.once && (tries < 8 || took != window) {
					t.Errorf("%d tries in %v", tries, took)
				}
			})
		})
	}
}

// TestRetryInTheMiddle: the caller says what is final.
func TestRetryInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		err := store.Retry(t.Context(), store.Policy{Window: time.Minute, Final: store.InTheMiddle}, func(context.Context) error {
			if tries++; tries < 3 {
				return kind(contract.Refused)
			}
			return kind(contract.Absent)
		}, nil)
		if store.Classify(err) != contract.Absent || tries != 3 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

func TestRetryBounds(t *testing.T) {
	const second = time.Second
	for _, c := range []struct {
		name            string
		window, perCall time.Duration
		tries           int
		took            time.Duration
	}{
		{"one try", 0, 3 * second, 1, 3 * second},
		{"a call is longer than the window", 10 * second, 30 * second, 2, 11 * second},
		{"the last call is cut", 45 * second, 30 * second, 2, 45 * second},
		{"no limit of its own", 10 * second, 0, 2, 11 * second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin, tries := time.Now(), 0
				err := store.Retry(t.Context(), store.Policy{Window: c.window, PerCall: c.perCall}, func(ctx context.Context) error {
					tries++
					<-ctx.Done() // a store that never answers
					return ctx.Err()
				}, nil)
				took := time.Since(begin)
				if !errors.Is(err, context.DeadlineExceeded) || took > c.window+max(second, c.perCall) || took > c.took {
					t.Errorf("%v after %v and %d tries", err, took, tries)
				}
				if c.window > 0 && took > c.window+second {
					t.Errorf("%v is more than a second beyond the window", took)
				}
			})
		})
	}
}

// TestRetryIsStopped: a stop signal ends it at once, in a call and between two.
func TestRetryIsStopped(t *testing.T) {
	stop := errors.New("SIGTERM")
	for name, op := range map[string]func(context.Context) error{
		"in a call":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"between two": func(context.Context) error { return kind(contract.Unreachable) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(20*time.Second, func() { cancel(stop) })
				begin := time.Now()
				err := store.Retry(ctx, store.Policy{Window: time.Hour, PerCall: time.Minute}, op, nil)
				if took := time.Since(begin); err != stop || took != 20*time.Second {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}

// TestRetryRecovers: it succeeds as soon as the store does; two runs don't wait alike.
func TestRetryRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := map[time.Duration]bool{}
		for range 20 {
			tries := 0
			err := store.Retry(t.Context(), store.Policy{Window: time.Hour}, func(context.Context) error {
				if tries++; tries < 3 {
					return kind(contract.Unreachable)
				}
				return nil
			}, func(_ error, wait time.Duration) { waits[wait] = true })
			if err != nil || tries != 3 {
				t.Errorf("%v after %d tries", err, tries)
			}
		}
		if len(waits) < 10 {
			t.Errorf("%d different waits of 40: they are not random", len(waits))
		}
	})
}

// TestRetryPieces: an answer that comes in pieces may take longer than a try and the window
// have, but where the deadline is for the whole.
func TestRetryPieces(t *testing.T) {
	for _, pieces := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			begin, tries := time.Now(), 0
			err := store.Retry(t.Context(), store.Policy{Window: time.Minute, PerCall: 30 * time.Second, Pieces: pieces}, func(ctx context.Context) error {
				tries++
				for range 100 {
					select {
					case <-time.After(20 * time.Second):
						contract.Came(ctx)
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				}
				return nil
			}, nil)
			took := time.Since(begin)
			if pieces && (err != nil || tries != 1 || took != 2000*time.Second) {
				t.Errorf("%d tries in %v, %v", tries, took, err)
			}
			if !pieces && (!errors.Is(err, context.DeadlineExceeded) || took > 2*time.Minute) {
				t.Errorf("as a whole: %d tries in %v, %v", tries, took, err)
			}
		})
	}
}

// TestRetryReadOnly: a volume that is mounted read-only stays so; one that is full may not.
func TestRetryReadOnly(t *testing.T) {
	for errno, want := range map[syscall.Errno]bool{syscall.EROFS: true, syscall.ENOSPC: false, syscall.EACCES: false} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			_ = store.Retry(t.Context(), store.Policy{Window: time.Minute}, func(context.Context) error {
				tries++
				return &contract.Error{Kind: contract.Denied, Cause: &fs.PathError{Op: "open", Path: "/x", Err: errno}}
			}, nil)
			if once := tries == 1; once != want {
				t.Errorf("%v: %d tries", errno, tries)
			}
		})
	}
}

// TestRetryPaused: of a time in which the process was stopped, as a suspended job is, no window
// passes: what was under way is tried again, with as much time as it would have had.
func TestRetryPaused(t *testing.T) {
	const night = 10 * time.Hour // a call, or a pause, whose end comes so late: nobody looked at the clock
	for name, c := range map[string]struct {
		policy store.Policy
		calls  int // the one that the process was stopped in; -1: in the pause behind the first
		tries  int
		took   time.Duration // by the call behind that
	}{
		"in a call":             {store.Policy{Window: time.Minute, PerCall: 30 * time.Second}, 1, 2, 20 * time.Second},
		"in one with pieces":    {store.Policy{Window: time.Minute, PerCall: 30 * time.Second, Pieces: true}, 1, 2, 20 * time.Second},
		"in one for all of it":  {store.Policy{Window: 10 * time.Second, PerCall: 30 * time.Second}, 1, 2, 900 * time.Millisecond},
		"in a later one":        {store.Policy{Window: time.Minute, PerCall: 30 * time.Second}, 3, 4, 20 * time.Second},
		"between two":           {store.Policy{Window: time.Minute, PerCall: 30 * time.Second}, -1, 2, 20 * time.Second},
		"there is only one try": {store.Policy{PerCall: 30 * time.Second}, 1, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries, stopped := 0, false
				if c.calls < 0 {
					c.policy.Sleep = func(_ context.Context, d time.Duration) error {
						time.Sleep(d + night)
						stopped = true
						return nil
					}
				}
				err := store.Retry(t.Context(), c.policy, func(ctx context.Context) error {
					if tries++; stopped {
						select {
						case <-time.After(c.took):
							return nil
						case <-ctx.Done():
							return context.Cause(ctx)
						}
					}
					if tries == c.calls {
						time.Sleep(night)
						stopped = true
					}
					return kind(contract.Unreachable)
				}, nil)
				if tries != c.tries || (err == nil) != (c.policy.Window > 0) {
					t.Errorf("%d tries, %v", tries, err)
				}
			})
		})
	}
}
