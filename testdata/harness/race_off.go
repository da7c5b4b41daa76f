//go:build !race

package harness

const racing = false
