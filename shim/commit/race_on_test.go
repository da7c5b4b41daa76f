//go:build race

package commit

// racing: this is built with the race detector.
const racing = true
