// Package codes is what gocloud.dev/internal/gcerr uses of gRPC's package of that
// name (gRPC, "Status codes and their use").
package codes

// Code is one of gRPC's status codes.
type Code uint32

// Those that gocloud.dev has a code for.
const (
	OK                 Code = 0
	Canceled           Code = 1
	Unknown            Code = 2
	InvalidArgument    Code = 3
	DeadlineExceeded   Code = 4
	NotFound           Code = 5
	AlreadyExists      Code = 6
	PermissionDenied   Code = 7
	ResourceExhausted  Code = 8
	FailedPrecondition Code = 9
	Unimplemented      Code = 12
	Internal           Code = 13
)
