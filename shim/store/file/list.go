//go:build !windows

package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

// pageSize is how many blobs a page has unless the caller asks for less.
const pageSize = 1000

// ListPaged gives the blobs by key. A page goes on where the one before it ended, and reads
// nothing twice; if that one is forgotten, it finds the place by the key.
func (b *bucket) ListPaged(ctx context.Context, opts *driver.ListOptions) (*driver.ListPage, error) {
	if err := contract.Ask(opts.BeforeList); err != nil {
		return nil, err
	}
	l := b.listings.take(b, opts)
	met, size := slices.Clip(l.skipped), pageSize
	if opts.PageSize > 0 {
		size = min(size, opts.PageSize)
	}
	found, err := guarded(ctx, b, func() ([]*driver.ListObject, error) { return l.page(ctx, size) })
	if err != nil {
		// The call may still go on, with the listing that it has.
		b.listings.keep(&listing{b: b, prefix: l.prefix, delimiter: l.delimiter, token: l.token, skipped: met})
		return nil, err
	}
	skipped := l.skipped
	b.skipped.Store(&skipped)
	page := &driver.ListPage{Objects: found}
	if l.ahead != nil {
		l.token = found[len(found)-1].Key
		page.NextPageToken = []byte(l.token)
		b.listings.keep(l)
	}
	return page, nil
}

// listing is one walk through the directories, in the order of the keys.
type listing struct {
	b                 *bucket
	prefix, delimiter string
	token             string   // the key that the last page ended with; "": there was none
	started           bool     // else it begins behind the token
	levels            []*level // directories, each in the one before it
	ahead             *driver.ListObject
	folded            string // what the delimiter folded last: of all below it nothing else is told
	skipped           []contract.Skipped
}

// page gives the next blobs, and looks whether there are others.
func (l *listing) page(ctx context.Context, size int) (found []*driver.ListObject, err error) {
	if !l.started {
		l.start()
	}
	if l.ahead != nil {
		found = append(found, l.ahead)
	}
	for l.ahead = nil; ; {
		o, err := l.next(ctx)
		if err != nil || o == nil {
			return found, err
		}
		if len(found) == size {
			l.ahead = o
			return found, nil
		}
		found = append(found, o)
	}
}

// start begins with the directory that the prefix names.
func (l *listing) start() {
	l.started = true
	dir := l.prefix[:strings.LastIndexByte(l.prefix, '/')+1]
	path := l.b.dir
	if dir != "" {
		path = l.b.path(strings.TrimSuffix(dir, "/"))
	}
	if at := len(l.prefix); l.delimiter != "" && l.token != "" && strings.Contains(l.token[at:], l.delimiter) {
		l.folded = l.token
	}
	l.enter(path, dir)
}

// enter begins with a directory; key is its key, with a slash at the end.
func (l *listing) enter(path, key string) {
	at := &level{path: path, key: key, names: names{most: l.b.mostNames}}
	if len(l.prefix) > len(key) {
		at.prefix = l.prefix[len(key):]
	}
	if rest, on := strings.CutPrefix(l.token, key); on && l.token != "" {
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			at.after, at.again = rest[:slash+1], true // what is behind the token may be in that one
		} else {
			at.after, at.began = rest, true
		}
	}
	l.levels = append(l.levels, at)
}

// next gives the next blob; nil: there is none.
func (l *listing) next(ctx context.Context) (*driver.ListObject, error) {
	for len(l.levels) > 0 {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		contract.Came(ctx)
		at := l.levels[len(l.levels)-1]
		if l.folded != "" && strings.HasPrefix(at.key, l.folded) {
			l.levels = l.levels[:len(l.levels)-1]
			continue
		}
		name, ok, err := at.next(ctx, l.b)
		if err != nil {
			return nil, err
		}
		if !ok {
			l.levels = l.levels[:len(l.levels)-1]
			continue
		}
		if o, err := l.visit(at, name); o != nil || err != nil {
			return o, err
		}
	}
	return nil, nil
}

// Skipped is what the last listing met that is no blob.
func (b *bucket) Skipped() []contract.Skipped {
	if all := b.skipped.Load(); all != nil {
		return *all
	}
	return nil
}

func (l *listing) skip(key, why string, dir bool) {
	l.skipped = append(l.skipped, contract.Skipped{Key: key, Why: why, Dir: dir})
}

// visit gives the blob of a name; nil: there is none.
func (l *listing) visit(at *level, name name) (*driver.ListObject, error) {
	key := at.key + name.text
	switch {
	case l.folded != "" && strings.HasPrefix(key, l.folded):
		return nil, nil
	case name.kind.is(notUTF8):
		l.skip(strings.TrimSuffix(key, "/"), "its name is no UTF-8", name.kind.is(directory))
		return nil, nil
	case name.kind.is(coded): // nth could not have written it
		l.skip(strings.TrimSuffix(key, "/"), "its name is the code of another one", name.kind.is(directory))
		return nil, nil
	case name.kind.is(directory):
		l.enter(filepath.Join(at.path, escapeSegment(strings.TrimSuffix(name.text, "/"))), key)
		return nil, nil
	}
	if rest := key[len(l.prefix):]; l.delimiter != "" && strings.Contains(rest, l.delimiter) {
		l.folded = key[:len(l.prefix)+strings.Index(rest, l.delimiter)+len(l.delimiter)]
		return &driver.ListObject{Key: l.folded, IsDir: true}, nil
	}
	return l.look(filepath.Join(at.path, escapeSegment(name.text)), key)
}

// look gives the blob of a file, if it is one.
func (l *listing) look(path, key string) (*driver.ListObject, error) {
	info, err := os.Lstat(path)
	link := err == nil && info.Mode()&fs.ModeSymlink != 0
	if link {
		info, err = os.Stat(path) // as reading would
	}
	switch {
	case link && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP)):
		l.skip(key, "a link to nothing", false)
	case errors.Is(err, fs.ErrNotExist): // deleted meanwhile
	case err != nil:
		return nil, l.b.fail(err)
	case info.Mode().IsRegular():
		return &driver.ListObject{Key: key, ModTime: info.ModTime(), Size: info.Size(), AsFunc: func(i any) bool { return version(info).As(i) }}, nil
	case info.IsDir():
		l.skip(key, "a link to a directory", true)
	default:
		l.skip(key, "no regular file", false)
	}
	return nil, nil
}

// batch is how many names of a directory are read at once.
const batch = 1000

// entries visits those of a directory, in no order. A large one of a slow volume may take
// as long as it takes, as long as something of it comes.
func (b *bucket) entries(ctx context.Context, path string, visit func(fs.DirEntry) error) error {
	dir, err := os.Open(path)
	if err != nil {
		return b.fail(err)
	}
	defer dir.Close()
	for {
		some, err := dir.ReadDir(batch)
		for _, entry := range some {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			contract.Came(ctx)
			if err := visit(entry); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return b.fail(err)
		}
	}
}
