package manifest

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"nth/shim/store/contract"
)

// Kind is what is wrong with a manifest.
type Kind int

const (
	// Bad: the row, or the file as a whole, is not what its name promises.
	Bad Kind = iota
	// Beyond: the manifest has fewer rows.
	Beyond
)

// Error is a manifest's own fault. What its store answers stays a *contract.Error.
type Error struct {
	Kind  Kind
	Cause error
	Hint  string // what the person can do about it; may be empty
}

func (e *Error) Error() string { return e.Cause.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

func bad(hint, says string, args ...any) *Error {
	return &Error{Kind: Bad, Cause: fmt.Errorf(says, args...), Hint: hint}
}

func badRow(i int64, hint, says string, args ...any) *Error {
	return &Error{Kind: Bad, Cause: fmt.Errorf("row %d: %w", i, fmt.Errorf(says, args...)), Hint: hint}
}

func beyond(i, rows int64) *Error {
	return &Error{Kind: Beyond, Cause: fmt.Errorf("there is no row %d: the file has %d, from 0", i, rows),
		Hint: "are there more indexes than rows?"}
}

var (
	errChanged = errors.New("the file was replaced while it was read")
	errLies    = errors.New("the index doesn't fit the file of rows")
)

// broken gives a .gz's faults as the manifest's.
func broken(err error) error {
	if _, ok := errors.AsType[*contract.Error](err); ok {
		return err
	}
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) {
		return bad("is it whole? gzip -t tells", "it is not a whole .gz: %w", err)
	}
	return err
}
