//go:build !linux

package claim

import "time"

var began = time.Now()

// Now is the time since nth was started.
func (System) Now() time.Duration { return time.Since(began) }
