// Package metric is what gocloud.dev/internal/otel uses of OpenTelemetry's package of that
// name: views are for those who collect measures.
package metric

import "go.opentelemetry.io/otel/attribute"

// View chooses what is kept of an instrument.
type View func(Instrument) (Stream, bool)

// Instrument is one that measures.
type Instrument struct {
	Name string
	Kind InstrumentKind
}

// InstrumentKind is what it does.
type InstrumentKind uint8

// Those that gocloud.dev has.
const (
	InstrumentKindCounter InstrumentKind = iota + 1
	InstrumentKindHistogram
)

// Stream is what is kept.
type Stream struct {
	Name, Description string
	Aggregation       any
	AttributeFilter   func(attribute.KeyValue) bool
}

// AggregationExplicitBucketHistogram is how.
type AggregationExplicitBucketHistogram struct{ Boundaries []float64 }

// DefaultAggregationSelector gives none.
func DefaultAggregationSelector(InstrumentKind) any { return nil }
