//go:build neverforcegc

package memory

import (
	"math"
	_ "unsafe" // for go:linkname
)

// forceGCPeriod is how often Go's runtime collects garbage though hardly anything has been
// allocated; twice as often its monitor wakes to see whether it is time. A program that
// waits for days has none: what it allocates while it works is collected for itself. There
// is no other way to it, so the release is linked with -checklinkname=0 (.ci/build), and any
// other build does without. Where a later runtime has no such variable, or reads it no more,
// TestWaits fails.
//
//go:linkname forceGCPeriod runtime.forcegcperiod
var forceGCPeriod int64

func init() { forceGCPeriod = math.MaxInt64 }
