package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
	"unicode/utf8"

	"gocloud.dev/blob/driver"

	"nth/shim/store/contract"
)

// ListPaged gives all blobs in one page unless the caller asks for less: each
// further page reads the directories again.
func (b *bucket) ListPaged(ctx context.Context, opts *driver.ListOptions) (*driver.ListPage, error) {
	if err := contract.Ask(opts.BeforeList); err != nil {
		return nil, err
	}
	all, err := guarded(ctx, b, func() ([]*driver.ListObject, error) {
		l := listing{ctx: ctx, b: b, prefix: opts.Prefix, delimiter: opts.Delimiter}
		err := l.start()
		b.skipped.Store(&l.skipped)
		return l.found, err
	})
	if err != nil {
		return nil, err
	}
	byKey := func(o *driver.ListObject, token string) int { return strings.Compare(o.Key, token) }
	from, _ := slices.BinarySearchFunc(all, string(opts.PageToken), byKey)
	page := &driver.ListPage{Objects: all[from:]}
	if opts.PageSize > 0 && len(page.Objects) > opts.PageSize {
		page.NextPageToken = []byte(page.Objects[opts.PageSize].Key)
		page.Objects = page.Objects[:opts.PageSize]
	}
	return page, nil
}

// listing is one walk through the directories.
type listing struct {
	ctx               context.Context
	b                 *bucket
	prefix, delimiter string
	found             []*driver.ListObject
	dirs              map[string]bool // what the delimiter folds, by key
	skipped           []contract.Skipped
}

// Skipped is what the last listing met that is no blob.
func (b *bucket) Skipped() []contract.Skipped {
	if all := b.skipped.Load(); all != nil {
		return *all
	}
	return nil
}

func (l *listing) skip(key, why string, dir bool) {
	if strings.HasPrefix(key, l.prefix) {
		l.skipped = append(l.skipped, contract.Skipped{Key: key, Why: why, Dir: dir})
	}
}

// start walks the directory that the prefix names, and sorts by key.
func (l *listing) start() error {
	l.dirs = map[string]bool{}
	dir := ""
	if at := strings.LastIndexByte(l.prefix, '/'); at >= 0 {
		dir = l.prefix[:at+1]
	}
	path := l.b.dir
	if dir != "" {
		path = l.b.path(strings.TrimSuffix(dir, "/"))
	}
	if err := l.walk(path, dir); err != nil {
		return err
	}
	sort.Slice(l.found, func(i, j int) bool { return l.found[i].Key < l.found[j].Key })
	return nil
}

// walk visits one directory; key is its key, with a slash at the end. A directory
// that isn't there has no blobs, unless the volume isn't there.
func (l *listing) walk(path, key string) error {
	err := l.b.entries(l.ctx, path, func(entry fs.DirEntry) error {
		name := entry.Name()
		segment := unescapeSegment(name)
		switch {
		case strings.HasPrefix(name, temporary):
			return nil // not a blob
		case !utf8.ValidString(segment):
			l.skip(key+name, "its name is no UTF-8", entry.IsDir())
			return nil
		case escapeSegment(segment) != name: // nth could not have written it
			l.skip(key+name, "its name is the code of another one", entry.IsDir())
			return nil
		}
		return l.visit(filepath.Join(path, name), key+segment, entry)
	})
	if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Absent {
		return nil
	}
	return err
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

func (l *listing) visit(path, key string, entry fs.DirEntry) error {
	if entry.IsDir() {
		if key += "/"; strings.HasPrefix(key, l.prefix) || strings.HasPrefix(l.prefix, key) {
			return l.walk(path, key)
		}
		return nil
	}
	if !strings.HasPrefix(key, l.prefix) {
		return nil
	}
	if rest := key[len(l.prefix):]; l.delimiter != "" && strings.Contains(rest, l.delimiter) {
		at := len(l.prefix) + strings.Index(rest, l.delimiter) + len(l.delimiter)
		if dir := key[:at]; !l.dirs[dir] {
			l.dirs[dir] = true
			l.found = append(l.found, &driver.ListObject{Key: dir, IsDir: true})
		}
		return nil
	}
	info, err := entry.Info()
	link := err == nil && info.Mode()&fs.ModeSymlink != 0
	if link {
		info, err = os.Stat(path) // as reading would
	}
	switch {
	case link && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP)):
		l.skip(key, "a link to nothing", false)
	case errors.Is(err, fs.ErrNotExist): // deleted meanwhile
		return nil
	case err != nil:
		return l.b.fail(err)
	case info.Mode().IsRegular():
		l.found = append(l.found, &driver.ListObject{Key: key, ModTime: info.ModTime(), Size: info.Size(), AsFunc: version(info).As})
	case info.IsDir():
		l.skip(key, "a link to a directory", true)
	default:
		l.skip(key, "no regular file", false)
	}
	return nil
}

// errFound ends a walk.
var errFound = errors.New("found")

// Holds looks for one file below the directory, whatever its name: others than nth may have
// put it there.
func (b *bucket) Holds(ctx context.Context) (bool, error) {
	return guarded(ctx, b, func() (bool, error) {
		err := b.look(ctx, b.dir)
		switch {
		case err == errFound:
			return true, nil
		case errors.Is(err, syscall.ENOTDIR): // a file stands there
			return false, nil
		}
		if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Absent {
			err = nil // the directory is missing, in one that is there
		}
		return false, err
	})
}

// look ends with errFound where a file is.
func (b *bucket) look(ctx context.Context, path string) error {
	return b.entries(ctx, path, func(entry fs.DirEntry) error {
		switch {
		case !entry.IsDir() && strings.HasPrefix(entry.Name(), temporary):
			return nil
		case !entry.IsDir():
			return errFound
		}
		err := b.look(ctx, filepath.Join(path, entry.Name()))
		if e, ok := errors.AsType[*contract.Error](err); ok && e.Kind == contract.Absent {
			return nil // deleted meanwhile
		}
		return err
	})
}
