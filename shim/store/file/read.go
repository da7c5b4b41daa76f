//go:build !windows

package file

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"gocloud.dev/blob/driver"

	"nth/shim/disk"
	"nth/shim/store/contract"
)

// contentType of every blob: a file has none.
const contentType = "application/octet-stream"

// maxHashed is up to which size, in bytes, a version is told by the content too. A
// blob that is replaced on condition is a document far below it.
const maxHashed = 1 << 20

func (b *bucket) Attributes(ctx context.Context, key string) (*driver.Attributes, error) {
	return guarded(ctx, b, func() (*driver.Attributes, error) {
		info, err := b.stat(key)
		if err != nil {
			return nil, b.fail(err)
		}
		return &driver.Attributes{ContentType: contentType, ModTime: info.ModTime(), Size: info.Size(), ETag: string(version(info))}, nil
	})
}

func (b *bucket) stat(key string) (fs.FileInfo, error) {
	info, err := os.Stat(b.path(key))
	if err == nil {
		err = regular("stat", b.path(key), info)
	}
	return info, err
}

func regular(op, path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return &fs.PathError{Op: op, Path: path, Err: contract.ErrDirectory}
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: op, Path: path, Err: contract.ErrNotBlob}
	}
	return nil
}

// version names one version of a file: a blob is only ever replaced by another
// file, with an inode of its own while both exist.
func version(info fs.FileInfo) contract.Token {
	inode := uint64(0)
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = s.Ino
	}
	return contract.Token(fmt.Sprintf("%d-%d-%d", inode, info.ModTime().UnixNano(), info.Size()))
}

// token is a version with its content: ext4 gives the inode of a deleted file to
// the next one, and file times have steps of 4 ms.
func token(info fs.FileInfo, body []byte) contract.Token {
	sum := sha256.Sum256(body)
	return version(info) + contract.Token("-"+hex.EncodeToString(sum[:8]))
}

// load reads a file that is small enough for its content to be part of the
// version; ok is false for a larger one.
func load(f *os.File, info fs.FileInfo) (body []byte, ok bool, err error) {
	if info.Size() > maxHashed {
		return nil, false, nil
	}
	body = make([]byte, info.Size())
	_, err = io.ReadFull(io.NewSectionReader(f, 0, info.Size()), body)
	return body, true, err
}

type reader struct {
	io.Reader
	ctx   context.Context
	b     *bucket
	file  *os.File // nil when everything is read already
	left  int64    // bytes that must still come
	attrs driver.ReaderAttributes
	token contract.Token
	mode  contract.Mode
}

func (b *bucket) NewRangeReader(ctx context.Context, key string, offset, length int64, opts *driver.ReaderOptions) (driver.Reader, error) {
	var pin contract.Pin
	if err := contract.Ask(opts.BeforeRead, pin.As); err != nil {
		return nil, err
	}
	r, err := guarded(ctx, b, func() (*reader, error) {
		r, err := b.open(key, offset, length, pin)
		return r, b.fail(err)
	})
	if err != nil {
		return nil, err
	}
	r.ctx = ctx
	return r, nil
}

// open opens a file; of a version that was asked for, that one alone, as Attributes names it.
func (b *bucket) open(key string, offset, length int64, pin contract.Pin) (*reader, error) {
	f, err := os.Open(b.path(key))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = regular("open", f.Name(), info)
	}
	if err == nil && pin.Version != "" && version(info) != pin.Version {
		err = contract.Changed()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	r := &reader{b: b, file: f, token: version(info), mode: contract.ModeOf(info.Mode()), attrs: driver.ReaderAttributes{ContentType: contentType, ModTime: info.ModTime(), Size: info.Size()}}
	r.left = max(info.Size()-offset, 0)
	if length >= 0 {
		r.left = min(r.left, length)
	}
	r.Reader = io.NewSectionReader(f, offset, r.left)
	if offset > 0 || length >= 0 || pin.Plain || pin.Version != "" {
		return r, nil
	}
	body, ok, err := load(f, info)
	if !ok && err == nil {
		return r, nil
	}
	f.Close()
	r.file, r.Reader, r.token = nil, bytes.NewReader(body), token(info, body)
	return r, err
}

// Read never gives the end of a file that became shorter for the end of the blob.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.read(p)
	r.left -= int64(n)
	if err == io.EOF && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		err = r.b.fail(err)
	}
	return n, err
}

// read fills a buffer of its own: the caller's may be gone when a call that was
// given up returns after all.
func (r *reader) read(p []byte) (int, error) {
	if r.file == nil {
		return r.Reader.Read(p)
	}
	body, err := within(r.ctx, r.b, func() ([]byte, error) {
		own := buffers.Get().(*[readAtOnce]byte)
		n, err := r.Reader.Read(own[:min(len(p), readAtOnce)])
		return own[:n], err
	})
	contract.Got(r.ctx, len(body))
	n := copy(p, body)
	if cap(body) == readAtOnce { // the call came back
		buffers.Put((*[readAtOnce]byte)(body[:readAtOnce]))
	}
	return n, err
}

// readAtOnce is how much is read with one call, in bytes.
const readAtOnce = 256 << 10

// buffers are those of calls that came back.
var buffers = sync.Pool{New: func() any { return new([readAtOnce]byte) }}

func (r *reader) Attributes() *driver.ReaderAttributes { return &r.attrs }

func (r *reader) Close() error {
	if r.file == nil {
		return nil
	}
	disk.Later(r.b.dir, func() { r.file.Close() }) // of a file that was only read, it tells nothing
	return nil
}

func (r *reader) As(i any) bool {
	return r.token.As(i) || r.mode.As(i)
}
