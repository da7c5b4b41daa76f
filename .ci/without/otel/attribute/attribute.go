// Package attribute is what gocloud.dev/internal/otel uses of OpenTelemetry's package of
// that name.
package attribute

// Key names what is told of a measure or a span.
type Key string

// KeyValue is what is told: nobody asks for the value.
type KeyValue struct{ Key Key }

// String tells a text.
func (k Key) String(string) KeyValue { return KeyValue{k} }
