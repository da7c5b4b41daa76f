//go:build linux

package faults

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nth/testdata/matrix"
)

// disk is a file system of 64 KiB in memory.
type disk struct {
	*matrix.Place
	t *testing.T
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatalf("mount: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return &disk{t: t, Place: &matrix.Place{Dir: dir, URL: func(_, prefix string) string { return "file://" + filepath.Join(dir, prefix) },
		Env: func(string) []string { return nil }}}
}

// fill leaves no room on it, and no file either.
func (d *disk) fill() {
	d.t.Helper()
	f, err := os.Create(filepath.Join(d.Dir, "filler"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !strings.Contains(err.Error(), unix.ENOSPC.Error()) {
		d.t.Fatal(err)
	}
}

func (d *disk) free() {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.Dir, "filler")); err != nil {
		d.t.Error(err)
	}
}

// readOnly makes it so; or writable again.
func (d *disk) readOnly(yes bool) {
	d.t.Helper()
	flags := uintptr(unix.MS_REMOUNT)
	if yes {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount("", d.Dir, "", flags, ""); err != nil {
		d.t.Fatal(err)
	}
}

// TestFullDisk: the markers' volume is really full.
func TestFullDisk(t *testing.T) {
	t.Run("before the command", func(t *testing.T) {
		t.Parallel()
		d := newDisk(t)
		d.fill()
		d.unrecorded(d.item("m"), "the volume is full")
	})
	t.Run("by the command", func(t *testing.T) {
		t.Parallel()
		d := newDisk(t)
		i := d.item("m")
		i.Script = matrix.Work + `; if [ ! -e freed ]; then head -c 1000000 /dev/zero > ` + d.Dir + `/filler 2>&-; fi; true`
		d.unrecorded(i, "the volume is full")
	})
	t.Run("and its directory is there", func(t *testing.T) {
		t.Parallel()
		d := newDisk(t)
		if err := os.MkdirAll(filepath.Join(d.Dir, "m", "done"), 0o777); err != nil {
			t.Fatal(err)
		}
		d.fill()
		d.unrecorded(d.item("m"), "the volume is full")
	})
	t.Run("and freed in time", func(t *testing.T) {
		t.Parallel()
		d := newDisk(t)
		d.fill()
		i := d.item("m")
		i.Flags = []string{"--marker-timeout", "1m"}
		go func() {
			for !strings.Contains(i.Read("output-1"), "trying again") {
				time.Sleep(10 * time.Millisecond)
			}
			d.free()
		}()
		i.Says(0, "recorded as done")
		i.Effects(1)
		d.whole(i)
	})
	t.Run("for the failure's record", func(t *testing.T) {
		t.Parallel()
		d := newDisk(t)
		d.fill()
		i := d.item("m")
		i.Script = matrix.Failing
		i.Run(3)
		if docs := i.Documents(); len(docs) > 0 {
			t.Errorf("the documents: %+v", docs)
		}
	})
	t.Run("done already", func(t *testing.T) {
		t.Parallel()
		d := newDisk(t)
		i := d.item("m")
		i.Run(0)
		d.fill()
		if h := i.Run(0); !h.Known {
			t.Errorf("it doesn't say that it is done: %s", h.Nth)
		}
		i.Effects(1)
	})
}

func (d *disk) item(prefix string) *matrix.Item {
	i := matrix.NewItem(d.t, d.Place, prefix)
	i.Flags = matrix.Quick
	return i
}

// unrecorded is a run whose marker can't be written, and the next one, which can.
func (d *disk) unrecorded(i *matrix.Item, says string) {
	d.t.Helper()
	if h := i.Says(73, says); !hinted(h.Failure) {
		d.t.Errorf("the failure has no hint: %s", h.Failure)
	}
	i.Effects(1)
	if docs := i.Documents(); len(docs) > 0 {
		d.t.Errorf("the documents: %+v", docs)
	}
	i.Write("freed", "")
	d.free()
	i.Run(0)
	i.Effects(2)
	d.whole(i)
}

// whole: the marker is there, and no half of one besides.
func (d *disk) whole(i *matrix.Item) {
	d.t.Helper()
	if m := i.Marker(); m == nil {
		d.t.Error("there is no marker")
	}
	if left, _ := filepath.Glob(filepath.Join(d.Dir, i.Prefix, "*", ".*")); len(left) > 0 {
		d.t.Errorf("left over: %q", left)
	}
}

// TestReadOnlyDisk: markers there can be read, and none written.
func TestReadOnlyDisk(t *testing.T) {
	d := newDisk(t)
	before := d.item("before")
	before.Run(0)
	i := d.item("m")
	if err := os.Mkdir(filepath.Join(d.Dir, i.Prefix), 0o755); err != nil {
		t.Fatal(err)
	}
	d.readOnly(true)
	if h := before.Run(0); !h.Known {
		t.Errorf("it doesn't say that it is done: %s", h.Nth)
	}
	if h := i.Says(73, "mounted read-only"); !hinted(h.Failure) {
		t.Errorf("the failure has no hint: %s", h.Failure)
	}
	i.Effects(1)
	none := d.item("none") // it can't even be made, which is known before anything is done
	none.Says(77, "mounted read-only")
	none.Effects(0)
	d.readOnly(false)
	if m := i.Marker(); m != nil {
		t.Errorf("there is a marker: %+v", m)
	}
	i.Run(0)
	i.Effects(2)
}

// TestForbiddenDirectory: the user that runs nth may not do what the store needs.
func TestForbiddenDirectory(t *testing.T) {
	for _, tt := range []struct {
		name    string
		mode    os.FileMode
		code    int
		effects int
		says    string
	}{
		{"closed", 0o700, 77, 0, "let this user read and write the directory"},
		{"not writable", 0o755, 73, 1, "let this user make directories in "},
		{"open", 0o777, 0, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			place := startPlace(t, "file")
			if err := os.Mkdir(filepath.Join(place.Dir, "m"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(place.Dir, "m"), tt.mode); err != nil {
				t.Fatal(err)
			}
			i := matrix.NewItem(t, place, "m")
			i.Flags, i.User = matrix.Quick, 65534
			i.Says(tt.code, tt.says)
			i.Effects(tt.effects)
			if m := i.Marker(); (m != nil) != (tt.code == 0) {
				t.Errorf("the marker: %+v", m)
			}
		})
	}
}
