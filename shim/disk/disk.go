// Package disk makes calls to file systems that may never return: those of a network file
// system whose server is gone, or of a FUSE file system whose process hangs. Such a call
// can't be ended from outside, and keeps a thread. So of a directory of which a call was
// given up no other is begun before that one returns: threads don't pile up until the
// process may have no more of them, and dies.
package disk

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// most is of how many directories of one mounted volume a call may hang. In some volumes
// a part hangs, and the rest is well; a worker's tasks may name any number of directories.
const most = 16

// laterWait is how long Later may hold who calls it.
const laterWait = time.Second

// NoAnswer is the error of a call that was given up, or not begun since an earlier one
// still hangs.
type NoAnswer struct {
	Since time.Time
	Cause error // why nobody waits any longer: a deadline, a stop
}

func (e *NoAnswer) Error() string {
	return "the file system has not answered since " + e.Since.UTC().Format("2006-01-02 15:04:05Z")
}

// Hint is what can be done about it.
const Hint = "a call that hangs is waited for, and no other is begun: is the volume's server up?"

// Unwrap gives the cause.
func (e *NoAnswer) Unwrap() error { return e.Cause }

// hang is a directory of which calls were given up that have not returned.
type hang struct {
	since time.Time
	calls int
	later []func()
	over  chan struct{} // closed when all have returned
}

var (
	mu    sync.Mutex
	hangs map[string]*hang // by directory; nil: none yet
)

// call is one that is under way.
type call struct {
	began time.Time
	done  chan struct{}
	ended bool
	hangs *hang // nil: it wasn't given up
	dir   string
}

// Run calls do, whose matter is a directory, and gives up with the context. Nil says that
// do has returned, and else it may go on: as with any store whose reply is lost, it may
// still happen, and what it writes to is its own. (What is generic, the linker keeps once
// for each type.)
func Run(ctx context.Context, dir string, do func()) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		h := before(dir)
		if h == nil {
			break
		}
		select {
		case <-h.over:
		case <-ctx.Done():
			return &NoAnswer{h.since, context.Cause(ctx)}
		}
	}
	c := &call{began: time.Now(), done: make(chan struct{}), dir: dir}
	go func() {
		defer c.end()
		do()
	}()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return c.giveUp(context.Cause(ctx))
	}
}

// before gives what must return before another call is begun; nil: nothing hangs there.
func before(dir string) *hang {
	mu.Lock()
	defer mu.Unlock()
	if h := hangs[dir]; h != nil || len(hangs) < most {
		return h
	}
	var last *hang
	n, volumes := 0, mounts()
	for other, h := range hangs {
		if volumes.of(other) == volumes.of(dir) {
			n, last = n+1, h
		}
	}
	if n < most {
		return nil
	}
	return last
}

// giveUp says that nobody waits for a call any longer. Nil: it has just ended.
func (c *call) giveUp(cause error) error {
	mu.Lock()
	defer mu.Unlock()
	if c.ended {
		return nil
	}
	if c.hangs = hangs[c.dir]; c.hangs == nil {
		c.hangs = &hang{since: c.began, over: make(chan struct{})}
		if hangs == nil {
			hangs = map[string]*hang{}
		}
		hangs[c.dir] = c.hangs
	}
	c.hangs.calls++
	return &NoAnswer{c.hangs.since, cause}
}

// end says that a call has returned.
func (c *call) end() {
	mu.Lock()
	c.ended = true
	close(c.done)
	var later []func()
	if h := c.hangs; h != nil {
		if h.calls--; h.calls == 0 {
			later = h.later
			delete(hangs, c.dir)
			close(h.over)
		}
	}
	mu.Unlock()
	for _, do := range later {
		do()
	}
}

// Later makes a call that cleans up. It waits for it a second at most; of a directory that
// hangs it is made when that answers again.
func Later(dir string, do func()) {
	mu.Lock()
	h := hangs[dir]
	if h != nil {
		h.later = append(h.later, do)
	}
	mu.Unlock()
	if h != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), laterWait)
	defer cancel()
	_ = Run(ctx, dir, do)
}

// Stat is os.Stat.
func Stat(ctx context.Context, path string) (fs.FileInfo, error) {
	var info fs.FileInfo
	var err error
	if gaveUp := Run(ctx, filepath.Dir(path), func() { info, err = os.Stat(path) }); gaveUp != nil {
		return nil, gaveUp
	}
	return info, err
}

// Small is more than a file of credentials has, in bytes.
const Small = 1 << 20

// ReadFile is os.ReadFile, up to a limit of bytes. What isn't a regular file, such as a
// shell's <(…), has no time to keep to: only what opens it has.
func ReadFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	var f *os.File
	var info fs.FileInfo
	var err error
	if gaveUp := Run(ctx, filepath.Dir(path), func() {
		if f, err = os.Open(path); err == nil {
			info, err = f.Stat()
		}
	}); gaveUp != nil {
		return nil, gaveUp
	}
	if err != nil {
		return nil, err // a file that can't be asked is closed when it is forgotten
	}
	var body []byte
	read := func() {
		defer f.Close()
		body, err = io.ReadAll(io.LimitReader(f, limit))
	}
	if !info.Mode().IsRegular() {
		read()
	} else if gaveUp := Run(ctx, filepath.Dir(path), read); gaveUp != nil {
		return nil, gaveUp
	}
	return body, err
}
