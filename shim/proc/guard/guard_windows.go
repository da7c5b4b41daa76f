// Package guard is empty here: no command is run on Windows.
package guard

// Name is that of no process here.
const Name = "nth-guardian"

// Main isn't called.
func Main([]string) {}
