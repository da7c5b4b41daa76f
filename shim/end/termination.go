package end

import (
	"io"
	"os"
	"strings"
	"syscall"

	"nth/shim/failure"
)

// maxTermination bounds the termination message, in bytes: 100,000 of them live
// in etcd.
const maxTermination = 1000

// IsRegular tells whether the path is an existing regular file, and no link to one.
func IsRegular(path string) bool {
	info, err := os.Lstat(path)
	return path != "" && err == nil && info.Mode().IsRegular()
}

// readTermination gives what the command itself left in the termination log, its
// own reason, at most the 4,096 bytes that the kubelet would read.
func readTermination(path string) string {
	f, err := openTermination(path, os.O_RDONLY)
	if err != nil {
		return ""
	}
	defer f.Close()
	body, _ := io.ReadAll(io.LimitReader(f, 4096))
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

func openTermination(path string, flag int) (*os.File, error) {
	if !IsRegular(path) {
		return nil, os.ErrInvalid
	}
	return os.OpenFile(path, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
}

// writeTermination leaves one short message for `kubectl describe pod`, with the end of
// the command's stderr behind it. It writes in place, for the file is a bind mount, and
// only into an empty file: a failure to do so changes nothing.
func writeTermination(path, message, stderr string) {
	f, err := openTermination(path, os.O_WRONLY)
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() > 0 {
		return
	}
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) > maxTermination {
		message = message[:maxTermination-len("…")]
		message = strings.ToValidUTF8(message, "") + "…"
	}
	// The end of stderr is what tells; the message itself always goes first.
	if tail := failure.OneLine(stderr); tail != "" && len(message)+len(": ") < maxTermination {
		message += ": " + LastBytes(tail, maxTermination-len(message)-len(": "))
	}
	_, _ = f.WriteString(message)
}
