//go:build !windows

// Package file keeps blobs as files under a directory: file:///dir. A key is a
// path below it, as it stands; nothing but the blobs' own files is kept there.
//
// What several writers agree upon holds between processes, also on different
// hosts of a network file system: a blob that is created if absent is linked into
// its place, whole and synced, by link(2), which has one winner.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/disk"
	"nth/shim/store/contract"
)

func init() { blob.DefaultURLMux().RegisterBucket("file", opener{}) }

type opener struct{}

// OpenBucketURL opens file:///dir. Parameters: create_dir=true makes every
// directory that is missing; without it, all but the last must exist. With
// mountpoint=/dir a volume must be mounted there.
func (opener) OpenBucketURL(_ context.Context, u *url.URL) (*blob.Bucket, error) {
	b, err := parse(u)
	if err != nil {
		return nil, err
	}
	return blob.NewBucket(b), nil
}

func parse(u *url.URL) (*bucket, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, fmt.Errorf("file://%s names a host; write three slashes: file:///%s%s", u.Host, u.Host, u.Path)
	}
	if !filepath.IsAbs(u.Path) {
		return nil, errors.New("the path must begin with a slash: file:///dir")
	}
	if strings.ContainsRune(u.Path, 0) {
		return nil, errors.New("the path holds a zero byte")
	}
	b := &bucket{dir: filepath.Clean(u.Path), mostNames: mostNames}
	return b, contract.Parameters(u, b, parameters(), "create_dir", "mountpoint")
}

// parameters are those of a URL, with gocloud's names.
func parameters() map[string]func(b *bucket, value string) error {
	return map[string]func(b *bucket, value string) error{
		"create_dir": contract.Flag(func(b *bucket) *bool { return &b.createDir }),
		"mountpoint": (*bucket).setMountpoint,
		// gocloud's own driver needs these; here it is always so.
		"metadata":   func(*bucket, string) error { return nil },
		"no_tmp_dir": func(*bucket, string) error { return nil },
	}
}

type bucket struct {
	dir        string
	createDir  bool
	mountpoint string      // where something must be mounted; "": nobody asked
	made       func()      // is told that the directory was made; may be nil
	wanted     atomic.Bool // the directory must be there, and is not made
	seen       atomic.Bool // and it was
	mostNames  int         // of a directory, which a listing holds
	listings   listings
	skipped    atomic.Pointer[[]contract.Skipped] // what the last one met
}

func (b *bucket) ErrorCode(err error) gcerrors.ErrorCode { return contract.Code(err) }
func (b *bucket) ErrorAs(error, any) bool                { return false }
func (b *bucket) Close() error                           { return nil }

// As gives the contracts that the bucket keeps.
func (b *bucket) As(i any) bool {
	switch p := i.(type) {
	case *contract.Holder:
		*p = b
	case *contract.Skipper:
		*p = b
	case *contract.Directory:
		*p = b
	case *contract.Sweeper:
		*p = b
	case *contract.Remover:
		*p = b
	default:
		return false
	}
	return true
}

func (b *bucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", contract.HasNo("signed URLs")
}

// path gives the file of a key.
func (b *bucket) path(key string) string { return filepath.Join(b.dir, escape(key)) }

// meanings is what the errors of the system mean; the first that fits counts.
var meanings = []struct {
	is   error
	kind contract.Kind
	hint string
}{
	{contract.ErrDirectory, contract.Unreachable, "a directory stands in the place of the blob's file"},
	{contract.ErrNotBlob, contract.Unreachable, "something else stands in the place of the blob's file"},
	{syscall.ENOTDIR, contract.Unreachable, "a file stands where a directory should be"},
	{fs.ErrExist, contract.Exists, ""},
	{fs.ErrPermission, contract.Denied, "let this user read and write the directory"},
	{syscall.EROFS, contract.Denied, "the volume is mounted read-only"},
	{syscall.ENAMETOOLONG, contract.Refused, "the file system takes no names that long"},
	{syscall.ENOSPC, contract.Unreachable, contract.HintFull},
	{syscall.EDQUOT, contract.Unreachable, "the volume's quota is used up"},
	{syscall.ESTALE, contract.Unreachable, "the network file system lost its directory: is it still exported?"},
}

// fail gives an error its meaning. Only a name that isn't there in a directory
// that is (or could be made) is absence: a volume that isn't mounted has no names
// at all.
func (b *bucket) fail(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*contract.Error](err); ok {
		return e
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err := b.there(); err != nil {
			return err
		}
		return &contract.Error{Kind: contract.Absent, Cause: err}
	}
	for _, m := range meanings {
		if errors.Is(err, m.is) {
			if _, in := lacking(b.dir + "/x"); m.is == syscall.ENOTDIR && !isDir(in) {
				m.hint = in + " is a file, where a directory should be"
			}
			return &contract.Error{Kind: m.kind, Cause: err, Hint: m.hint}
		}
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: err}
}

func (b *bucket) Delete(ctx context.Context, key string, opts *driver.DeleteOptions) error {
	var d contract.Deletion
	if err := contract.Ask(opts.BeforeDelete, d.As); err != nil {
		return err
	}
	_, err := guarded(ctx, b, func() (struct{}, error) {
		if d.Real {
			if err := b.real(filepath.Dir(b.path(key))); err != nil {
				return struct{}{}, err
			}
		}
		if _, err := b.stat(key); err != nil {
			return struct{}{}, b.fail(err)
		}
		err := os.Remove(b.path(key))
		if err == nil {
			err = syncDir(filepath.Dir(b.path(key)))
		}
		if err == nil && d.Prune {
			b.prune(filepath.Dir(b.path(key)))
		}
		return struct{}{}, b.fail(err)
	})
	return err
}

// prune removes a directory and those above it, as long as they are empty. Who is about to
// write there makes them anew.
func (b *bucket) prune(dir string) {
	for len(dir) > len(b.dir) && os.Remove(dir) == nil {
		dir = filepath.Dir(dir)
	}
}

// guarded is within, of a call that isn't made where the volume isn't there.
func guarded[T any](ctx context.Context, b *bucket, call func() (T, error)) (T, error) {
	return within(ctx, b, func() (T, error) {
		if err := b.onVolume(); err != nil {
			var none T
			return none, err
		}
		return call()
	})
}

// within calls the system, and gives up with the context, also where the system doesn't:
// a call to a network file system whose server is gone may never return. What was given
// up may still happen, as with any store whose reply is lost.
func within[T any](ctx context.Context, b *bucket, call func() (T, error)) (T, error) {
	var value, none T
	var err error
	if gaveUp := b.run(ctx, func() { value, err = call() }); gaveUp != nil {
		return none, gaveUp
	}
	return value, err
}

func (b *bucket) run(ctx context.Context, call func()) error {
	contract.Asked(ctx)
	defer contract.Rest(ctx)
	err := disk.Run(ctx, b.dir, call)
	if hangs, ok := errors.AsType[*disk.NoAnswer](err); ok {
		err = &contract.Error{Kind: contract.Unreachable, Cause: hangs, Hint: disk.Hint}
	}
	return err
}
