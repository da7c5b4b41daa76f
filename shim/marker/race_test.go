package marker

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"nth/shim/failure"
	"nth/shim/store"
)

// TestCameAndWent: a marker that was there when ours was to be written, and is gone when it
// is looked at, has recorded nothing: ours is written after all. One that can't be written
// is done and not recorded.
func TestCameAndWent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fails  int // how often a write is refused
		window time.Duration
		code   failure.Code
		puts   int
	}{
		{"not at all", 0, time.Hour, 0, 1},
		{"once", 1, time.Hour, 0, 2},
		{"twice", 2, time.Hour, 0, 3},
		{"for too long", 1, 0, failure.NotRecorded, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			puts := 0
			s3 := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				status, code := http.StatusNotFound, "NoSuchKey"
				if r.Method == http.MethodPut {
					if puts++; puts > tt.fails {
						w.Header().Set("ETag", `"1"`)
						return
					}
					status, code = http.StatusPreconditionFailed, "PreconditionFailed"
				}
				w.WriteHeader(status)
				fmt.Fprintf(w, "<Error><Code>%s</Code><Message>on purpose</Message></Error>", code)
			}))
			defer s3.Close()
			s, err := store.Open(t.Context(), "s3://b/p?anonymous=true&endpoint="+s3.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			p := store.Policy{PerCall: time.Minute, Window: tt.window, Sleep: func(context.Context, time.Duration) error { return nil }}
			how, _, err := (&Book{Store: s, Write: p, Told: p}).Finish(t.Context(), markerOf("mine", "d"), nil)
			if tt.code != 0 {
				if err == nil || failure.From(err).Code != tt.code {
					t.Errorf("%v, want code %d", err, tt.code)
				}
				return
			}
			if err != nil || how != Written || puts != tt.puts {
				t.Errorf("%v %v after %d writes, want %d", how, err, puts, tt.puts)
			}
		})
	}
}
