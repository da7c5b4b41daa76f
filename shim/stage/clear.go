package stage

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"nth/shim/failure"
)

// Room is a place in which a command is to make an output.
type Room struct {
	dir, name string // of a file the one that it is in, and its name; of a directory ""
	note      string
	before    fs.FileInfo // of a file that was there before
	held      *os.File    // the note, locked as long as nth lives
	// Full says that something is there that no attempt of nth's has left: it isn't touched.
	Full bool
}

// noted begins the name of a file that stands beside an output from the first attempt on:
// what a start finds with it, an attempt has made, and may have made by half.
const noted = temporary + "output"

// ErrBusy is the error where another run's command is to make the same output.
var ErrBusy error = failure.Text("another run of nth on this machine makes it there right now")

// Clear makes room for an output: its directory is made, and what an earlier attempt, or an
// item before, has made there is removed, so that nothing of that is taken for this one's,
// nor added to: a worker's tasks have one path. What was there before the first one stays.
// ErrBusy says that another nth of this machine makes the same output now; any other error is
// one of the file system.
func Clear(ctx context.Context, declared string) (r Room, err error) {
	r.dir, r.name = split(declared)
	if r.note = noted; r.name != "" {
		r.note += "-" + r.name
	}
	err = within(ctx, r.dir, func() error { return r.clear() })
	return r, err
}

func (r *Room) clear() error {
	if err := os.MkdirAll(r.dir, 0o777); err != nil {
		return err
	}
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	_, err = root.Lstat(r.note)
	ours := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !ours {
		there, err := r.there(root)
		if r.Full = len(there) > 0; err != nil || r.Full {
			return err
		}
	}
	if err := r.hold(root); err != nil {
		return err
	}
	there, err := r.there(root) // nobody else makes anything there from here on
	if err != nil {
		return err
	}
	for _, name := range there {
		if err := root.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}

// hold makes the note this run's own. Where files can't be locked, nobody is kept away.
func (r *Room) hold(root *os.Root) error {
	f, err := root.OpenFile(r.note, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return err
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK {
		f.Close()
		return ErrBusy
	}
	r.held = f
	return nil
}

// there gives the names of what stands where the output is to be.
func (r *Room) there(root *os.Root) (names []string, err error) {
	if r.name != "" {
		info, err := root.Lstat(r.name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil
		case err != nil:
			return nil, err
		}
		r.before = info
		return []string{r.name}, nil
	}
	entries, err := entriesOf(root, ".")
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), noted) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// Untouched tells whether the file that stood there before is still the same: the command
// has written none.
func (r Room) Untouched() bool {
	if !r.Full || r.before == nil {
		return false
	}
	now, err := os.Lstat(filepath.Join(r.dir, r.name))
	return err == nil && Same(r.before, now)
}

// Leave lets others make the output there.
func (r Room) Leave() {
	if r.held != nil {
		r.held.Close()
	}
}
