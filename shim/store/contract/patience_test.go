package contract

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

const limit = 30 * time.Second

// TestPatience: what is waited for while nothing comes counts, and nothing else.
func TestPatience(t *testing.T) {
	for name, tt := range map[string]struct {
		do    func(context.Context)
		lasts bool
	}{
		"nothing comes":         {func(context.Context) { time.Sleep(limit + 1) }, false},
		"it comes in time":      {func(context.Context) { time.Sleep(limit - 1) }, true},
		"pieces":                {func(ctx context.Context) { sleeps(100, limit-1, func() { Came(ctx) }) }, true},
		"the last piece stalls": {func(ctx context.Context) { sleeps(100, limit-1, func() { Came(ctx) }); time.Sleep(limit + 1) }, false},
		"nobody waits":          {func(ctx context.Context) { Rest(ctx); time.Sleep(100 * limit) }, true},
		"what is asked then":    {func(ctx context.Context) { Rest(ctx); time.Sleep(limit); Asked(ctx); time.Sleep(limit + 1) }, false},
		"waits without a piece": {func(ctx context.Context) { sleeps(3, limit/2, func() { Rest(ctx); Asked(ctx) }) }, false},
		"a piece while it rests": {func(ctx context.Context) {
			time.Sleep(limit / 2)
			Rest(ctx)
			Came(ctx)
			Asked(ctx)
			time.Sleep(limit - 1)
		}, true},
		"asked twice":               {func(ctx context.Context) { sleeps(3, limit/2, func() { Asked(ctx) }) }, false},
		"one of two still waits":    {func(ctx context.Context) { Asked(ctx); Asked(ctx); Rest(ctx); time.Sleep(limit + 1) }, false},
		"both have got it":          {func(ctx context.Context) { Asked(ctx); Asked(ctx); Rest(ctx); Rest(ctx); time.Sleep(limit + 1) }, true},
		"bytes that are a piece":    {func(ctx context.Context) { sleeps(100, limit-1, func() { Got(ctx, piece) }) }, true},
		"bytes that become one":     {func(ctx context.Context) { sleeps(100, limit/8, func() { Got(ctx, piece/4) }) }, true},
		"a body that only trickles": {func(ctx context.Context) { sleeps(100, time.Second, func() { Got(ctx, 1) }) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := WithPatience(t.Context(), limit)
				defer cancel()
				tt.do(ctx)
				synctest.Wait()
				if err := context.Cause(ctx); tt.lasts && err != nil || !tt.lasts && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("it ended with %v", err)
				}
			})
		})
	}
}

func sleeps(n int, d time.Duration, then func()) {
	for range n {
		time.Sleep(d)
		then()
	}
}

// slowly gives n bytes after each pause, and so many times.
type slowly struct {
	n, times int
	pause    time.Duration
}

func (s *slowly) Read(b []byte) (int, error) {
	time.Sleep(s.pause)
	if s.times == 0 {
		return 0, io.EOF
	}
	s.times--
	return min(s.n, len(b)), nil
}

// TestBodies: the pieces of an answer count, and so do those of a request as they go; only
// an answer's reader may take his time between them.
func TestBodies(t *testing.T) {
	for name, tt := range map[string]struct {
		wrap        func(context.Context, io.ReadCloser) io.ReadCloser
		body        slowly
		each, after time.Duration // what happens after each piece, and after all
		lasts       bool
	}{
		"an answer":                   {Received, slowly{n: piece, times: 50, pause: limit - 1}, 0, 0, true},
		"whose reader is slow":        {Received, slowly{n: piece, times: 50, pause: limit / 2}, 10 * limit, 10 * limit, true},
		"whose small one's reader is": {Received, slowly{n: 10, times: 2, pause: 1}, 10 * limit, 10 * limit, true},
		"that trickles":               {Received, slowly{n: 1, times: 50, pause: time.Second}, 0, 0, false},
		"a request":                   {Sent, slowly{n: piece, times: 50, pause: limit / 2}, 0, limit / 3, true},
		"whose answer doesn't come":   {Sent, slowly{n: piece, times: 50, pause: limit / 2}, 0, limit + 1, false},
		"that isn't taken":            {Sent, slowly{n: piece, times: 50, pause: 1}, limit + 1, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := WithPatience(t.Context(), limit)
				defer cancel()
				body := tt.wrap(ctx, io.NopCloser(&tt.body))
				buf := make([]byte, piece)
				for {
					if _, err := body.Read(buf); err != nil {
						break
					}
					time.Sleep(tt.each)
				}
				time.Sleep(tt.after)
				synctest.Wait()
				if err := context.Cause(ctx); tt.lasts && err != nil || !tt.lasts && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("it ended with %v", err)
				}
			})
		})
	}
}

// TestNoPatience: where a deadline is for the whole, pieces change nothing.
func TestNoPatience(t *testing.T) {
	ctx := t.Context()
	Asked(ctx)
	Came(ctx)
	Got(ctx, piece)
	Rest(ctx)
	body := io.NopCloser(&slowly{})
	if Received(ctx, body) != body || Sent(ctx, body) != body {
		t.Error("the body isn't the same")
	}
}
