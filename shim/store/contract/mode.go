package contract

import (
	"fmt"
	"io/fs"
	"strconv"
)

// ModeKey is the key of the metadata in which a blob has the mode of the file that it was, as
// rclone's --metadata writes and reads it: file type and permissions, in octal digits.
const ModeKey = "mode"

// Mode are the permissions of the file that a blob was; 0: nobody says.
type Mode fs.FileMode

// What a mode may be beside the permissions (stat(2), st_mode).
const (
	regularFile = 0o100000
	special     = 0o7000 // setuid, setgid, sticky: a blob has none of them
	owner       = 0o600  // who fetches a file can always read and replace it
)

// ModeOf gives the permissions alone, of whatever mode of a file.
func ModeOf(m fs.FileMode) Mode { return Mode(m.Perm() | owner) }

// ReadMode reads what stands under ModeKey. Anybody may have written that: what is no mode of
// a regular file is none.
func ReadMode(text string) Mode {
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || len(text) > len("0100644") || n&^(special|0o777) != regularFile && n&^(special|0o777) != 0 {
		return 0
	}
	return ModeOf(fs.FileMode(n & 0o777))
}

// String writes it as what stands under ModeKey.
func (m Mode) String() string { return fmt.Sprintf("%o", regularFile|uint32(m)) }

// As is the AsFunc of what has one.
func (m Mode) As(i any) bool {
	p, ok := i.(*Mode)
	if ok && m != 0 {
		*p = m
	}
	return ok && m != 0
}
