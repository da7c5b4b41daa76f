// Package stage moves files and trees between paths and stores: inputs before the command,
// outputs behind it.
//
// Whatever a store's keys or a command's links say, nothing is written outside the directory
// that an input names, and nothing outside the one that an output names is read: all of it
// goes through os.Root.
//
// What holds of file modes: the permissions of a file go with it, on a store of files as its
// own, elsewhere in the object's metadata (contract.ModeKey), where they aren't 0644. What is
// fetched has those, or 0644, as far as the umask lets it; its owner can read and write it
// whatever they say, and it is never setuid, setgid or sticky. Owners and times stay behind.
package stage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"nth/shim/disk"
	"nth/shim/failure"
	"nth/shim/store"
	"nth/shim/store/contract"
	"nth/shim/transfer"
)

// Stage moves the inputs and outputs of runs. It may be used from several goroutines.
type Stage struct {
	Mover  *transfer.Mover
	Stores *store.Stores
}

// ErrMissing is what Fetch and Collect give, in a failure, where there is nothing: neither
// an object, nor one below a prefix; neither a file, nor one in a directory.
var ErrMissing error = failure.Text("it does not exist")

// missing is an ErrMissing in other words.
type missing string

func (m missing) Error() string { return string(m) }

// Is makes it an ErrMissing.
func (m missing) Is(err error) bool { return err == ErrMissing }

const (
	// temporary begins the name of a file that isn't whole yet, as in a store of files.
	temporary = ".nth-tmp-"
)

// local gives the path below a directory that is a key's: the key itself, or an error where
// it would lead out, or is none.
func local(key string) (string, error) {
	refuse := func(why string) (string, error) {
		return "", &contract.Error{Kind: contract.Refused, Cause: errors.New("its key is no path below a directory: " + why),
			Hint: "rename the object, or leave it out with a glob"}
	}
	if strings.ContainsRune(key, 0) {
		return refuse("it holds a zero byte")
	}
	for part := range strings.SplitSeq(key, "/") {
		switch part {
		case "":
			return refuse("a part of it is empty")
		case ".", "..":
			return refuse("a part of it is " + part)
		}
	}
	if !filepath.IsLocal(filepath.FromSlash(key)) {
		return refuse("it leads out of there")
	}
	return key, nil
}

// nameable tells why a name can't be a part of a key; nil: it can.
func nameable(name string) error {
	switch {
	case name == store.Hidden:
		return errors.New("the name " + store.Hidden + " is nth's own: outputs wait there for their commit")
	case !utf8.ValidString(name):
		return errors.New("its name is no UTF-8, as the keys of a store are")
	}
	return nil
}

// Same tells whether a file is the one that it was, and hasn't been written since.
func Same(was, is fs.FileInfo) bool {
	return os.SameFile(was, is) && is.Size() == was.Size() && is.ModTime().Equal(was.ModTime())
}

// split gives the directory of a declared output, and the file in it; "": it is all of the
// directory.
func split(declared string) (dir, name string) {
	if strings.HasSuffix(declared, "/") {
		return filepath.Clean(declared), ""
	}
	return filepath.Dir(declared), filepath.Base(declared)
}

// within makes a call to the file system, and gives up with the context.
func within(ctx context.Context, dir string, call func() error) error {
	var err error
	if gaveUp := disk.Run(ctx, dir, func() { err = call() }); gaveUp != nil {
		return gaveUp
	}
	return err
}

// broken gives an error of an input or an output as a failure. A store's error means what it
// means for one index; one of a file here is 69, and 77 where it may not be.
func broken(err error, tried, on string) *failure.Failure {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f
	}
	if isFile(err) {
		f := &failure.Failure{Code: failure.Unavailable, Tried: tried, On: on, Cause: err}
		switch {
		case errors.Is(err, fs.ErrPermission):
			f.Code, f.Hint = failure.Denied, "let this user read and write there"
		case errors.Is(err, syscall.EROFS):
			f.Code, f.Hint = failure.Denied, "let this user write there: with a read-only root, on a volume"
		case errors.Is(err, syscall.ENOSPC):
			f.Hint = contract.HintFull
		}
		if _, hangs := errors.AsType[*disk.NoAnswer](err); hangs {
			f.Hint = disk.Hint
		}
		return f
	}
	return store.Fail(err, failure.OneIndex, tried, on)
}

// isFile tells whether an error is one of a file here. A store of files has drivers' errors.
func isFile(err error) bool {
	if _, ok := errors.AsType[*contract.Error](err); ok {
		return false
	}
	if _, ok := errors.AsType[*transfer.FileError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*disk.NoAnswer](err); ok {
		return true
	}
	_, path := errors.AsType[*fs.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	return path || link
}
