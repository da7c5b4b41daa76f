package end

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"nth/shim/disk"
	"nth/shim/failure"
	"nth/shim/why"
)

// maxTermination bounds the termination message, in bytes: 100,000 of them live
// in etcd.
const maxTermination = 1000

// logWait is how long the end of a run waits for the termination log's disk.
const logWait = 2 * time.Second

// hangs says that its disk does: nobody waits for it again.
var hangs atomic.Bool

// soon does something with the termination log, and tells whether it is done: its disk may
// hang.
func soon(path string, do func()) bool {
	if hangs.Load() {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), logWait)
	defer cancel()
	err := disk.Run(ctx, filepath.Dir(path), do)
	hangs.Store(err != nil)
	return err == nil
}

// IsRegular tells whether the path is an existing regular file, and no link to one.
func IsRegular(path string) bool {
	if path == "" {
		return false
	}
	regular := false
	return soon(path, func() {
		info, err := os.Lstat(path)
		regular = err == nil && info.Mode().IsRegular()
	}) && regular
}

// readTermination gives what the command itself left in the termination log, its
// own reason, at most the 4,096 bytes that the kubelet would read.
func readTermination(path string) string {
	if !IsRegular(path) {
		return ""
	}
	var body []byte
	if !soon(path, func() {
		if f, err := openTermination(path, os.O_RDONLY); err == nil {
			defer f.Close()
			body, _ = io.ReadAll(io.LimitReader(f, 4096))
		}
	}) {
		return ""
	}
	return strings.ToValidUTF8(string(body), "\uFFFD")
}

func openTermination(path string, flag int) (*os.File, error) {
	return os.OpenFile(path, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
}

// termination gives one short message for `kubectl describe pod`, with the end of the command's
// stderr behind it.
func termination(message, stderr string) string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if len(message) > maxTermination {
		message = message[:maxTermination-len("…")]
		message = strings.ToValidUTF8(message, "") + "…"
	}
	// The end of stderr is what tells; the message itself always goes first.
	if tail := failure.OneLine(stderr); tail != "" && len(message)+len(": ") < maxTermination {
		message += ": " + shortened(tail, why.Line(stderr), maxTermination-len(message)-len(": "))
	}
	return message
}

// shortened gives at most n bytes from the end, behind the reason if that isn't among them.
func shortened(tail, reason string, n int) string {
	end := LastBytes(tail, n)
	reason = failure.OneLine(reason)
	if room := n - len(reason) - len(" … "); !strings.Contains(end, reason) && room > 0 {
		return reason + " … " + LastBytes(tail, room)
	}
	return end
}

// writeTermination leaves the message in the log. It writes in place, for the file is a bind
// mount, and only into an empty file: a failure to do so changes nothing.
func writeTermination(path, message string) {
	if !IsRegular(path) {
		return
	}
	soon(path, func() {
		f, err := openTermination(path, os.O_WRONLY)
		if err != nil {
			return
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Size() == 0 {
			_, _ = f.WriteString(message)
		}
	})
}
