package worker

import (
	"sync"

	"github.com/rs/zerolog"

	"nth/shim/identity"
	"nth/shim/once"
	"nth/shim/proc"
)

// crew lets a worker do several tasks at the same time, each with its command in a slot of its
// own. A task that has left its slot is still judged, recorded and acknowledged in its place:
// for 20 ms a stop signal counts that may have ended its command. So there are more places than
// slots where tasks are short, and none is taken that has no slot.
type crew struct {
	*worker
	signals proc.SignalConfig
	parts   *proc.Parts
	slots   chan int // in which no command runs
	idle    chan *place
	logs    []zerolog.Logger // by slot
	rounds  sync.WaitGroup
}

func (w *worker) workAtOnce() (err error) {
	c, jobs := &crew{worker: w}, w.Config.AtOnce()
	process := w.Config.Process
	if c.signals, err = process.SignalConfig(identity.StopSignals(w.LookupEnv)...); err != nil {
		return err
	}
	outside, _ := once.Grace(process)
	if c.parts, err = w.Signals.Divide(jobs, process.SweepGrace, outside, w.Log); err != nil {
		return err
	}
	defer func() {
		w.Ending.Close() // what is left may take longer to end than a step may that doesn't return
		c.parts.End()
	}()
	c.slots, c.idle = make(chan int, jobs), make(chan *place, jobs*proc.MostBeside)
	for n := range jobs {
		c.slots <- n
		c.logs = append(c.logs, w.Log.With().Int64("slot", w.Identity.SlotOf(jobs, n)).Logger())
	}
	first := w.places[0]
	first.Record, first.Ending = w.Record, w.Ending.Part()
	c.idle <- first
	for slot, ok := c.slot(); ok; slot, ok = c.slot() {
		if p, err := c.free(); err != nil {
			c.line.end(err)
		} else if p != nil {
			c.rounds.Go(func() { c.round(p, slot) })
		}
	}
	c.rounds.Wait()
	return w.line.why
}

// slot waits for one. False: no task is taken any more.
func (c *crew) slot() (n int, ok bool) {
	select {
	case n = <-c.slots:
	case <-c.line.over.Done():
	}
	return n, c.line.over.Err() == nil
}

// free gives a place that has no task, and waits for one where there may be no more. Nil: no
// task is taken any more.
func (c *crew) free() (*place, error) {
	select {
	case p := <-c.idle:
		return p, nil
	default:
	}
	if len(c.places) < cap(c.idle) {
		p, err := c.place()
		if err == nil {
			p.Record, p.Ending = c.Record, c.worker.Ending.Part()
		}
		return p, err
	}
	select {
	case p := <-c.idle:
		return p, nil
	case <-c.line.over.Done():
		return nil, nil
	}
}

// round takes a task its way from a place, in a slot.
func (c *crew) round(p *place, slot int) {
	free := sync.OnceFunc(func() { c.slots <- slot })
	freed := free
	if c.Config.Process.Retries > 0 { // what ended well may be judged otherwise, and run again
		freed = nil
	}
	signals := c.parts.Part(slot, c.signals, freed)
	p.Run.Signals, p.Run.Log, p.Run.Identity.Slot = signals, c.logs[slot], c.Identity.SlotOf(len(c.logs), slot)
	more, err := p.next(signals.Context())
	p.Ending.Reopen()
	c.parts.Leave(signals)
	if !more || err != nil {
		c.line.end(err)
	}
	free()
	c.idle <- p
}
