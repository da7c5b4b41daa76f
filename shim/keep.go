package shim

import (
	"os"
	"strings"
	"time"

	"nth/shim/logs"
	"nth/shim/proc"
	"nth/shim/store"
)

// unkeptWindow bounds the wait for the log of a task when the store didn't take that of
// the task before.
const unkeptWindow = time.Second

// openLogs opens where the output is kept, which a worker has open already.
func (r *run) openLogs(url string) (err error) {
	if url != "" && r.logs == nil {
		r.logs, err = store.Open(r.ctx, url)
	}
	return err
}

// beginLog lets the command's output be kept.
func (r *run) beginLog(c *proc.Command) error {
	out, errs, err := r.startLog()
	if out {
		c.Stdout = r.output.Stream()
	}
	if errs {
		c.Stderr = r.output.Stream()
	}
	if out || errs {
		c.OnStop = r.output.Soon
	}
	return err
}

// beginLogOfItems lets the output of all items be kept, as one.
func (r *run) beginLogOfItems(m *proc.Many) error {
	out, errs, err := r.startLog()
	if out {
		m.Stdout = r.output.Stream
	}
	if errs {
		m.Stderr = r.output.Stream
	}
	if out || errs {
		stop := m.OnStop
		m.OnStop = func() {
			stop()
			r.output.Soon()
		}
	}
	return err
}

// startLog begins a log, and tells which output goes there: what isn't written to a
// terminal, for programs behave in another way before a pipe.
func (r *run) startLog() (out, errs bool, err error) {
	if err := r.openLogs(r.item.logs.value); err != nil || r.logs == nil {
		return false, false, err
	}
	out, errs = !isTerminal(os.Stdout), !isTerminal(os.Stderr)
	if (!out || !errs) && (r.worker == nil || r.worker.settled == 0) {
		r.log.Warn().Msg("--logs keeps nothing of what goes to a terminal")
	}
	if !out && !errs {
		return false, false, nil
	}
	name := logs.Index(r.header.Index, r.RunID)
	if t := r.header.Task; t != nil {
		name = logs.Task(t.Key, r.RunID, r.worker.settled+1, strings.HasPrefix(r.item.logs.value, "file:"))
	}
	r.header.Log = r.mask(r.logs.Show(logs.Key(name, 1)))
	r.output = logs.New(logs.Options{Store: r.logs, Name: name, Secrets: r.item.secrets, PerCall: r.Stores.StoreTimeout, Describe: r.said, Rest: trim,
		Warn: func(reason string) {
			r.log.Warn().Str("log", r.header.Log).Msg("keep the output: " + reason + "; trying again")
		},
		Back: func() { r.log.Info().Str("log", r.header.Log).Msg("the output is kept again") }})
	return out, errs, nil
}

// endLog begins to upload what is left, while the item is judged and recorded: the
// marker doesn't wait for the log, nor the log for the marker.
func (r *run) endLog(started bool) {
	switch {
	case r.output == nil:
	case !started:
		r.output.Discard()
		r.output, r.header.Log = nil, ""
	default:
		within, unproven := r.Stores.StoreTimeout, toldWindow
		if _, stopped := r.signals.Stopped(); stopped {
			within = toldWindow
		}
		if r.worker != nil && r.worker.unkept {
			unproven = unkeptWindow
		}
		r.output.End(within, unproven)
	}
}

// awaitLog waits for the rest of the log. That it can't be kept changes nothing.
func (r *run) awaitLog() {
	if r.output == nil {
		return
	}
	whole := r.output.Wait()
	if r.worker != nil {
		r.worker.unkept = !whole
	}
	if !whole {
		r.log.Warn().Str("log", r.header.Log).Msg("the store doesn't have all of the output")
	}
}
