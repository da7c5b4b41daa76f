package status

import (
	"context"
	"testing"
	"time"

	"nth/shim/store/contract"
	"nth/shim/success"
)

// late is a store whose answer is there when the time is over.
type late struct {
	success.Store
	over func()
}

func (l late) Read(context.Context, string) ([]byte, contract.Token, error) {
	l.over()
	return []byte(`{"version": 1, "completions": 3, "done": 3}`), "", nil
}

// TestWaitAtTheEnd: who has the answer when the time is over, or a signal comes, gives the
// answer: nth may have been paused in between.
func TestWaitAtTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	j := &waiter{c: WaitConfig{Interval: time.Hour}, end: &success.Job{At: late{over: func() { cancel(errLate) }}}}
	if err := j.wait(ctx); err != nil || j.document == nil {
		t.Errorf("%v, with the document %v", err, j.document)
	}
}
