//go:build linux && (amd64 || arm64) && !cgo

package launch

// CanApart tells whether a program can have memory apart.
const CanApart = true
