//go:build race

package harness

// racing: this is built with the race detector.
const racing = true
