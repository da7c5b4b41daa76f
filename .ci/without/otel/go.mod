module go.opentelemetry.io/otel

go 1.26.0

require (
	go.opentelemetry.io/otel/metric v1.46.0
	go.opentelemetry.io/otel/trace v1.46.0
)

// Each of the stand-ins is looked at by itself.
replace (
	go.opentelemetry.io/otel/metric => ../otelmetric
	go.opentelemetry.io/otel/trace => ../oteltrace
)
