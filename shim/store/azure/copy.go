package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
	"nth/shim/store/web"
)

// copyPause is between two looks at a copy that goes on.
const copyPause = 500 * time.Millisecond

// Copy copies within the container. Azure may take its time for a large blob, of
// which nothing but an empty one can be seen until then: what didn't come to its end
// is taken back.
func (b *bucket) Copy(ctx context.Context, dst, src string, opts *driver.CopyOptions) error {
	if err := contract.Ask(opts.BeforeCopy); err != nil {
		return err
	}
	if src == "" {
		return contract.EmptyKey()
	}
	from := b.url(src)
	if b.sas != "" { // the destination's doesn't hold for the source
		from += "?" + b.sas
	}
	res, err := b.object(ctx, request{method: http.MethodPut, key: dst, header: http.Header{"X-Ms-Copy-Source": {from}}})
	if err != nil {
		if codeOf(err) == "CannotVerifyCopySource" { // it may be absent
			if _, srcErr := b.head(ctx, src); srcErr != nil {
				return srcErr
			}
		}
		return err
	}
	web.Drain(res)
	id := res.Header.Get("X-Ms-Copy-Id")
	if id == "" {
		return foreign("a copy has no x-ms-copy-id")
	}
	undo := func() { web.Undo(ctx, func(ctx context.Context) { b.takeBack(ctx, dst, id) }) }
	for {
		status := res.Header.Get("X-Ms-Copy-Status")
		switch {
		case res.Header.Get("X-Ms-Copy-Id") != id:
			return &contract.Error{Kind: contract.Conflict, Cause: errors.New("another write came between the copy's begin and its end")}
		case status == "success":
			return nil
		case status != "pending":
			undo()
			return &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("the copy has the status %q: %s", status, b.conceal(res.Header.Get("X-Ms-Copy-Status-Description")))}
		}
		progress := res.Header.Get("X-Ms-Copy-Progress")
		if err = pause(ctx, copyPause); err != nil {
			err = web.Unreachable(ctx, err)
		} else {
			res, err = b.head(ctx, dst)
		}
		if err != nil {
			if ctx.Err() != nil { // else it is looked for again, by another try
				undo()
			}
			return err
		}
		if res.Header.Get("X-Ms-Copy-Progress") != progress {
			contract.Came(ctx)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// takeBack ends a copy that goes on, and deletes the empty blob which it leaves, if
// it still is the copy's. It is best effort.
func (b *bucket) takeBack(ctx context.Context, key, id string) {
	if res, err := b.do(ctx, request{method: http.MethodPut, key: key, query: url.Values{"comp": {"copy"}, "copyid": {id}},
		header: http.Header{"X-Ms-Copy-Action": {"abort"}}}); err == nil {
		web.Drain(res)
	}
	res, err := b.head(ctx, key)
	if err == nil && res.Header.Get("X-Ms-Copy-Id") == id && res.Header.Get("X-Ms-Copy-Status") != "success" {
		_ = b.delete(ctx, key, http.Header{"If-Match": {res.Header.Get("ETag")}})
	}
}
