//go:build !windows

package proc

import (
	"os"

	"golang.org/x/sys/unix"
)

// readAtOnce is room for a file of /proc that a start reads.
const readAtOnce = 4 << 10

var lineEnd = []byte{'\n'}

// readInto reads a file of the kernel's that is most often as small as room, without the
// heap and Go's poller: a dozen page faults of a start.
func readInto(room []byte, path string) ([]byte, error) {
	var fd int
	err := again(func() (err error) {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for has := 0; has < len(room); {
		n := 0
		err := again(func() (err error) {
			n, err = unix.Read(fd, room[has:])
			return err
		})
		if err != nil || n == 0 {
			return room[:has], err
		}
		has += n
	}
	return os.ReadFile(path)
}

// again calls until no signal of Go's own interrupts it.
func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
