// Package otel is what gocloud.dev/internal/otel uses of OpenTelemetry's package of that
// name. Nothing in nth collects measures or traces, so that the real one would drop them
// as well.
package otel

import (
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Meter gives a meter that measures nothing.
func Meter(string, ...metric.Option) (m metric.Meter) { return m }

// Tracer gives a tracer that traces nothing.
func Tracer(string, ...trace.Option) (t trace.Tracer) { return t }
