package shim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"nth/shim/failure"
)

// requirePoll is how often a missing input is looked for under --require-wait.
const requirePoll = time.Second

// require looks for every input before the command runs, so that a wrong
// mapping costs one index and not the whole Job: exit code 66, or, after a wait,
// 69, for then it is late and may be there the next time.
func (r *run) require() error {
	if len(r.item.require) == 0 {
		return nil
	}
	deadline := time.Now().Add(r.Mapping.RequireWait)
	for _, input := range r.item.require {
		for {
			there, err := r.exists(input)
			if err != nil {
				return err
			}
			if there {
				break
			}
			if !time.Now().Before(deadline) {
				return r.missing(input)
			}
			select {
			case <-r.ctx.Done():
				return r.stoppedBefore("require")
			case <-time.After(min(requirePoll, time.Until(deadline))):
			}
		}
		r.log.Debug().Str("input", input.shown).Msg("required input is there")
	}
	return nil
}

func (r *run) missing(input text) error {
	if r.Mapping.RequireWait > 0 {
		return &failure.Failure{Code: failure.Unavailable, Tried: "wait for the required input", On: input.shown,
			Cause: fmt.Errorf("it is still missing after %s", r.Mapping.RequireWait), Hint: "it is late: this counts as a failure and is tried again"}
	}
	return &failure.Failure{Code: failure.NoInput, Tried: "find the required input", On: input.shown,
		Cause: errors.New("it does not exist"),
		Hint:  r.header.What() + " is mapped to an input that isn't there: correct the template or the number of completions"}
}

func (r *run) exists(input text) (bool, error) {
	if strings.Contains(input.value, "://") {
		return r.blobExists(r.ctx, input, "look for the required input", r.Stores.StoreWait)
	}
	_, err := os.Stat(input.value)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return false, nil
	case errors.Is(err, fs.ErrPermission):
		return false, &failure.Failure{Code: failure.Denied, Tried: "look for the required input", On: input.shown, Cause: err,
			Hint: "let this user search the directories that lead to it"}
	}
	return false, &failure.Failure{Code: failure.Unavailable, Tried: "look for the required input", On: input.shown, Cause: err}
}
