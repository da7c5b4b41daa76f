package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"nth/shim/failure"
)

// File is a file of an output.
type File struct {
	Key  string // below the output, "" for an output that is one file
	Size int64
	Mode fs.FileMode // the permissions alone
	at   string      // below the output's directory, without links
	info fs.FileInfo
}

// Kind is what a path is to its command.
type Kind struct {
	name, flag string
	late       string // what it means that a file was written since
	hint       string // and what to do
	any        bool   // what no object can be made of is left out
}

// The kinds of paths that are collected.
var (
	Outputs = Kind{name: "output", flag: "--output", late: "it was written after the command had ended",
		hint: "something still writes to it: it must be whole when the command ends"}
	Checkpoints = Kind{name: "checkpoint", flag: "--checkpoint", late: "it was written meanwhile",
		hint: "the command should write it under a temporary name and rename it: what it rewrites in place is half of this one and half of the next"}
	// Kept are files that a person wants to look at.
	Kept = Kind{name: "file", flag: "--keep-failed", late: "it was written after the command had ended", hint: "something still writes to it", any: true}
)

// Output is what a path held when it was collected.
type Output struct {
	Path  string // as it was declared
	kind  Kind
	Files []File // by key
	// LeftOut says what no object can be made of, where that is no error.
	LeftOut []error
	dir     string // of a file the one that it is in
}

// Collect finds the files of an output: a regular file, or, of a path that ends in a slash,
// all regular files below that directory. A link that leads to something within the
// directory is taken for that, a directory included, as aws s3 sync does (rclone leaves links
// out); one that leads out of it is an error, for it may be anybody's that wrote there. So
// is what can't be an object: a socket, a pipe, a device. A directory without a file is
// nothing, as a store has none. Of a directory that is Kept the rest is taken. An error is a
// failure with exit code 73; one that is ErrMissing says that there is nothing.
func (k Kind) Collect(ctx context.Context, declared string) (*Output, error) {
	dir, name := split(declared)
	o := &Output{Path: declared, kind: k, dir: dir}
	c := &collector{any: k.any}
	err := within(ctx, o.dir, func() (err error) {
		if err = c.open(o.dir); err != nil {
			return err
		}
		defer c.root.Close()
		if name != "" {
			err = c.one(name)
		} else {
			err = c.all()
		}
		return err
	})
	if err == nil && len(c.files) == 0 {
		err = missing("there is no file in it")
	}
	if err != nil {
		return nil, k.unfit(err, declared)
	}
	o.Files, o.LeftOut = c.files, c.leftOut
	return o, nil
}

func (k Kind) unfit(err error, on string) error {
	f := &failure.Failure{Code: failure.NotRecorded, Tried: "collect the " + k.name, On: on, Cause: err}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrMissing):
		if f.Hint = "the command succeeded and should have written it: correct the path, or the command"; !errors.Is(err, ErrMissing) {
			f.Cause = ErrMissing
		}
	case errors.Is(err, errDirectory):
		f.Hint = "for all of it end both the path and the URL of " + k.flag + " with a slash"
	}
	return f
}

var errDirectory error = failure.Text("it is a directory")

// collector walks through a directory.
type collector struct {
	root  *os.Root
	real  string // the directory's path, without links
	files []File

	any     bool // leave out what can't be
	leftOut []error
}

func (c *collector) open(dir string) (err error) {
	if c.real, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	if c.real, err = filepath.Abs(c.real); err != nil {
		return err
	}
	c.root, err = os.OpenRoot(c.real)
	return err
}

// one collects one file of the directory.
func (c *collector) one(name string) error {
	at, info, err := c.look(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return errDirectory
	}
	return c.add("", at, info)
}

func (c *collector) all() error {
	info, err := c.root.Stat(".")
	if err != nil {
		return err
	}
	if err := c.walk(".", "", []fs.FileInfo{info}); err != nil {
		return err
	}
	sort.Slice(c.files, func(i, j int) bool { return c.files[i].Key < c.files[j].Key })
	return nil
}

// walk collects what is below a directory, which is reached through those above.
func (c *collector) walk(at, key string, above []fs.FileInfo) error {
	entries, err := entriesOf(c.root, at)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, temporary) {
			continue // of an nth that was killed
		}
		err := c.visit(path.Join(at, name), key+name, above)
		if err != nil && c.any {
			c.leftOut, err = append(c.leftOut, err), nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) visit(name, key string, above []fs.FileInfo) error {
	if err := nameable(path.Base(key)); err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	at, info, err := c.look(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return c.add(key, at, info)
	}
	for _, one := range above {
		if os.SameFile(one, info) {
			return fmt.Errorf("%q is a link to a directory that it is in itself", key)
		}
	}
	return c.walk(at, key+"/", append(slices.Clip(above), info))
}

// look gives what is there, at the end of whatever links, and where.
func (c *collector) look(name string) (string, fs.FileInfo, error) {
	info, err := c.root.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return name, info, err
	}
	real, err := filepath.EvalSymlinks(filepath.Join(c.real, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("%q is a link to nothing", name) // it is there: not missing
	}
	if err != nil {
		return "", nil, err
	}
	at, err := filepath.Rel(c.real, real)
	if err != nil || !filepath.IsLocal(at) {
		return "", nil, fmt.Errorf("%q is a link out of the directory, to %s", name, real)
	}
	info, err = c.root.Lstat(at)
	return at, info, err
}

// add takes a file, which only a regular one may be.
func (c *collector) add(key, at string, info fs.FileInfo) error {
	what := ""
	switch mode := info.Mode(); {
	case mode.IsRegular():
		c.files = append(c.files, File{Key: key, Size: info.Size(), Mode: mode.Perm(), at: at, info: info})
		return nil
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	default:
		what = "no regular file" // a link that was put there just now
	}
	return fmt.Errorf("%q is %s, of which no object can be made", at, what)
}
