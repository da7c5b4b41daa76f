package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"gocloud.dev/blob"

	"nth/shim/store/contract"
)

// Entry is what a listing tells of a blob.
type Entry struct {
	Key      string
	Size     int64
	Modified time.Time
	Version  string // as Stat gives it; "" where the store names none
	// CRC32C is the checksum of all of it, by Stat and Part; nil where the store names none.
	CRC32C *uint32
	// Mode are the permissions of the file that it was, by Stat and Part; 0 where nobody has
	// written them down.
	Mode fs.FileMode
}

// name sets what a store names of a blob.
func (e *Entry) name(as func(any) bool) {
	var t contract.Token
	if as(&t) {
		e.Version = string(t)
	}
	var sum contract.CRC32C
	if as(&sum) {
		e.CRC32C = (*uint32)(&sum)
	}
	var mode contract.Mode
	if as(&mode) {
		e.Mode = fs.FileMode(mode)
	}
}

// Entries gives the blobs whose keys begin with prefix, by key, one at each call, and io.EOF
// itself at the end. After an error the call may be repeated: it goes on where it was.
func (s *Store) Entries(prefix string) func(context.Context) (Entry, error) {
	it := s.bucket.List(&blob.ListOptions{Prefix: prefix})
	return func(ctx context.Context) (Entry, error) {
		o, err := it.Next(ctx)
		if err != nil {
			return Entry{}, err
		}
		e := Entry{Key: o.Key, Size: o.Size, Modified: o.ModTime}
		e.name(o.As)
		return e, nil
	}
}

// Stat asks what is there now: the kind Absent where nothing is.
func (s *Store) Stat(ctx context.Context, key string) (Entry, error) {
	a, err := s.bucket.Attributes(contract.WithSum(ctx), key)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Key: key, Size: a.Size, Modified: a.ModTime, Version: a.ETag}
	e.name(a.As)
	return e, nil
}

// ReadPart reads a part of a blob, whole or not at all.
func (s *Store) ReadPart(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	r, err := s.bucket.NewRangeReader(ctx, key, offset, length, nil)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body := make([]byte, length)
	if _, err = io.ReadFull(r, body); err == io.EOF || err == io.ErrUnexpectedEOF { // itself: a connection that broke is another
		err = &contract.Error{Kind: contract.Malformed, Cause: errors.New("it is shorter than it was")}
	}
	return body, err
}
