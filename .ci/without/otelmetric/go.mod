module go.opentelemetry.io/otel/metric

go 1.26.0

require (
	go.opentelemetry.io/otel v1.46.0
	go.opentelemetry.io/otel/trace v1.46.0 // indirect
)

// Each of the stand-ins is looked at by itself.
replace (
	go.opentelemetry.io/otel => ../otel
	go.opentelemetry.io/otel/trace => ../oteltrace
)
