// Package store opens the places where markers and other blobs are kept, and
// gives every answer of theirs a meaning: above all, what "absent" means.
package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/memblob" // mem://, for tests
	"gocloud.dev/gcerrors"

	"nth/shim/failure"
	_ "nth/shim/store/azure" // azblob://
	"nth/shim/store/contract"
	_ "nth/shim/store/file" // file://
	_ "nth/shim/store/gcs"  // gs://
	_ "nth/shim/store/s3"   // s3://
)

// maxDocument bounds what Read takes into memory, in bytes.
const maxDocument = 16 << 20

// Store is a directory of blobs.
type Store struct {
	bucket *blob.Bucket
	shown  string // its URL without credentials, with a slash at the end
	hide   func(string) string
}

// Bucket gives the bucket itself.
func (s *Store) Bucket() *blob.Bucket { return s.bucket }

// Show gives the URL of a key for messages, without credentials and, of a store that
// Stores has opened, without secrets.
func (s *Store) Show(key string) string {
	if s.hide == nil {
		return s.shown + key
	}
	return s.hide(s.shown + key)
}

// Close gives its connections back.
func (s *Store) Close() error { return s.bucket.Close() }

// Idle closes connections that are not in use: a command may work for hours.
func (s *Store) Idle() {
	var i contract.Idler
	if s.bucket.As(&i) {
		i.Idle()
	}
}

// Read gives a blob and its version; "" where the store doesn't name versions.
func (s *Store) Read(ctx context.Context, key string) ([]byte, contract.Token, error) {
	r, err := s.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, "", err
	}
	if len(body) > maxDocument {
		return nil, "", &contract.Error{Kind: contract.Malformed, Cause: fmt.Errorf("it has more than %d bytes", maxDocument), Hint: "it is no document of nth's"}
	}
	var token contract.Token
	r.As(&token)
	return body, token, nil
}

// Create writes a blob if there is none: the kind Exists when there is one.
func (s *Store) Create(ctx context.Context, key string, body []byte) error {
	return s.write(ctx, key, body, &blob.WriterOptions{IfNotExist: true})
}

// Put writes a blob; the last writer wins.
func (s *Store) Put(ctx context.Context, key string, body []byte) error {
	return s.write(ctx, key, body, &blob.WriterOptions{})
}

// PutText is Put for what is no document of nth's but some program's output.
func (s *Store) PutText(ctx context.Context, key string, body []byte) error {
	return s.write(ctx, key, body, &blob.WriterOptions{ContentType: "text/plain"})
}

// Replace writes a blob if it still is the version that was read: the kind Exists
// when it is another or gone, Unsupported where the store can't tell.
func (s *Store) Replace(ctx context.Context, key string, body []byte, token contract.Token) error {
	if token == "" {
		return errNoSwap
	}
	_, err := s.Swap(ctx, key, body, token)
	return err
}

// Swap writes a blob if it still is this version, or, for "", if there is none: else the
// kind Exists. It gives the version that was written, "" where the store doesn't tell.
func (s *Store) Swap(ctx context.Context, key string, body []byte, old contract.Token) (contract.Token, error) {
	c := &contract.Condition{}
	err := s.write(ctx, key, body, &blob.WriterOptions{IfNotExist: old == "", BeforeWrite: func(as func(any) bool) error {
		if !as(&c) && old != "" {
			return errNoSwap
		}
		c.Replaces = old
		return nil
	}})
	if err != nil {
		return "", err
	}
	return c.Wrote, nil
}

var errNoSwap = &contract.Error{Kind: contract.Unsupported, Cause: failure.Text("this store can't replace a blob on condition")}

// write uses Upload, which unlike WriteAll needs no pipe and no goroutine, and has
// one error for one write.
func (s *Store) write(ctx context.Context, key string, body []byte, o *blob.WriterOptions) error {
	if o.ContentType == "" {
		o.ContentType = "application/json"
	}
	o.DisableContentTypeDetection = true
	return s.bucket.Upload(ctx, key, bytes.NewReader(body), o)
}

// Exists tells whether there is such a blob. False means that the store was asked
// and has none; every other answer is an error.
func (s *Store) Exists(ctx context.Context, key string) (bool, error) {
	_, err := s.bucket.Attributes(ctx, key)
	switch {
	case err == nil:
		return true, nil
	case Classify(err) == contract.Absent:
		return false, nil
	}
	return false, err
}

// Holds tells whether there is any blob.
func (s *Store) Holds(ctx context.Context) (bool, error) {
	var h contract.Holder
	if s.bucket.As(&h) {
		return h.Holds(ctx)
	}
	// Of two names one may be the prefix's own, a "folder" made by hand, which is no blob.
	found, _, err := s.bucket.ListPage(ctx, blob.FirstPageToken, 2, nil)
	return len(found) > 0, err
}

// Find gives an error where the store's own directory isn't there, which from then on must
// be: for who only looks, it isn't a store that holds nothing. Other stores have none.
func (s *Store) Find(ctx context.Context) error {
	if d := s.directory(); d != nil {
		return d.Find(ctx)
	}
	return nil
}

// Make makes the store's own directory where there is none, if it may.
func (s *Store) Make(ctx context.Context) error {
	if d := s.directory(); d != nil {
		return d.Make(ctx)
	}
	return nil
}

// OnMade has f called when the store's own directory was made.
func (s *Store) OnMade(f func()) {
	if d := s.directory(); d != nil {
		d.OnMade(f)
	}
}

// directory is nil for stores that have none.
func (s *Store) directory() (d contract.Directory) {
	s.bucket.As(&d)
	return d
}

// Sweep removes what writers that were killed have left below a directory, whose key ends in
// a slash, and no listing shows; without remove it only looks.
func (s *Store) Sweep(ctx context.Context, dir string, remove bool) (newest time.Time, n int, err error) {
	var sw contract.Sweeper
	if !s.bucket.As(&sw) {
		return time.Time{}, 0, nil
	}
	return sw.Sweep(ctx, dir, remove)
}

// Delete removes a blob: the kind Absent when there is none.
func (s *Store) Delete(ctx context.Context, key string) error { return s.bucket.Delete(ctx, key) }

// Remove removes a blob that a listing told of. That it has gone since is no error.
func (s *Store) Remove(ctx context.Context, key string) error {
	return s.remove(ctx, key, contract.Deletion{Listed: true})
}

// Prune is Remove that leaves no empty directories either, where blobs are files.
func (s *Store) Prune(ctx context.Context, key string) error {
	return s.remove(ctx, key, contract.Deletion{Listed: true, Prune: true})
}

// RemoveNamed is Remove of a blob that somebody else has named: where blobs are files, no link
// may lead to it.
func (s *Store) RemoveNamed(ctx context.Context, key string) error {
	return s.remove(ctx, key, contract.Deletion{Listed: true, Real: true})
}

func (s *Store) remove(ctx context.Context, key string, how contract.Deletion) error {
	err := s.bucket.DeleteWithOptions(ctx, key, &blob.DeleteOptions{BeforeDelete: func(as func(any) bool) error {
		var d *contract.Deletion
		if as(&d) {
			*d = how
		}
		return nil
	}})
	if err != nil && Classify(err) == contract.Absent {
		return nil
	}
	return err
}

// List visits every blob whose key begins with prefix, by key.
func (s *Store) List(ctx context.Context, prefix string, visit func(key string, size int64, modified time.Time) error) error {
	return s.ListUnder(ctx, &blob.ListOptions{Prefix: prefix}, func(o *blob.ListObject) error {
		return visit(o.Key, o.Size, o.ModTime)
	})
}

// ListUnder is List for who wants it in another way.
func (s *Store) ListUnder(ctx context.Context, how *blob.ListOptions, visit func(*blob.ListObject) error) error {
	for it := s.bucket.List(how); ; {
		o, err := it.Next(ctx)
		if err == io.EOF { // itself: a connection that broke may have it as its cause
			return nil
		}
		if err != nil {
			return err
		}
		contract.Came(ctx) // perhaps it is the first of a page
		if err := visit(o); err != nil {
			return err
		}
	}
}

// Classify gives the kind of a store's error.
func Classify(err error) contract.Kind {
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e.Kind
	}
	// memblob's errors, and those of the portable layer itself.
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return contract.Absent
	case gcerrors.FailedPrecondition:
		return contract.Exists
	case gcerrors.InvalidArgument:
		return contract.Refused
	case gcerrors.Unimplemented:
		return contract.Unsupported
	case gcerrors.PermissionDenied:
		return contract.Denied
	}
	return contract.Unreachable
}
