package once

import (
	"fmt"
	"sync/atomic"
	"time"
)

// tellEvery is how often it is told how far a long transfer has come.
const tellEvery = 10 * time.Second

// progress tells how many bytes were moved, of a transfer that takes its time.
type progress struct {
	bytes atomic.Int64
	stop  chan struct{}
}

func (w *Way) progress(doing string) *progress {
	p := &progress{stop: make(chan struct{})}
	began, log := time.Now(), w.Log
	tick := time.NewTicker(tellEvery)
	go func() {
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				n := p.bytes.Load()
				log.Info().Int64("bytes", n).Msg(fmt.Sprintf("%s: %.1f MB so far, %.1f MB/s", doing, float64(n)/1e6, float64(n)/1e6/time.Since(began).Seconds()))
			}
		}
	}()
	return p
}

func (p *progress) moved(n int64) { p.bytes.Add(n) }

func (p *progress) end() { close(p.stop) }
