package claim

import "time"

// System is the machine's clock.
type System struct{}

// After is time.After.
func (System) After(d time.Duration) <-chan time.Time { return time.After(d) }
