package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gocloud.dev/blob"

	"nth/shim/store"
	"nth/shim/store/contract"
)

// tries is how often a manifest may be replaced while it is read.
const tries = 3

// again calls do until the manifest stays what it was meanwhile. What do gives first
// tells whether it may be called again.
func (m *Manifest) again(do func() (bool, error)) error {
	for try := 1; ; try++ {
		free, err := do()
		if !errors.Is(err, errChanged) {
			return err
		}
		m.know(nil)
		if !free || try == tries {
			return &contract.Error{Kind: contract.Unreachable, Cause: errChanged, Hint: "rows are told apart by their number: a Job's file of rows must stay as it is"}
		}
	}
}

// rows visits rows once, by the index if there is one.
func (m *Manifest) rows(ctx context.Context, from, to int64, visit visitor) error {
	if from < 0 {
		return &Error{Kind: Beyond, Cause: fmt.Errorf("there is no row %d: they are counted from 0", from)}
	}
	v, err := m.look(ctx)
	if err != nil {
		return err
	}
	next := from
	if v.index != nil {
		err := m.indexed(ctx, v.index, from, to, func(i int64, r Row) error {
			next = i + 1
			return visit(i, r)
		})
		if !distrusted(err) {
			return err
		}
		v = m.lied(v, err)
	}
	_, err = m.scanned(ctx, v, next, to, visit)
	return err
}

// know sets what is known of the manifest.
func (m *Manifest) know(v *view) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = v
}

// look gives what is known of the manifest, and asks when nothing is.
func (m *Manifest) look(ctx context.Context) (*view, error) {
	m.mu.Lock()
	v := m.seen
	m.mu.Unlock()
	if v != nil {
		return v, nil
	}
	now, err := m.version(ctx)
	if err != nil {
		return nil, err
	}
	v = &view{version: now}
	if err := m.load(ctx, v); err != nil {
		return nil, err
	}
	m.know(v)
	return v, nil
}

// version asks for the version. Reading no byte gives the same name for it as reading
// some does, which a store's attributes need not.
func (m *Manifest) version(ctx context.Context) (version, error) {
	r, err := m.store.Bucket().NewRangeReader(ctx, m.key, 0, 0, nil)
	if err != nil {
		return version{}, err
	}
	defer r.Close()
	return versionOf(r), nil
}

func versionOf(r *blob.Reader) version {
	v := version{size: r.Size()}
	r.As(&v.token)
	return v
}

// read reads a part of just this version. Its length is always given: a file's version
// has another name where all of it is asked for.
func (m *Manifest) read(ctx context.Context, v version, offset, length int64) (io.ReadCloser, error) {
	r, err := m.store.Bucket().NewRangeReader(ctx, m.key, offset, length, nil)
	if err != nil {
		if now, e := m.version(ctx); e == nil && now != v {
			return nil, errChanged // it may not have such a part
		}
		return nil, err
	}
	if versionOf(r) != v {
		r.Close()
		return nil, errChanged
	}
	return r, nil
}

// keeps tells whether this version's index is kept in the store.
func (m *Manifest) keeps(v version) bool { return m.index != nil && v.token != "" && v.size > small }

func (m *Manifest) indexKey(v version) string {
	return indexKey(m.Show(), indexFormat(m.format, m.gz), v)
}

// load reads the index from its store. That there is none is no error.
func (m *Manifest) load(ctx context.Context, v *view) error {
	if !m.keeps(v.version) {
		return nil
	}
	key := m.indexKey(v.version)
	body, stored, err := m.index.Read(ctx, key)
	switch kind := store.Classify(err); {
	case err == nil:
		v.stored = stored
		v.index, err = decode(body, m.format, m.gz, v.version)
		v.kept = err == nil
	case kind == contract.Absent:
		return nil
	case !kind.Final(): // that is: not for its size
		return err
	}
	if err != nil {
		m.warn("the index %s is not used: %w", m.index.Show(key), err)
	}
	return nil
}

func (m *Manifest) warn(says string, args ...any) {
	if m.Warn != nil {
		m.Warn(fmt.Errorf(says, args...))
	}
}

// lied gives the view without its index, which is to be replaced unless it only is of
// no use for what was asked.
func (m *Manifest) lied(v *view, why error) *view {
	without := *v
	without.index = nil
	if errors.Is(why, errLies) {
		without.kept = false
		m.warn("the index is not used: %w", why)
		m.know(&without)
	}
	return &without
}

// scanned scans, and keeps the index that comes of it.
func (m *Manifest) scanned(ctx context.Context, v *view, from, to int64, visit visitor) (*index, error) {
	stores := m.keeps(v.version) && !v.kept
	keep := from >= to || stores || v.size <= small
	x, err := m.scan(ctx, v.version, from, to, keep, visit)
	if x == nil || !keep {
		return x, err
	}
	kept := v.kept
	if stores {
		now, e := m.version(ctx)
		if e == nil && now != v.version {
			return nil, errChanged
		}
		kept = e == nil && m.save(ctx, v, x)
	}
	m.know(&view{version: v.version, index: x, kept: kept, stored: v.stored})
	return x, err
}

// save puts the index into its store, where another reader may have been first. The
// rows are read, so that an index that can't be kept is no failure.
func (m *Manifest) save(ctx context.Context, v *view, x *index) bool {
	key, body := m.indexKey(v.version), x.encode(m.gz)
	var err error
	if v.stored != "" {
		err = m.index.Replace(ctx, key, body, v.stored)
	} else {
		err = m.index.Create(ctx, key, body)
	}
	if err != nil && store.Classify(err) != contract.Exists {
		m.warn("the index %s is not kept: %w", m.index.Show(key), err)
		return false
	}
	return true
}
