//go:build !windows

package proc

import (
	"bytes"
	"strconv"
	"strings"
)

// oomKills gives how many processes of this container the kernel has killed for
// memory, by the counters of cgroup v2 (memory.events) and v1
// (memory.oom_control, oom_kill since Linux 4.13); 0 where there are none.
func oomKills() int64 { return oomKillsUnder("/sys/fs/cgroup", "/proc/self/cgroup") }

func oomKillsUnder(mount, self string) int64 {
	var room [readAtOnce]byte
	own, err := readInto(room[:], self)
	if err != nil {
		return 0
	}
	for len(own) > 0 {
		var line []byte
		line, own, _ = bytes.Cut(own, lineEnd)
		// cgroups(7): hierarchy-ID:controller-list:cgroup-path
		f := strings.SplitN(string(bytes.TrimSpace(line)), ":", 3)
		if len(f) != 3 {
			continue
		}
		base, file := mount, ""
		switch {
		case f[1] == "":
			file = "memory.events"
		case strings.Contains(","+f[1]+",", ",memory,"):
			base, file = mount+"/memory", "memory.oom_control"
		default:
			continue
		}
		// In a container the path is often the host's, and the mount its own root.
		for _, dir := range []string{base + f[2], base} {
			if n, ok := counter(dir + "/" + file); ok {
				return n
			}
		}
	}
	return 0
}

func counter(path string) (int64, bool) {
	var room [readAtOnce]byte
	body, err := readInto(room[:], path)
	if err != nil {
		return 0, false
	}
	for len(body) > 0 {
		var line []byte
		line, body, _ = bytes.Cut(body, lineEnd)
		if value, ok := bytes.CutPrefix(line, []byte("oom_kill ")); ok {
			n, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
