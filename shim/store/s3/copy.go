package s3

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// What is copied with one request, and of what size the parts of a larger blob are, in
// bytes. CopyObject takes 5 GiB, but a server may give no sign of life while it copies: each
// of these is answered within seconds.
const (
	copyWhole = 64 << 20
	copyPart  = 64 << 20
)

// Between the parts of a copy there is nothing to hold in memory.
const copiesAtOnce = 4

// Copy copies within the bucket. What is larger than one request may copy goes in parts of
// the version that was there at the beginning, which then are made visible together. Type
// and metadata are the source's.
func (b *bucket) Copy(ctx context.Context, dst, src string, opts *driver.CopyOptions) error {
	if err := contract.Ask(opts.BeforeCopy); err != nil {
		return err
	}
	a, err := b.Attributes(ctx, src)
	if err != nil {
		return err
	}
	if a.Size > b.copyWhole {
		return b.copyInParts(ctx, dst, src, a)
	}
	header := b.put.Clone()
	header.Set("X-Amz-Copy-Source", b.source(src))
	res, err := b.do(ctx, request{method: http.MethodPut, key: dst, header: header})
	if err != nil {
		return err
	}
	_, err = b.verify(ctx, res, "CopyObjectResult")
	return err
}

func (b *bucket) source(key string) string {
	return web.EscapePath("/" + b.name + "/" + b.prefix + key)
}

func (b *bucket) copyInParts(ctx context.Context, dst, src string, a *driver.Attributes) error {
	u, err := b.begin(ctx, dst, b.described(a))
	if err != nil {
		return err
	}
	if err = u.copyAll(ctx, src, a); err == nil {
		err = u.complete(ctx, nil)
	}
	if err != nil {
		web.Undo(ctx, u.abort)
	}
	return changedSource(err)
}

// copyAll copies the parts, several at once, and has ended when it returns.
func (u *multipart) copyAll(ctx context.Context, src string, a *driver.Attributes) error {
	count, size := partsOf(a.Size, u.b.copyPart)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	numbers := make(chan int)
	var copies sync.WaitGroup
	for range min(copiesAtOnce, count) {
		copies.Go(func() {
			for n := range numbers {
				if err := u.copy(ctx, n, src, a.ETag, int64(n)*size, min(int64(n+1)*size, a.Size)); err != nil {
					end(err)
				}
			}
		})
	}
	for n := range count {
		select {
		case numbers <- n:
		case <-ctx.Done():
		}
	}
	close(numbers)
	copies.Wait()
	return context.Cause(ctx)
}

// copy copies one part of one version of the source (UploadPartCopy).
func (u *multipart) copy(ctx context.Context, n int, src, version string, from, to int64) error {
	header := http.Header{"X-Amz-Copy-Source": {u.b.source(src)}, "X-Amz-Copy-Source-Range": {fmt.Sprintf("bytes=%d-%d", from, to-1)}}
	if version != "" {
		header["X-Amz-Copy-Source-If-Match"] = []string{version}
	}
	res, err := u.b.do(ctx, request{method: http.MethodPut, key: u.key, header: header, query: u.query(n)})
	if err != nil {
		return err
	}
	doc, err := u.b.verify(ctx, res, "CopyPartResult")
	if err != nil {
		return err
	}
	etag := doc.Get("ETag")
	if etag == "" {
		return foreign("a part's copy has no ETag")
	}
	contract.Came(ctx)
	u.came(n, etag)
	return nil
}
