package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"nth/shim/failure"
	"nth/shim/store"
)

// ErrChanged is a file that changed while it was uploaded.
var ErrChanged error = failure.Text("the file changed while it was read")

// Upload writes a file as a blob, whatever is there: the whole file as it was all the time,
// or an error, after which nothing of it is there. The file's permissions go with it. A
// *FileError is one of the file's.
func (m *Mover) Upload(ctx context.Context, s *store.Store, key string, from *os.File) (Sum, error) {
	var info fs.FileInfo
	err := m.within(ctx, from.Name(), func() (err error) {
		info, err = from.Stat()
		return err
	})
	if err == nil && !info.Mode().IsRegular() {
		err = &FileError{errors.New("it is not a regular file")}
	}
	if err != nil {
		return Sum{}, err
	}
	part := m.partSize()
	parts := min((info.Size()+part-1)/part, int64(m.atOnce()))
	give, err := m.hold(ctx, min(info.Size(), parts*part))
	if err != nil {
		return Sum{}, err
	}
	defer give()
	var src *source
	// Each request is tried again by itself, where the driver makes many; this is for
	// drivers that make one, or none.
	err = store.Retry(ctx, m.policy(), func(ctx context.Context) error {
		if src != nil {
			m.moved(-src.sum.Size)
		}
		src = &source{m: m, ctx: ctx, file: from, info: info}
		err := m.stream(ctx, s, key, src, info.Mode())
		if src.err != nil {
			return nil // no other try would change it
		}
		return err
	}, m.Retrying)
	if src != nil && src.err != nil {
		err = src.err
	}
	if err != nil {
		return Sum{}, err
	}
	return src.sum, nil
}

// source reads a file from its beginning, as it was when it was looked at.
type source struct {
	m    *Mover
	ctx  context.Context
	file *os.File
	info fs.FileInfo
	buf  []byte // its own: a call that was given up may still write to it
	left []byte // of buf
	sum  Sum
	err  error // not io.EOF
}

// Read gives io.EOF only when the file is still as it was.
func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if len(s.left) == 0 {
		if s.sum.Size == s.info.Size() {
			if s.err = s.same(); s.err != nil {
				return 0, s.err
			}
			return 0, io.EOF
		}
		if s.err = s.fill(); s.err != nil {
			return 0, s.err
		}
	}
	n := copy(p, s.left)
	s.sum.add(s.left[:n])
	s.left = s.left[n:]
	s.m.moved(int64(n))
	return n, nil
}

// fill reads what comes next.
func (s *source) fill() error {
	if s.buf == nil {
		s.buf = make([]byte, min(chunk, s.info.Size()))
	}
	n := 0
	err := s.m.within(s.ctx, s.file.Name(), func() (err error) {
		n, err = s.file.ReadAt(s.buf[:min(int64(len(s.buf)), s.info.Size()-s.sum.Size)], s.sum.Size)
		if err == io.EOF {
			err = nil
			if n == 0 {
				err = fmt.Errorf("%w: it had %d bytes, and has %d", ErrChanged, s.info.Size(), s.sum.Size)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	s.left = s.buf[:n]
	return nil
}

// same tells whether the file is as it was.
func (s *source) same() error {
	return s.m.within(s.ctx, s.file.Name(), func() error {
		now, err := s.file.Stat()
		switch {
		case err != nil:
			return err
		case now.Size() != s.info.Size():
			return fmt.Errorf("%w: it had %d bytes, and has %d", ErrChanged, s.info.Size(), now.Size())
		case !now.ModTime().Equal(s.info.ModTime()):
			return fmt.Errorf("%w: it was written at %s", ErrChanged, now.ModTime().UTC().Format("15:04:05.000Z"))
		}
		return nil
	})
}
