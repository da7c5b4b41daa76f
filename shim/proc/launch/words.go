//go:build linux && (amd64 || arm64)

package launch

import "unsafe"

// words are what execve(2) takes, laid out for it: addresses in shared memory.
type words struct{ path, argv, envp uintptr }

// lay lays them out; false: a NUL would cut a word, or there is no memory.
func (c *Child) lay(path string, args, env []string) (w words, ok bool) {
	begin := (unsafe.Sizeof(shared{}) + pointer - 1) &^ (pointer - 1)
	pointers := uintptr(len(args)+len(env)+2) * pointer
	need := begin + pointers + uintptr(len(path)) + 1
	for _, list := range [][]string{args, env} {
		for _, word := range list {
			need += uintptr(len(word)) + 1
		}
	}
	if !c.reserve(need) {
		return w, false
	}
	all := unsafe.Slice((*byte)(unsafe.Pointer(c.shared)), c.size)
	base, at := addr(c.shared), begin+pointers
	put := func(word string) (where uintptr, ok bool) {
		where = base + at
		for i := range len(word) {
			if word[i] == 0 {
				return 0, false
			}
		}
		at += uintptr(copy(all[at:], word))
		all[at] = 0
		at++
		return where, true
	}
	next := begin
	point := func(list []string) (first uintptr, ok bool) {
		first = base + next
		for _, word := range list {
			where, ok := put(word)
			if !ok {
				return 0, false
			}
			*(*uintptr)(unsafe.Pointer(&all[next])) = where
			next += pointer
		}
		*(*uintptr)(unsafe.Pointer(&all[next])) = 0
		next += pointer
		return first, true
	}
	if w.path, ok = put(path); !ok {
		return w, false
	}
	if w.argv, ok = point(args); !ok {
		return w, false
	}
	w.envp, ok = point(env)
	return w, ok
}

// reserve sees to it that there is shared memory of so many bytes. What is there moves:
// the calls that point into it, too.
func (c *Child) reserve(size uintptr) bool {
	if size <= c.size {
		return true
	}
	size = (size + enough - 1) &^ (enough - 1)
	at := raw(sysMmap, 0, size, protRW, mapShared, ^uintptr(0), 0)
	if at > ^uintptr(maxErrno) {
		return false
	}
	old := c.shared
	c.shared = *(**shared)(unsafe.Pointer(&at))
	if old != nil {
		*c.shared = *old
		from, to := addr(old), addr(c.shared)
		for i := range c.calls[:c.fixed] {
			for j, arg := range c.calls[i].args {
				if arg >= from && arg < from+unsafe.Sizeof(shared{}) {
					c.calls[i].args[j] = arg - from + to
				}
			}
		}
		raw(sysMunmap, from, c.size, 0, 0, 0, 0)
	}
	c.size = size
	return true
}
