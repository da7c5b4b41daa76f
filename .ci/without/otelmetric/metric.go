// Package metric is what gocloud.dev uses of OpenTelemetry's package of that name.
package metric

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
)

// Option stands for all that can be said of a meter, an instrument or a measure.
type Option struct{}

// WithInstrumentationAttributes says nothing to nobody, as the others do.
func WithInstrumentationAttributes(...attribute.KeyValue) (o Option) { return o }

// WithDescription is one.
func WithDescription(string) (o Option) { return o }

// WithUnit is one.
func WithUnit(string) (o Option) { return o }

// WithAttributes is one.
func WithAttributes(...attribute.KeyValue) (o Option) { return o }

// Meter gives instruments.
type Meter struct{}

// Float64Histogram gives one.
func (Meter) Float64Histogram(string, ...Option) (h Float64Histogram, err error) { return h, nil }

// Int64Counter gives one.
func (Meter) Int64Counter(string, ...Option) (c Int64Counter, err error) { return c, nil }

// Float64Histogram measures nothing.
type Float64Histogram struct{}

// Record is as if nothing had been recorded.
func (Float64Histogram) Record(context.Context, float64, ...Option) {}

// Int64Counter is nil, which gocloud.dev doesn't add to.
type Int64Counter = *counter

type counter struct{}

// Add is as if nothing had been added.
func (*counter) Add(context.Context, int64, ...Option) {}
