//go:build !linux

package shim

import "os"

// memoryFile gives a file without a name, with this content, at its beginning.
func memoryFile(content []byte) (*os.File, error) {
	f, err := os.CreateTemp("", "nth-task-")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if _, err := f.Write(content); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.Seek(0, 0)
	return f, err
}
