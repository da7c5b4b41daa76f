// Package codes is what gocloud.dev/internal/otel uses of OpenTelemetry's package of that
// name.
package codes

// Code is how a span ended.
type Code uint32

// The codes.
const (
	Unset Code = iota
	Error
	Ok
)
