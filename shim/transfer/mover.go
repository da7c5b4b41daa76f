// Package transfer moves the bytes of one blob of any size: in parts, several at the same
// time, in bounded memory. A connection that breaks costs what it had under way, and
// nothing that came before: a download goes on at the byte where it broke. What comes is
// one version of the blob, whole, or there is an error: a body that ends early is never an
// end, and two versions are never mixed.
//
// The bytes of one Mover's downloads and uploads that are under way at the same time, of
// however many blobs, are AtOnce parts at most. A Reader and a Writer belong to somebody
// who goes on only when they do, so that they never wait for others: each has memory of
// its own.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"time"

	"nth/shim/disk"
	"nth/shim/store"
	"nth/shim/store/contract"
)

// What a Mover has that says nothing else: with what the stores and the collector of garbage
// add to it, it stays below 64 MiB.
const (
	defaultAtOnce   = 6
	defaultPartSize = 8 << 20
)

// chunk is how much is read from, or written to, a file with one call.
const chunk = 256 << 10

// Mover moves the bytes of blobs. It may be used from several goroutines, and is not to be
// copied once it was.
type Mover struct {
	AtOnce   int          // parts under way at the same time; 0: 6
	PartSize int          // in bytes; 0: 8 MiB
	Policy   store.Policy // of each request; its window begins anew whenever something came
	Retrying func(err error, wait time.Duration)
	// Moved is told of bytes that were moved, from several goroutines; negative: of an
	// upload that begins anew. It may be nil.
	Moved func(n int64)

	budget budget
}

func (m *Mover) atOnce() int {
	if m.AtOnce <= 0 {
		return defaultAtOnce
	}
	return m.AtOnce
}

func (m *Mover) partSize() int64 {
	if m.PartSize <= 0 {
		return defaultPartSize
	}
	return int64(m.PartSize)
}

// hold waits until so many bytes may be under way, and gives what ends that.
func (m *Mover) hold(ctx context.Context, n int64) (func(), error) {
	return m.budget.take(ctx, n, int64(m.atOnce())*m.partSize())
}

func (m *Mover) moved(n int64) {
	if m.Moved != nil {
		m.Moved(n)
	}
}

// policy is that of a request whose body may be long.
func (m *Mover) policy() store.Policy {
	p := m.Policy
	p.Pieces = true
	return p
}

// within makes a call to the file system on which a file is. What it works with is its own
// when it is given up.
func (m *Mover) within(ctx context.Context, path string, call func() error) error {
	if m.Policy.PerCall > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, m.Policy.PerCall)
		defer cancel()
	}
	var err error // the call's, which may still be written when it was given up
	gaveUp := disk.Run(ctx, filepath.Dir(path), func() { err = call() })
	_, hangs := errors.AsType[*disk.NoAnswer](gaveUp)
	switch {
	case hangs:
		return &FileError{gaveUp}
	case gaveUp != nil:
		return gaveUp // it wasn't begun
	case err != nil:
		return &FileError{err}
	}
	return nil
}

// FileError is what went wrong with the file here, and not with the store.
type FileError struct{ Err error }

func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Sum is what a blob's bytes are told by.
type Sum struct {
	Size   int64
	CRC32C uint32
}

// String gives the checksum as it is written down: "crc32c:1a2b3c4d".
func (s Sum) String() string { return fmt.Sprintf("crc32c:%08x", s.CRC32C) }

// castagnoli is computed by the processor; not at the start, for most runs move nothing.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// add adds bytes that come next.
func (s *Sum) add(p []byte) {
	s.Size += int64(len(p))
	s.CRC32C = crc32.Update(s.CRC32C, castagnoli(), p)
}

// damaged is the error for bytes that aren't those that were stored.
func damaged(got, want uint32) error {
	return &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf("its bytes have the checksum crc32c:%08x, and were stored with crc32c:%08x", got, want),
		Hint: "it was damaged in the store or on the way"}
}
