package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nth/shim/store/contract"
	"nth/shim/task"
)

// TestRetryAfter: seconds, a date, and what is neither (RFC 9110, section 10.2.3).
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 25, 4, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, tt := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0}, {"0", "", 0}, {"30", "", 30 * time.Second}, {" 7 ", "", 7 * time.Second}, {"3600", "", time.Hour}, {"3601", "", maxWait},
		{"99999999999999999999999999", "", maxWait}, {"-5", "", 0}, {"1.5", "", 0}, {"soon", "", 0}, {"30s", "", 0},
		{date(90 * time.Second), "", 90 * time.Second}, {date(-time.Hour), "", 0}, {date(100 * time.Hour), "", maxWait},
		{date(time.Minute), date(-time.Minute), 2 * time.Minute}, {date(time.Minute), date(time.Hour), 0}, {date(time.Minute), "today", time.Minute},
		{now.Add(time.Minute).Format(time.RFC850), "", time.Minute}, {now.Add(time.Minute).Format(time.RFC3339), "", 0},
	} {
		h := http.Header{"Retry-After": {tt.value}, "Date": {tt.date}}
		if diff := cmp.Diff(tt.want, retryAfter(h, now)); diff != "" {
			t.Errorf("%q at %q (-want +got):\n%s", tt.value, tt.date, diff)
		}
	}
}

// TestWait: an API that wants to be left alone is not called again before, and only
// the call that it refused waits.
func TestWait(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			var takes []time.Time
			s, _ := scripted(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/queues/q/take" {
					return
				}
				if takes = append(takes, time.Now()); len(takes) > 1 {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(status)
			})
			_, err := s.Take(t.Context())
			e, ok := errors.AsType[*contract.Error](err)
			if !ok || e.Kind != contract.Unreachable || e.Hint != "the API wants to be called again in 1s (Retry-After)" {
				t.Fatalf("%+v", err)
			}
			if err := s.Keep(t.Context(), &task.Task{ID: "7"}); err != nil {
				t.Errorf("keep: %v", err)
			}
			if got, err := s.Take(t.Context()); got != nil || err != nil {
				t.Errorf("took %+v, %v", got, err)
			}
			if len(takes) != 2 || takes[1].Sub(takes[0]) < time.Second {
				t.Errorf("called at %v", takes)
			}
		})
	}
}

// TestWaitEnds: the wait is the caller's to end, and who didn't ask for one gets none.
func TestWaitEnds(t *testing.T) {
	requests, header := 0, "1000"
	s, _ := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.Header().Set("Retry-After", header)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	take := func(ctx context.Context) *contract.Error {
		t.Helper()
		_, err := s.Take(ctx)
		e, ok := errors.AsType[*contract.Error](err)
		if !ok || e.Kind != contract.Unreachable {
			t.Fatal(err)
		}
		return e
	}
	if header = "in a while"; take(t.Context()).Hint != "" {
		t.Error("it is to wait for nothing")
	}
	header = "1000"
	take(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e := take(ctx); e.Hint == "" || !errors.Is(e, context.Canceled) || requests != 2 {
		t.Errorf("%d requests; %v, %q", requests, e, e.Hint)
	}
}

// TestKeyAfterAWait: the key of a take counts from when that is sent, and not from before the
// API was waited for: a lease later another one would be taken, while the first is leased still.
func TestKeyAfterAWait(t *testing.T) {
	taken, _ := scripted(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	s := taken.(*source)
	until := time.Now().Add(200 * time.Millisecond)
	s.waits["take"] = until
	if _, err := s.Take(t.Context()); outcome(err) != "unreachable" {
		t.Fatal(err)
	}
	if s.key == "" || s.keyed.Before(until) {
		t.Errorf("the key %q counts from %s before it was sent", s.key, until.Sub(s.keyed))
	}
}
