// Package trace is what gocloud.dev/internal/otel uses of OpenTelemetry's package of that
// name.
package trace

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
)

// Option stands for all that can be said of a tracer or a span.
type Option struct{}

// WithInstrumentationAttributes says nothing to nobody.
func WithInstrumentationAttributes(...attribute.KeyValue) (o Option) { return o }

// WithAttributes neither.
func WithAttributes(...attribute.KeyValue) (o Option) { return o }

// Tracer begins spans.
type Tracer struct{}

// Start begins one that nobody sees.
func (Tracer) Start(ctx context.Context, _ string, _ ...Option) (_ context.Context, s Span) {
	return ctx, s
}

// Span is a part of a trace, which there isn't.
type Span struct{}

// SetAttributes and what follows are as if nothing had been said.
func (Span) SetAttributes(...attribute.KeyValue) {}

// SetStatus is nothing.
func (Span) SetStatus(codes.Code, string) {}

// RecordError is nothing.
func (Span) RecordError(error) {}

// End is nothing.
func (Span) End() {}
