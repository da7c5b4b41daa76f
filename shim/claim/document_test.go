package claim

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version": 1, "index": 5, "term": 7, "run_id": "x", "beat": 3, "ttl": 60, "released": true, "later": []}`))
	f.Add([]byte(`{"version": 1, "index": 5, "term": 7, "run_id": "x", "beat": 3, "ttl": 1e308}`))
	f.Add([]byte(`{"index": 5}{}`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Decode(body, 5)
		if err != nil {
			return
		}
		if d.Index != 5 || d.RunID == "" || d.Term < 1 || d.Beat < 1 || d.Silence() < 0 || d.Silence() > MaxTTL {
			t.Errorf("%q was taken for %+v, silent for %v", body, d, d.Silence())
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := Decode(again, 5); err != nil || cmp.Diff(d, e) != "" {
			t.Errorf("%s: %+v, %v", again, e, err)
		}
	})
}

func TestSilence(t *testing.T) {
	for ttl, want := range map[float64]time.Duration{60: time.Minute, 0.5: time.Second / 2, 1e300: MaxTTL, 86400: MaxTTL, 86401: MaxTTL} {
		if got := (Document{TTL: ttl}).Silence(); got != want {
			t.Errorf("%v: %v, want %v", ttl, got, want)
		}
	}
}
