package disk

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// volumes are the paths at which something is mounted.
type volumes map[string]bool

// mounts reads them where the kernel has them (proc_pid_mountinfo(5)): no mounted file
// system is asked for that.
func mounts() volumes {
	all := volumes{}
	body, _ := os.ReadFile("/proc/self/mountinfo") // without it, all is one volume
	for line := range strings.Lines(string(body)) {
		if fields := strings.Fields(line); len(fields) > 4 {
			all[unescape(fields[4])] = true
		}
	}
	return all
}

// of gives the volume that a directory is on, as far as its name tells.
func (v volumes) of(dir string) string {
	for dir = filepath.Clean(dir); !v[dir]; {
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return dir
}

// unescape replaces \040 and its like, which stand for what would end a field.
func unescape(s string) string {
	before, code, found := strings.Cut(s, `\`)
	if !found || len(code) < 3 {
		return s
	}
	n, err := strconv.ParseUint(code[:3], 8, 8)
	if err != nil {
		return s
	}
	return before + string([]byte{byte(n)}) + unescape(code[3:])
}
