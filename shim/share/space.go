// Package share lets the workers of a Job do each other's items: each does its own block,
// and then takes chunks from the tails of blocks that are slower, by claims in the markers'
// store, one for each chunk, which nobody but their takers writes.
//
// Why no item runs twice. Items run only under the claim of their chunk. A claim that
// nobody had before is of a chunk that nobody has begun; one that is taken over was silent
// for its time, or given back, and then it is asked once more which items are recorded. A
// worker keeps the claim of a chunk, whether it still works at it or not, until what it
// has done of it is recorded.
//
// Why none is lost. A block is done when all of its items are recorded, by whomever, and
// its own worker ends well only then: it watches the claims of its block, and takes over
// what stands still. So each chunk has somebody who comes back for it.
//
// Why somebody always makes progress. A worker helps others only when all of its own block
// is claimed, so that those who wait for each other are never a ring; and a chunk in which
// an item has failed is given back as soon as what was done of it is recorded.
package share

import (
	"fmt"
	"iter"

	"nth/templates"
)

// Space is so many items, shared out to so many workers.
type Space struct{ Items, Workers int64 }

// Part are items of one block, which is its worker's by its index: from Start to before End.
type Part struct{ Index, Start, End int64 }

// Len is how many they are.
func (p Part) Len() int64 { return p.End - p.Start }

// Block gives all items of a worker's own.
func (s Space) Block(index int64) Part {
	b := templates.ShardOf(s.Items, index, s.Workers)
	return Part{index, b.Start, b.End}
}

// Owner tells in whose block an item is.
func (s Space) Owner(item int64) int64 {
	size, more := s.Items/s.Workers, s.Items%s.Workers
	if item < more*(size+1) {
		return item / (size + 1)
	}
	return more + (item-more*(size+1))/size
}

// finer is by how much chunks are smaller than each worker's share of what is left: who
// takes the last large one isn't late by more than a part of the whole.
const finer = 3

// Chunks gives the chunks of a block, which get smaller towards its end. Nothing else
// decides on them, so that all workers mean the same.
func (s Space) Chunks(index int64) iter.Seq[Part] {
	return func(yield func(Part) bool) {
		b := s.Block(index)
		for b.Start < b.End {
			n := max(1, b.Len()/(finer*s.Workers))
			if !yield(Part{index, b.Start, b.Start + n}) {
				return
			}
			b.Start += n
		}
	}
}

// chunk is a part's name, below the index's claims, for work of this digest.
func (p Part) chunk(digest string) string { return fmt.Sprintf("%s/%d-%d", digest, p.Start, p.End) }
