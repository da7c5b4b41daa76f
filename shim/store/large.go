package store

import (
	"context"
	"io"
	"io/fs"

	"gocloud.dev/blob"

	"nth/shim/store/contract"
)

// Part is a part of a blob as it comes.
type Part struct {
	io.ReadCloser
	Entry // of the whole blob
}

// Part reads n bytes of a blob from an offset on, with n < 0 all from there. Of another
// version than this it gives none: the kind Exists; "" is whatever version there is.
func (s *Store) Part(ctx context.Context, key string, version string, offset, n int64) (*Part, error) {
	pin, pinned := &contract.Pin{}, false
	r, err := s.bucket.NewRangeReader(ctx, key, offset, n, &blob.ReaderOptions{BeforeRead: func(as func(any) bool) error {
		if pinned = as(&pin); pinned {
			pin.Version, pin.Plain = contract.Token(version), true
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	e := Entry{Key: key, Size: r.Size(), Modified: r.ModTime()}
	e.name(r.As)
	if pinned && version != "" {
		e.Version = version
	} else if version != "" && e.Version != version {
		_ = r.Close()
		return nil, contract.Changed()
	}
	return &Part{r, e}, nil
}

// Stream writes a blob of any size, whatever is there, as it comes: nothing of it can be
// seen before its end, and nothing is left after an error, r's own included. What the store
// has kept is what came: a checksum of each request, or of all of it, is compared there.
func (s *Store) Stream(ctx context.Context, key string, r io.Reader, how contract.Parts) error {
	p := &contract.Parts{}
	return s.bucket.Upload(ctx, key, r, &blob.WriterOptions{
		ContentType: "application/octet-stream", DisableContentTypeDetection: true, Metadata: metadata(how.Mode),
		BeforeWrite: func(as func(any) bool) error {
			if as(&p) {
				*p = how
			}
			return nil
		}})
}

// usual are the permissions that a file has when nobody says which: most files do, so that
// nothing is written down of them.
const usual = 0o644

func metadata(mode fs.FileMode) map[string]string {
	m := contract.ModeOf(mode)
	if mode == 0 || m == usual {
		return nil
	}
	return map[string]string{contract.ModeKey: m.String()}
}

// Copy copies a blob within the store, by the store itself, with its type and metadata. It
// may be repeated, and replaces what is there in one step: the kind Absent when there is no
// src. For a large one it takes several requests, so that a Policy of Pieces is the right one.
func (s *Store) Copy(ctx context.Context, dst, src string) error {
	return s.bucket.Copy(ctx, dst, src, nil)
}
