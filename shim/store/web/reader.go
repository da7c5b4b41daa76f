package web

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

// Range gives the Range header for a part of a blob, "" for all of it; a negative
// length is all from the offset on. HTTP has no range of no bytes.
func Range(offset, length int64) string {
	switch {
	case length > 0:
		return fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)
	case offset > 0:
		return fmt.Sprintf("bytes=%d-", offset)
	}
	return ""
}

// Named is what a store's answer names of a blob besides what all of HTTP does.
type Named struct {
	Version contract.Token
	Sum     *contract.CRC32C // of all of it; nil: it names none
	Mode    contract.Mode
}

// As is the AsFunc of a blob's attributes, and of its reader.
func (n Named) As(i any) bool { return n.Version.As(i) || n.Sum.As(i) || n.Mode.As(i) }

// Source is a blob that is read.
type Source struct {
	Server string // whose answers these are
	// Get asks for a part, by its Range header, "" for all; with a pin of this version alone.
	Get   func(wanted string, pin contract.Token) (*http.Response, error)
	Named func(*http.Response) Named
	Stat  func() (*driver.Attributes, error) // whose AsFunc is Named's
	// Behind tells the error for a part of which no byte is there.
	Behind func(error) bool
}

// Reader begins to read. Behind the last byte there is nothing, and of another version than
// is asked for as well: contract.Changed.
func (s Source) Reader(ctx context.Context, offset, length int64, opts *driver.ReaderOptions) (driver.Reader, error) {
	var pin contract.Pin
	if err := contract.Ask(opts.BeforeRead, pin.As); err != nil {
		return nil, err
	}
	var behind error
	if length != 0 {
		wanted := Range(offset, length)
		res, err := s.Get(wanted, pin.Version)
		if err == nil {
			return s.reader(ctx, res, wanted, pin.Version)
		}
		e, ok := errors.AsType[*contract.Error](err)
		if gone := ok && e.Kind == contract.Exists && pin.Version != ""; !gone && !s.Behind(err) {
			return nil, err
		}
		behind = err
	}
	a, err := s.Stat() // of an empty blob there is no part, and what is gone hasn't changed
	if err != nil {
		return nil, err
	}
	var now contract.Token
	a.AsFunc(&now)
	switch {
	case pin.Version != "" && now != pin.Version:
		return nil, contract.Changed()
	case behind != nil && a.Size > offset:
		return nil, &contract.Error{Kind: contract.Conflict, Cause: errors.New("it has changed while it was asked for")}
	case behind != nil && a.Size < offset:
		return nil, behind
	}
	return &Reader{body: http.NoBody, as: a.AsFunc,
		attrs: driver.ReaderAttributes{ContentType: a.ContentType, ModTime: a.ModTime, Size: a.Size}}, nil
}

// reader reads an answer, or closes it: one that doesn't fit, or whose end nobody could
// tell, is none.
func (s Source) reader(ctx context.Context, res *http.Response, wanted string, pin contract.Token) (*Reader, error) {
	named, size := s.Named(res), res.ContentLength
	var err error
	switch {
	case (wanted != "") != (res.StatusCode == http.StatusPartialContent):
		err = Foreign(s.Server, "a part was asked for, and "+res.Status+" came")
	case Endless(res):
		err = Foreign(s.Server, "nothing tells where it ends")
	case pin != "" && named.Version != pin: // of a server that knows no condition of a read
		err = contract.Changed()
	case wanted != "":
		if size = total(res, wanted); size < 0 {
			err = Foreign(s.Server, "another part came than was asked for")
		}
	}
	if err != nil {
		res.Body.Close()
		return nil, err
	}
	return &Reader{ctx: ctx, body: res.Body, left: res.ContentLength, as: named.As,
		attrs: driver.ReaderAttributes{ContentType: ContentType(res), ModTime: Modified(res), Size: size}}, nil
}

// total is the size of the blob of which a part came; -1 where it isn't the part that was
// wanted (RFC 9110, section 14.4).
func total(res *http.Response, wanted string) int64 {
	span, all, _ := strings.Cut(strings.TrimPrefix(res.Header.Get("Content-Range"), "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	begin, _, _ := strings.Cut(strings.TrimPrefix(wanted, "bytes="), "-")
	n, err := strconv.ParseInt(all, 10, 64)
	if err != nil || first != begin {
		return -1
	}
	return n
}

// Reader is a driver.Reader over an answer.
type Reader struct {
	ctx   context.Context
	body  io.ReadCloser
	left  int64 // bytes that must still come; -1: the transfer coding tells
	attrs driver.ReaderAttributes
	as    func(any) bool
}

// Attributes gives what the answer said of the blob.
func (r *Reader) Attributes() *driver.ReaderAttributes { return &r.attrs }

// Close ends the reading.
func (r *Reader) Close() error { return r.body.Close() }

// As gives what the store names of the blob.
func (r *Reader) As(i any) bool { return r.as(i) }

// Read never gives the end of a body that was cut short for the end of the blob.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if r.left >= 0 {
		r.left -= int64(n)
	}
	if err == io.EOF && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		err = Unreachable(r.ctx, err)
	}
	return n, err
}

// ContentType gives the blob's type.
func ContentType(res *http.Response) string {
	if t := res.Header.Get("Content-Type"); t != "" {
		return t
	}
	return "application/octet-stream"
}

// Modified gives the blob's date; zero where the answer has none.
func Modified(res *http.Response) time.Time {
	t, _ := http.ParseTime(res.Header.Get("Last-Modified"))
	return t
}

// ReadSum reads a checksum as stores write it; nil where it is none.
func ReadSum(text string) *contract.CRC32C {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) != crc32.Size {
		return nil
	}
	sum := contract.CRC32C(binary.BigEndian.Uint32(b))
	return &sum
}

// WriteSum writes one.
func WriteSum(sum uint32) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}
