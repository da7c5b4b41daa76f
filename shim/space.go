package shim

import (
	"strconv"

	"github.com/rs/zerolog"

	"nth/shim/memory"
)

// What nth takes of an address space, in kB, as ulimit -v has them. Nearly all of it Go's
// runtime reserves before main, for good and unused, whatever a program does: with less it
// ends there, and nobody can say why. (But from 0.75 to 1.1 GB it begins all the same, for it
// doesn't look whether the last of its large reservations was granted.)
const (
	reserved = 1_300_000
	room     = 1_500_000 // and what the heap may want, with much output to keep
)

// warnOfSpace says that nth may end later, where it has begun with less.
func warnOfSpace(log zerolog.Logger) {
	bytes, limited := memory.Space()
	if !limited || bytes>>10 >= room || strconv.IntSize < 64 {
		return
	}
	log.Warn().Msgf("the address space is limited to %d kB (ulimit -v, Grid Engine's h_vmem), of which nth reserves %d, most of it unused: with less than %d it may end with a trace of Go's and exit code 2; raise the limit",
		bytes>>10, reserved, room)
}
