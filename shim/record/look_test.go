package record

import (
	"encoding/json"
	"io"
	"testing"

	"github.com/rs/zerolog"

	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/marker"
	"nth/shim/store"
)

// TestLook: what --on-change says of a marker of another command, where the store can
// replace it and where it can't.
func TestLook(t *testing.T) {
	type want struct {
		Settled, Again bool
		Code           failure.Code
	}
	for _, tt := range []struct {
		store, onChange, digest string
		want                    want
	}{
		{"file", marker.OnChangeFail, "d", want{Settled: true}},
		{"file", marker.OnChangeRerun, "d", want{Settled: true}},
		{"file", marker.OnChangeFail, "x", want{Code: failure.BadIndex}},
		{"file", marker.OnChangeSkip, "x", want{Settled: true}},
		{"file", marker.OnChangeRerun, "x", want{Again: true}},
		{"mem", marker.OnChangeFail, "x", want{Code: failure.BadIndex}},
		{"mem", marker.OnChangeRerun, "x", want{Code: failure.Setup}},
		{"mem", marker.OnChangeRerun, "d", want{Settled: true}},
		{"mem", marker.OnChangeRerun, "", want{}}, // none is there
	} {
		t.Run(tt.store+" "+tt.onChange+" "+tt.digest, func(t *testing.T) {
			url := "mem://"
			if tt.store == "file" {
				url = "file://" + t.TempDir()
			}
			s, err := store.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			h := marker.Header{Version: 1, Index: 5, RunID: "other", Digest: tt.digest, Command: []string{"work", tt.digest}}
			if tt.digest != "" {
				body, err := json.Marshal(marker.Marker{Header: h, Source: marker.SourceRun, Outcome: marker.Done})
				if err == nil {
					err = s.Put(t.Context(), marker.Key("done", 5), body)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			p := edge.NewProcess(edge.World{})
			p.Log = zerolog.New(io.Discard)
			h.Digest, h.Command = "d", []string{"work", "d"}
			v, _, err := Record{Process: p, book: &marker.Book{Store: s, OnChange: tt.onChange}}.Look(t.Context(), h)
			got := want{Settled: v.Settled, Again: v.Again()}
			if err != nil {
				got.Code = failure.From(err).Code
			}
			if got != tt.want {
				t.Errorf("%+v, want %+v: %v", got, tt.want, err)
			}
		})
	}
}
