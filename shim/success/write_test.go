package success

import (
	"context"
	"errors"
	"testing"
	"time"

	"nth/shim/identity"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// losing is a place of which some answers are lost.
type losing struct {
	Store
	lost  int
	there []byte
}

func (l *losing) Show(string) string { return "mem://" }

func (l *losing) Create(_ context.Context, _ string, body []byte) error {
	if l.there != nil {
		return &contract.Error{Kind: contract.Exists, Cause: errors.New("it is there")}
	}
	l.there = body
	if l.lost--; l.lost >= 0 {
		return &contract.Error{Kind: contract.Unreachable, Cause: errors.New("no answer")}
	}
	return nil
}

func (l *losing) Read(context.Context, string) ([]byte, contract.Token, error) {
	return l.there, "", nil
}

// TestWriteAgain: who has written the document knows it, though the answer was lost; and who
// finds another's doesn't take it for its own.
func TestWriteAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		at   *losing
		want bool
	}{
		"at once":     {&losing{}, true},
		"lost":        {&losing{lost: 1}, true},
		"another's":   {&losing{there: []byte(`{"version": 1, "completions": 1, "run_id": "b"}`)}, false},
		"one of ours": {&losing{there: []byte(`{"version": 1, "completions": 1, "run_id": "a"}`)}, false}, // this one wrote nothing
	} {
		j := &Job{Markers: tt.at, At: tt.at, N: 1, Mine: Document{RunID: "a"},
			Policy: store.Policy{Window: time.Minute, Sleep: func(context.Context, time.Duration) error { return nil }}}
		if wrote, err := j.Write(t.Context(), Found{}, identity.List{}); wrote != tt.want || err != nil {
			t.Errorf("%s: %v, %v", name, wrote, err)
		}
	}
}
