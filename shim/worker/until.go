package worker

import (
	"time"

	"nth/shim/identity"
)

// until is how long tasks are taken.
type until struct {
	most time.Duration // since the worker began; 0: without end
	by   string        // what says so
}

// lastMinute is how long before its job's end a worker takes no task any more: what begins
// then would be ended in the middle, and counts as an attempt. Of a short job it is a tenth.
const lastMinute = time.Minute

// ends finds out how long tasks are taken: --max-runtime says it, else the platform, where
// it tells when it ends the job.
func (w *worker) ends() until {
	if d := w.Config.Tasks.MaxRuntime; d != nil {
		return until{max(*d, 0), "--max-runtime"}
	}
	variable, at, err := identity.Ends(w.LookupEnv)
	if variable == "" {
		return until{}
	}
	left := at.Sub(w.count.began)
	switch {
	case err != nil:
		w.Log.Warn().Err(err).Msg(variable + " is ignored: tasks are taken without end")
		return until{}
	case left <= 0: // the job goes on all the same: it was given more time, or a clock is wrong
		w.Log.Warn().Time("job_ends", at).Msg(variable + " is over, and ignored: tasks are taken without end")
		return until{}
	}
	most := left - min(lastMinute, left/10)
	w.Log.Info().Time("job_ends", at).Time("until", w.count.began.Add(most)).Msg("tasks are taken until shortly before the job's end: " + variable)
	return until{most, variable}
}

// late tells whether no task is begun any more.
func (w *worker) late() bool {
	return w.until.most > 0 && time.Since(w.count.began) >= w.until.most
}
