package chaos

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/store"
)

// place is where the command writes.
type place interface {
	// stands gives the name of something that stands there; "": nothing does.
	stands(ctx context.Context) (string, error)
	// aside puts all that is there into a directory, and leaves the place as it was at first.
	aside(ctx context.Context, dir string) (listing, error)
	name(path string) string
}

// listing is what stood in a place, by its path there.
type listing map[string]entry

// entry is a file, or what stands for one.
type entry struct {
	what string // "file"; or of what is compared as a text: "directory", "link to …", "device"
	size int64
	sum  [sha256.Size]byte
	kept string // where its content is now
}

// ours tells whether a path is, or is below, where outputs wait to be published: what a killed
// run has left there is taken away with the next one's, and is never taken for a result.
func ours(path string) bool { return store.IsHidden(path + "/") }

// open opens a place, which nothing may stand in: nothing of the user's is moved.
func open(ctx context.Context, where string, p edge.Process) (place, error) {
	pl, err := placeOf(ctx, where, p)
	if err != nil {
		return nil, err
	}
	there, err := pl.stands(ctx)
	if err == nil && there != "" {
		err = &failure.Failure{Code: failure.Setup, Tried: "compare what stands in", On: pl.name(""),
			Cause: fmt.Errorf("%s is there already, and would be taken for the command's", there),
			Hint:  "name a place that is absent or empty; nothing was moved"}
	}
	return pl, err
}

func placeOf(ctx context.Context, where string, p edge.Process) (place, error) {
	scheme, _, isURL := strings.Cut(where, "://")
	switch {
	case isURL && scheme != "file":
		s, err := p.Stores.Open(ctx, where)
		return &stored{s}, store.Of("--chaos-compare", err)
	case isURL:
		u, err := url.Parse(where)
		if err != nil || u.Host != "" {
			return nil, &failure.Failure{Code: failure.Usage, Tried: "read", On: "--chaos-compare", Cause: errors.New("it is no URL of a directory"), Hint: "write three slashes: file:///full/path"}
		}
		where = u.Path
	}
	return folderAt(where)
}

// folder is a directory, or a file, of this machine.
type folder struct {
	shown  string // as it was named
	path   string // where that leads: a walk doesn't follow a link that it begins at
	absent bool   // at first
}

func folderAt(where string) (place, error) {
	path, err := filepath.EvalSymlinks(where)
	if err == nil {
		return &folder{shown: where, path: path}, nil
	}
	f := &folder{shown: where, path: where, absent: errors.Is(err, fs.ErrNotExist)}
	if info, _ := os.Lstat(where); info != nil && f.absent {
		return nil, &failure.Failure{Code: failure.Setup, Tried: "compare what stands in", On: where,
			Cause: errors.New("it is a link to nothing"), Hint: "make the directory that it leads to, or name that one"}
	}
	return f, nil
}

func (f *folder) name(path string) string { return filepath.Join(f.shown, path) }

func (f *folder) stands(context.Context) (string, error) {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err == nil && !info.IsDir() {
		return f.path, nil
	}
	list, err := os.ReadDir(f.path)
	if err != nil {
		return "", f.failed("look into", err)
	}
	if len(list) > 0 {
		return list[0].Name(), nil
	}
	return "", nil
}

func (f *folder) aside(_ context.Context, dir string) (listing, error) {
	all := listing{}
	err := filepath.WalkDir(f.path, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		name, err := filepath.Rel(f.path, path)
		if err != nil || name == "." && d.IsDir() || ours(name) {
			return err
		}
		e, err := keep(path, d, filepath.Join(dir, name))
		all[name] = e
		return err
	})
	if err == nil {
		err = f.empty()
	}
	if err != nil {
		return nil, f.failed("put aside what stands in", err)
	}
	return all, nil
}

// empty leaves the directory as it was at first.
func (f *folder) empty() error {
	if f.absent {
		return os.RemoveAll(f.path)
	}
	list, err := os.ReadDir(f.path)
	for _, d := range list {
		err = errors.Join(err, os.RemoveAll(filepath.Join(f.path, d.Name())))
	}
	return err
}

func (f *folder) failed(tried string, err error) error {
	return &failure.Failure{Code: failure.Unavailable, Tried: tried, On: f.shown, Cause: err}
}

// keep copies a file; what is none is told in words.
func keep(path string, d fs.DirEntry, to string) (entry, error) {
	switch {
	case d.IsDir():
		return entry{what: "directory"}, os.MkdirAll(to, 0o700)
	case d.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return entry{what: "link to " + target}, err
	case !d.Type().IsRegular():
		return entry{what: d.Type().String()}, nil
	}
	from, err := os.Open(path)
	if err != nil {
		return entry{}, err
	}
	defer from.Close()
	return write(from, to)
}

// write keeps a content in a file.
func write(from io.Reader, to string) (entry, error) {
	e := entry{what: "file", kept: to}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return e, err
	}
	file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return e, err
	}
	hash := sha256.New()
	e.size, err = io.Copy(io.MultiWriter(file, hash), from)
	copy(e.sum[:], hash.Sum(nil))
	return e, errors.Join(err, file.Close())
}
