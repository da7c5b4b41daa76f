package identity

import (
	"fmt"
	"time"
)

// mostUntil bounds the time at which a job ends, so that spans of time don't overflow:
// about the year 2200.
const mostUntil = 1 << 32 * 17 / 10

// Ends tells when a platform ends this job, and which variable says so; without one, none
// does. An error is about what it holds.
func Ends(env func(name string) (string, bool)) (variable string, at time.Time, err error) {
	for _, p := range Platforms {
		value, _ := env(p.Until)
		if p.Until == "" || value == "" {
			continue
		}
		n, err := parseIndex(value)
		if err != nil || n > mostUntil {
			return p.Until, at, fmt.Errorf("%s is no Unix time", short(value))
		}
		return p.Until, time.Unix(n, 0), nil
	}
	return "", at, nil
}
