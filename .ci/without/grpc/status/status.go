// Package status is what gocloud.dev/internal/gcerr uses of gRPC's package of that
// name. Nothing in nth speaks gRPC, so that no error has one of its codes.
package status

import "google.golang.org/grpc/codes"

// Code gives an error's code.
func Code(err error) codes.Code {
	if err == nil {
		return codes.OK
	}
	return codes.Unknown
}
