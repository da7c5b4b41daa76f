//go:build !race

package commit

const racing = false
