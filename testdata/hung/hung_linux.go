// Package hung makes a directory of a file system that doesn't answer, as one of a network
// whose server is gone: calls to it don't return before it is told to answer. Or it answers,
// but slowly.
package hung

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// FS is a file system of FUSE (linux/fuse.h): one directory of files that can be read.
type FS struct {
	Dir string

	fd    int
	files map[string]string
	names []string // sorted; a file's inode is 2 and its place here
	pause time.Duration

	answers chan struct{} // closed when it does
	answer  func()
}

// Mount mounts one that is empty, and doesn't answer before it is told to. It needs root.
func Mount(t testing.TB) *FS {
	t.Helper()
	f := &FS{}
	f.mount(t)
	return f
}

// MountSlow mounts one that takes its time for each answer.
func MountSlow(t testing.TB, pause time.Duration, files map[string]string) *FS {
	t.Helper()
	f := &FS{pause: pause, files: files, names: slices.Sorted(maps.Keys(files))}
	f.mount(t)
	f.Answer()
	return f
}

func (f *FS) mount(t testing.TB) {
	t.Helper()
	f.Dir, f.answers = t.TempDir(), make(chan struct{})
	f.answer = sync.OnceFunc(func() { close(f.answers) })
	var err error
	if f.fd, err = unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		t.Fatalf("open /dev/fuse (as root): %v", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40777,user_id=0,group_id=0,allow_other", f.fd)
	if err := unix.Mount("hung", f.Dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		t.Fatalf("mount a FUSE file system (as root): %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.serve()
	}()
	t.Cleanup(func() {
		f.Answer()
		if err := unix.Unmount(f.Dir, unix.MNT_FORCE|unix.MNT_DETACH); err != nil { // what waits is sent away
			t.Errorf("unmount: %v", err)
		}
		<-ended
		_ = unix.Close(f.fd)
	})
}

// Answer answers what was asked, and what will be.
func (f *FS) Answer() { f.answer() }

// The requests that need more than a refusal, or have no answer.
const (
	opLookup      = 1
	opForget      = 2
	opGetattr     = 3
	opOpen        = 14
	opRead        = 15
	opRelease     = 18
	opFlush       = 25
	opInit        = 26
	opOpendir     = 27
	opReaddir     = 28
	opReleasedir  = 29
	opInterrupt   = 36
	opBatchForget = 42
)

// request is one, with its head of 40 bytes.
type request []byte

func (r request) op() uint32          { return binary.NativeEndian.Uint32(r[4:]) }
func (r request) node() uint64        { return binary.NativeEndian.Uint64(r[16:]) }
func (r request) argument(at int) int { return int(binary.NativeEndian.Uint32(r[40+at:])) }

func (f *FS) serve() {
	buf := make([]byte, 1<<20)
	for {
		n, err := unix.Read(f.fd, buf)
		switch {
		case err == unix.EINTR || err == unix.ENOENT: // a request was taken back
			continue
		case err != nil || n < 40:
			return
		}
		r := request(slices.Clone(buf[:n]))
		switch r.op() {
		case opForget, opBatchForget, opInterrupt:
			continue
		case opInit:
			out := make([]byte, 64)
			put(out, 0, 7, 31, 128<<10) // the version, and how much is read at once
			put(out, 20, 128<<10)
			f.reply(r, out, 0)
			// What isn't taken from the kernel waits there, and can be killed.
			<-f.answers
			continue
		}
		time.Sleep(f.pause)
		body, errno := f.look(r)
		f.reply(r, body, errno)
	}
}

// look gives the answer to a request.
func (f *FS) look(r request) ([]byte, unix.Errno) {
	switch r.op() {
	case opLookup:
		at, found := slices.BinarySearch(f.names, string(r[40:len(r)-1]))
		if !found {
			return nil, unix.ENOENT
		}
		out := make([]byte, 40, 128)
		binary.NativeEndian.PutUint64(out, uint64(at+2))
		return append(out, f.attributes(uint64(at+2))...), 0
	case opGetattr:
		return append(make([]byte, 16), f.attributes(r.node())...), 0
	case opOpen, opOpendir:
		return make([]byte, 16), 0
	case opRelease, opReleasedir, opFlush:
		return nil, 0
	case opReaddir:
		return f.entries(r.argument(8), r.argument(16)), 0
	case opRead:
		text := f.files[f.names[r.node()-2]]
		from := min(r.argument(8), len(text))
		return []byte(text[from:min(from+r.argument(16), len(text))]), 0
	}
	return nil, unix.ENOSYS
}

// attributes is a fuse_attr.
func (f *FS) attributes(node uint64) []byte {
	a := make([]byte, 88)
	binary.NativeEndian.PutUint64(a, node)
	mode, size := uint32(unix.S_IFDIR|0o777), 0
	if node > 1 {
		mode, size = unix.S_IFREG|0o444, len(f.files[f.names[node-2]])
	}
	binary.NativeEndian.PutUint64(a[8:], uint64(size))
	put(a, 60, mode, 1)
	return a
}

// entries are fuse_dirents from a place on, as many as there is room for.
func (f *FS) entries(from, room int) (out []byte) {
	for at := from; at < len(f.names); at++ {
		name := f.names[at]
		e := make([]byte, (24+len(name)+7)/8*8)
		if len(out)+len(e) > room {
			break
		}
		binary.NativeEndian.PutUint64(e, uint64(at+2))
		binary.NativeEndian.PutUint64(e[8:], uint64(at+1))
		put(e, 16, uint32(len(name)), unix.DT_REG)
		copy(e[24:], name)
		out = append(out, e...)
	}
	return out
}

// reply writes an answer: its size, the error as a negative number, whose it is.
func (f *FS) reply(r request, body []byte, errno unix.Errno) {
	out := make([]byte, 16, 16+len(body))
	put(out, 0, uint32(16+len(body)), uint32(-int32(errno)))
	copy(out[8:], r[8:16])
	_, _ = unix.Write(f.fd, append(out, body...))
}

func put(b []byte, at int, numbers ...uint32) {
	for i, n := range numbers {
		binary.NativeEndian.PutUint32(b[at+4*i:], n)
	}
}
