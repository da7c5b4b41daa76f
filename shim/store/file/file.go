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
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gocloud.dev/blob"
	"gocloud.dev/blob/driver"
	"gocloud.dev/gcerrors"

	"nth/shim/store/contract"
)

func init() { blob.DefaultURLMux().RegisterBucket("file", opener{}) }

type opener struct{}

// OpenBucketURL opens file:///dir. Parameters: create_dir=true makes every
// directory that is missing; without it, all but the last must exist.
func (opener) OpenBucketURL(_ context.Context, u *url.URL) (*blob.Bucket, error) {
	b := &bucket{dir: filepath.Clean(u.Path)}
	if u.Host != "" && u.Host != "localhost" {
		return nil, fmt.Errorf("file://%s names a host; write three slashes: file:///%s%s", u.Host, u.Host, u.Path)
	}
	if !filepath.IsAbs(u.Path) {
		return nil, errors.New("the path must begin with a slash: file:///dir")
	}
	for name, values := range u.Query() {
		switch name {
		case "create_dir":
			b.createDir = values[0] == "true" || values[0] == "1"
		case "metadata", "no_tmp_dir": // gocloud's own driver needs them; here it is always so
		default:
			return nil, fmt.Errorf("unknown parameter %s; there is create_dir=true", name)
		}
	}
	return blob.NewBucket(b), nil
}

type bucket struct {
	dir       string
	createDir bool
}

func (b *bucket) ErrorCode(err error) gcerrors.ErrorCode { return contract.Code(err) }
func (b *bucket) As(any) bool                            { return false }
func (b *bucket) ErrorAs(error, any) bool                { return false }
func (b *bucket) Close() error                           { return nil }

func (b *bucket) SignedURL(context.Context, string, *driver.SignedURLOptions) (string, error) {
	return "", contract.Unsupported("signed URLs")
}

// path gives the file of a key.
func (b *bucket) path(key string) string { return filepath.Join(b.dir, escape(key)) }

// fail gives an error its meaning. Only a name that isn't there in a directory
// that is (or could be made) is absence: a volume that isn't mounted has no names
// at all.
func (b *bucket) fail(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		if missing := b.unmounted(); missing != "" {
			return &contract.Error{Kind: contract.Unreachable, Cause: fmt.Errorf("the directory %s does not exist", missing),
				Hint: "is the volume mounted? create_dir=true in the URL makes directories"}
		}
		return &contract.Error{Kind: contract.Absent, Cause: err}
	case errors.Is(err, fs.ErrExist):
		return &contract.Error{Kind: contract.Exists, Cause: err}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &contract.Error{Kind: contract.Denied, Cause: err, Hint: "let this user read and write the directory"}
	case errors.Is(err, syscall.ENAMETOOLONG):
		return &contract.Error{Kind: contract.Unusable, Cause: err, Hint: "the file system takes no names that long"}
	case errors.Is(err, syscall.ENOTDIR):
		return &contract.Error{Kind: contract.Unreachable, Cause: err, Hint: "a file stands where a directory should be"}
	}
	return &contract.Error{Kind: contract.Unreachable, Cause: err}
}

// unmounted gives the directory that must exist and doesn't; "" when all is well.
func (b *bucket) unmounted() string {
	if b.createDir {
		return ""
	}
	if _, err := os.Stat(b.dir); err == nil {
		return ""
	}
	parent := filepath.Dir(b.dir)
	if _, err := os.Stat(parent); err != nil {
		return parent
	}
	return ""
}

func (b *bucket) Attributes(_ context.Context, key string) (*driver.Attributes, error) {
	info, err := b.stat(key)
	if err != nil {
		return nil, err
	}
	return &driver.Attributes{ContentType: contentType, ModTime: info.ModTime(), Size: info.Size(), ETag: string(version(info))}, nil
}

const contentType = "application/octet-stream"

func (b *bucket) stat(key string) (fs.FileInfo, error) {
	info, err := os.Stat(b.path(key))
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "stat", Path: b.path(key), Err: fs.ErrNotExist}
	}
	return info, b.fail(err)
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

type reader struct {
	io.Reader
	file  *os.File
	attrs driver.ReaderAttributes
	token contract.Token
}

func (r *reader) Attributes() *driver.ReaderAttributes { return &r.attrs }
func (r *reader) Close() error                         { return r.file.Close() }
func (r *reader) As(i any) bool {
	t, ok := i.(*contract.Token)
	if ok {
		*t = r.token
	}
	return ok
}

func (b *bucket) NewRangeReader(_ context.Context, key string, offset, length int64, opts *driver.ReaderOptions) (driver.Reader, error) {
	f, err := os.Open(b.path(key))
	if err != nil {
		return nil, b.fail(err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "open", Path: f.Name(), Err: fs.ErrNotExist}
	}
	if err == nil && opts.BeforeRead != nil {
		err = opts.BeforeRead(func(any) bool { return false })
	}
	if err != nil {
		f.Close()
		return nil, b.fail(err)
	}
	r := &reader{file: f, token: version(info), attrs: driver.ReaderAttributes{ContentType: contentType, ModTime: info.ModTime(), Size: info.Size()}}
	if length < 0 {
		length = max(info.Size()-offset, 0)
	}
	r.Reader = io.NewSectionReader(f, offset, length)
	return r, nil
}

func (b *bucket) Copy(ctx context.Context, dst, src string, opts *driver.CopyOptions) error {
	if opts.BeforeCopy != nil {
		if err := opts.BeforeCopy(func(any) bool { return false }); err != nil {
			return err
		}
	}
	from, err := b.NewRangeReader(ctx, src, 0, -1, &driver.ReaderOptions{})
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := b.NewTypedWriter(ctx, dst, "", &driver.WriterOptions{})
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if closeErr := to.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (b *bucket) Delete(_ context.Context, key string, opts *driver.DeleteOptions) error {
	if opts.BeforeDelete != nil {
		if err := opts.BeforeDelete(func(any) bool { return false }); err != nil {
			return err
		}
	}
	if _, err := b.stat(key); err != nil {
		return err
	}
	if err := os.Remove(b.path(key)); err != nil {
		return b.fail(err)
	}
	return b.fail(syncDir(filepath.Dir(b.path(key))))
}

func (b *bucket) ListPaged(ctx context.Context, opts *driver.ListOptions) (*driver.ListPage, error) {
	if opts.BeforeList != nil {
		if err := opts.BeforeList(func(any) bool { return false }); err != nil {
			return nil, err
		}
	}
	all, err := b.list(ctx, opts.Prefix, opts.Delimiter)
	if err != nil {
		return nil, err
	}
	from, _ := slices.BinarySearchFunc(all, string(opts.PageToken), func(o *driver.ListObject, token string) int { return strings.Compare(o.Key, token) })
	page := &driver.ListPage{Objects: all[from:]}
	if opts.PageSize > 0 && len(page.Objects) > opts.PageSize {
		page.NextPageToken = []byte(page.Objects[opts.PageSize].Key)
		page.Objects = page.Objects[:opts.PageSize]
	}
	return page, nil
}

// list gives every blob below a prefix, by key. A page is all of them unless the
// caller asks for less: each further page would read the directories again.
func (b *bucket) list(ctx context.Context, prefix, delimiter string) ([]*driver.ListObject, error) {
	var all []*driver.ListObject
	dirs := map[string]bool{}
	root := b.dir
	if at := strings.LastIndexByte(prefix, '/'); at >= 0 {
		root = b.path(prefix[:at])
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == root && b.absent(err) {
				return fs.SkipAll
			}
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if d.IsDir() || strings.HasPrefix(d.Name(), temporary) {
			return nil
		}
		name, err := filepath.Rel(b.dir, path)
		if err != nil {
			return err
		}
		key := unescape(name)
		if !strings.HasPrefix(key, prefix) {
			return nil
		}
		if at := strings.Index(key[len(prefix):], delimiter); delimiter != "" && at >= 0 {
			dir := key[:len(prefix)+at+len(delimiter)]
			if !dirs[dir] {
				dirs[dir] = true
				all = append(all, &driver.ListObject{Key: dir, IsDir: true})
			}
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		all = append(all, &driver.ListObject{Key: key, ModTime: info.ModTime(), Size: info.Size()})
		return nil
	})
	slices.SortFunc(all, func(x, y *driver.ListObject) int { return strings.Compare(x.Key, y.Key) })
	return all, b.fail(err)
}

func (b *bucket) absent(err error) bool {
	e, ok := b.fail(err).(*contract.Error)
	return ok && e.Kind == contract.Absent
}
