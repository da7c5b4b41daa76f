package share

import (
	"context"

	"nth/shim/identity"
)

// help takes a chunk of another's block: of the one of which most is left, from its tail.
func (w *Worker) help(ctx context.Context) (*Chunk, error) {
	if err := w.lookAround(ctx); err != nil {
		return nil, err
	}
	for {
		index, ok := w.slowest()
		if !ok {
			return nil, nil
		}
		if _, known := w.done[index]; !known {
			if err := w.learn(ctx, index); err != nil {
				return nil, err
			}
			continue
		}
		if err := w.look(ctx, index); err != nil {
			return nil, err
		}
		p, ok := w.pick(index)
		if !ok {
			continue // all of it is somebody's by now
		}
		c, err := w.take(ctx, p)
		if err != nil || c != nil {
			return c, err
		}
	}
}

// lookAround looks at all claims, and at the markers, the first time that others are
// helped. Where only another command's claims are, that one is at work: its workers would
// do all again that is done here.
func (w *Worker) lookAround(ctx context.Context) error {
	if w.looked {
		return nil
	}
	settled, err := w.Settled(ctx)
	if err != nil {
		return err
	}
	for k := range settled.Len() {
		if index := settled.At(k); index < w.Workers && index != w.Mine.Index {
			w.nothingLeft(index)
		}
	}
	foreign, err := w.list(ctx, "share/")
	if err != nil {
		return err
	}
	w.looked = true
	for _, index := range foreign {
		w.nothingLeft(index)
	}
	if len(foreign) > 0 && w.Foreign != nil {
		w.Foreign(len(foreign))
	}
	return nil
}

func (w *Worker) nothingLeft(index int64) {
	b := w.Block(index)
	w.done[index] = identity.Span(b.Start, b.End)
}

// rank is a worker's place among those that may help another: the same ones look at
// different chunks.
func (w *Worker) rank(index int64) int64 {
	return (w.Mine.Index - index - 1 + w.Workers) % w.Workers
}

// slowest gives the block of another of which most has no claim; of several the next one
// after the worker's own, so that different workers turn to different ones.
func (w *Worker) slowest() (index int64, ok bool) {
	most := int64(0)
	for k := int64(1); k < w.Workers; k++ {
		i := (w.Mine.Index + k) % w.Workers
		if w.Only.Len() > 0 && !w.Only.Contains(i) {
			continue
		}
		if left := w.Block(i).Len() - identity.Union(w.taken[i], w.done[i]).Len(); left > most {
			index, most = i, left
		}
	}
	return index, most > 0
}

// pick gives one of the last chunks of a block that nobody has, another one to each worker.
func (w *Worker) pick(index int64) (Part, bool) {
	var free []Part
	gone := identity.Union(w.taken[index], w.done[index])
	for p := range w.Chunks(index) {
		if !within(p, gone) && !overlaps(p, w.taken[index]) {
			free = append(free, p)
		}
	}
	if len(free) == 0 {
		w.nothingLeft(index)
		return Part{}, false
	}
	back := w.rank(index) % int64((len(free)+1)/2)
	return free[int64(len(free))-1-back], true
}

// overlaps tells whether a list has any item of a part.
func overlaps(p Part, l identity.List) bool {
	return identity.Span(p.Start, p.End).Without(l).Len() < p.Len()
}
