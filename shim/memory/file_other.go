//go:build !linux

package memory

import "os"

// File gives a file without a name, with this content, at its beginning.
func File(content []byte) (*os.File, error) {
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
