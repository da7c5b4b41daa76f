package stage

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"nth/shim/disk"
)

// What is made has these modes, as far as the umask lets it, where nobody says another.
const (
	fileMode = 0o644
	dirMode  = 0o755
)

// target is a directory into which files are put, and which no path leaves: not by its
// parts, and not by a link that stands in it.
type target struct {
	dir  string
	root *os.Root
	busy sync.WaitGroup // writes, and what cleans up behind them
}

// openTarget opens a directory, and makes it where there is none. Links on the way to it are
// its owner's.
func openTarget(ctx context.Context, dir string) (*target, error) {
	t := &target{dir: filepath.Clean(dir)}
	err := within(ctx, t.dir, func() (err error) {
		if err = os.MkdirAll(t.dir, dirMode); err == nil {
			t.root, err = os.OpenRoot(t.dir)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// close waits for what cleans up, a second at most: of a directory that hangs that happens
// when it answers again.
func (t *target) close() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		t.busy.Wait()
		t.root.Close()
	}()
	select {
	case <-closed:
	case <-time.After(time.Second):
	}
}

// file is one that isn't in its place yet.
type file struct {
	*os.File
	name string      // below the target
	mode fs.FileMode // that it is to have; 0: as it was made
}

// write has a file filled, and gives it its name: whole and synced, in the place of whatever
// file or link had it. After an error there is nothing of it.
func (t *target) write(ctx context.Context, name string, fill func(*file) error) error {
	t.busy.Add(1)
	f := &file{}
	err := within(ctx, t.dir, func() error { return t.create(f, name) })
	if err == nil {
		err = fill(f)
	}
	if err == nil {
		err = within(ctx, t.dir, func() error { return t.publish(ctx, f, name) })
	}
	if err == nil {
		t.busy.Done()
		return nil
	}
	disk.Later(t.dir, func() { // also when the file is made only now, by a call that was given up
		defer t.busy.Done()
		if f.File != nil {
			f.Close()
			_ = t.root.Remove(f.name)
		}
	})
	return err
}

// create makes a file with a name of its own, beside the one that it will have.
func (t *target) create(f *file, name string) (err error) {
	dir := path.Dir(name)
	if err := t.root.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	f.name = path.Join(dir, temporary+hex.EncodeToString(random[:]))
	f.File, err = t.root.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	return err
}

// permit gives the file the permissions that it is to have, as far as the umask lets it: what
// a new file has is what may be. A file system without permissions has none to give.
func (t *target) permit(f *file) {
	if f.mode == 0 || f.mode == fileMode {
		return
	}
	try := f.name + "-mode"
	empty, err := t.root.OpenFile(try, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return
	}
	defer t.root.Remove(try)
	defer empty.Close()
	if info, err := empty.Stat(); err == nil {
		_ = f.Chmod(info.Mode().Perm())
	}
}

// publish gives the file its name, unless nobody waits for it any longer.
func (t *target) publish(ctx context.Context, f *file, name string) error {
	t.permit(f)
	err := f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = t.root.Rename(f.name, name)
	}
	return err
}
