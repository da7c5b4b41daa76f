package commit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/store/contract"
)

// A machine's connection to the simulated store is a driver as the real ones are, so that
// all above it is the real code: store.Store, marker.Book, the claim, the commit.

func init() { blob.DefaultURLMux().RegisterBucket("sim", connections{}) }

// connected are the machines, by their names.
var connected sync.Map

type connections struct{}

func (connections) OpenBucketURL(_ context.Context, u *url.URL) (*blob.Bucket, error) {
	m, ok := connected.Load(u.Query().Get("machine"))
	if !ok {
		return nil, errors.New("no such machine")
	}
	return blob.PrefixedBucket(blob.NewBucket(&connection{m.(*machine)}), strings.TrimPrefix(u.Path, "/")), nil
}

// object is one version of a blob.
type object struct {
	body    []byte
	version int
}

func (o object) token() contract.Token { return contract.Token(fmt.Sprint("v", o.version)) }

var (
	errLostRequest = &contract.Error{Kind: contract.Unreachable, Cause: errors.New("no answer")}
	errAbsent      = &contract.Error{Kind: contract.Absent, Cause: errors.New("there is none")}
	errCondition   = &contract.Error{Kind: contract.Exists, Cause: errors.New("the condition doesn't hold")}
)

// call is one call of the store: the request and the answer take their time, and either may
// be lost. What was sent may come to the store when the caller has long given up, or died.
func (m *machine) call(ctx context.Context, what string, do func() error) error {
	if m.froze && m.Likely("freeze"+what, 0.03) { // between the decision and its deed
		time.Sleep(time.Duration(m.Under("frozen"+what, float64(6*ttl))))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	there, back := m.Under("there"+what, 0.03), m.Under("back"+what, 0.03) // of a TTL
	if m.Likely("slow there"+what, 0.1) {
		there = m.Under("there"+what, 0.7)
	}
	if m.Likely("very late"+what, 0.02) {
		there = m.Under("there"+what, 8)
	}
	if m.Likely("slow back"+what, 0.1) {
		back = m.Under("back"+what, 0.95)
	}
	lostThere, lostBack := m.CutOff() || m.Likely("lost there"+what, 0.08), m.Likely("lost back"+what, 0.08)
	answer := make(chan error, 1)
	if lostThere {
		<-ctx.Done()
		return errLostRequest
	}
	m.world.mu.Lock()
	m.pending++
	m.world.mu.Unlock()
	m.late.Go(func() {
		time.Sleep(time.Duration(there * float64(ttl)))
		m.world.mu.Lock()
		m.pending--
		err := do()
		m.world.mu.Unlock()
		time.Sleep(time.Duration(back * float64(ttl)))
		if !lostBack && !m.CutOff() {
			answer <- err
		}
	})
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return errLostRequest
	}
}

// connection is a driver.Bucket.
type connection struct{ *machine }

func (c *connection) ErrorCode(err error) gcerrors.ErrorCode { return contract.Code(err) }
func (c *connection) As(any) bool                            { return false }
func (c *connection) ErrorAs(error, any) bool                { return false }
func (c *connection) Close() error                           { return nil }

func (c *connection) Attributes(context.Context, string) (*driver.Attributes, error) {
	return nil, contract.HasNo("attributes")
}

func (c *connection) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", contract.HasNo("signed URLs")
}

type reader struct {
	io.Reader
	size  int64
	token contract.Token
}

func (r *reader) Close() error                         { return nil }
func (r *reader) Attributes() *driver.ReaderAttributes { return &driver.ReaderAttributes{Size: r.size} }
func (r *reader) As(i any) bool                        { return r.token.As(i) }

func (c *connection) NewRangeReader(ctx context.Context, key string, _, _ int64, _ *driver.ReaderOptions) (driver.Reader, error) {
	got := make(chan object, 1)
	err := c.call(ctx, "read "+key, func() error {
		o, ok := c.objects[key]
		if !ok {
			return errAbsent
		}
		got <- o
		return nil
	})
	if err != nil {
		return nil, err
	}
	o := <-got
	return &reader{bytes.NewReader(o.body), int64(len(o.body)), o.token()}, nil
}

type writer struct {
	bytes.Buffer
	ctx context.Context
	c   *connection
	key string
	how contract.Condition
	new bool
}

func (c *connection) NewTypedWriter(ctx context.Context, key, _ string, o *driver.WriterOptions) (driver.Writer, error) {
	w := &writer{ctx: ctx, c: c, key: key, new: o.IfNotExist}
	return w, contract.Ask(o.BeforeWrite, w.how.As)
}

func (w *writer) Close() error {
	wrote := make(chan contract.Token, 1)
	err := w.c.call(w.ctx, "write "+w.key, func() error {
		now, there := w.c.objects[w.key]
		if w.new && there || w.how.Replaces != "" && (!there || now.token() != w.how.Replaces) {
			return errCondition
		}
		wrote <- w.c.put(w.c.machine, w.key, w.Bytes())
		return nil
	})
	if err != nil {
		return err
	}
	w.how.Wrote = <-wrote
	if w.c.Under("silent", 1) < 0.2 { // some stores don't tell
		w.how.Wrote = ""
	}
	return nil
}

func (c *connection) Copy(ctx context.Context, dst, src string, _ *driver.CopyOptions) error {
	return c.call(ctx, "copy "+dst, func() error {
		o, ok := c.objects[src]
		if !ok {
			return errAbsent
		}
		c.count.copies++
		c.put(c.machine, dst, o.body)
		return nil
	})
}

func (c *connection) Delete(ctx context.Context, key string, o *driver.DeleteOptions) error {
	return c.call(ctx, "delete "+key, func() error {
		if _, ok := c.objects[key]; !ok {
			return errAbsent
		}
		c.remove(c.machine, key)
		return nil
	})
}

func (c *connection) ListPaged(ctx context.Context, o *driver.ListOptions) (*driver.ListPage, error) {
	got := make(chan []string, 1)
	err := c.call(ctx, "list "+o.Prefix, func() error {
		var keys []string
		for key := range c.objects {
			if strings.HasPrefix(key, o.Prefix) {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		got <- keys
		return nil
	})
	if err != nil {
		return nil, err
	}
	page := &driver.ListPage{}
	for _, key := range <-got {
		page.Objects = append(page.Objects, &driver.ListObject{Key: key})
	}
	return page, nil
}
