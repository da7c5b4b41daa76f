package matrix

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// argument reads one argument of a call, args[0], into what is told of the call.
type argument func(m *memory, args []uint64, c *Call)

// at is a path, and the descriptor of the directory that it is below.
func at(m *memory, args []uint64, c *Call) {
	path := m.path(args[1])
	if !filepath.IsAbs(path) && int32(args[0]) != unix.AT_FDCWD {
		path = filepath.Join(m.descriptor(args[0]), path)
	}
	c.Paths = append(c.Paths, path)
}

func descriptor(m *memory, args []uint64, c *Call) { c.Paths = append(c.Paths, m.descriptor(args[0])) }
func text(m *memory, args []uint64, c *Call)       { c.Text = string(m.bytes(args[0], args[1])) }
func none(*memory, []uint64, *Call)                {}

// calls are the system calls that are shown, by their number: those that Go uses
// for files, and that by which nth learns that the command has ended.
var calls = map[uint64]struct {
	name string
	args []argument
}{
	unix.SYS_OPENAT:          {"openat", []argument{at}},
	unix.SYS_NEWFSTATAT:      {"newfstatat", []argument{at}},
	unix.SYS_MKDIRAT:         {"mkdirat", []argument{at}},
	unix.SYS_UNLINKAT:        {"unlinkat", []argument{at}},
	unix.SYS_LINKAT:          {"linkat", []argument{at, none, at}},
	unix.SYS_RENAMEAT:        {"renameat", []argument{at, none, at}},
	unix.SYS_RENAMEAT2:       {"renameat2", []argument{at, none, at}},
	unix.SYS_PREAD64:         {"pread64", []argument{descriptor}},
	unix.SYS_READ:            {"read", []argument{descriptor}},
	unix.SYS_WRITE:           {"write", []argument{descriptor, text}},
	unix.SYS_FSYNC:           {"fsync", []argument{descriptor}},
	unix.SYS_FLOCK:           {"flock", []argument{descriptor}},
	unix.SYS_CLOSE:           {"close", []argument{descriptor}},
	unix.SYS_FTRUNCATE:       {"ftruncate", []argument{descriptor}},
	unix.SYS_FCHMOD:          {"fchmod", []argument{descriptor}},
	unix.SYS_PWRITE64:        {"pwrite64", []argument{descriptor}},
	unix.SYS_COPY_FILE_RANGE: {"copy_file_range", []argument{descriptor, none, descriptor}},
	unix.SYS_WAITID:          {"waitid", nil},
	unix.SYS_WAIT4:           {"wait4", nil},
}
